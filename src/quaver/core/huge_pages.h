// huge_pages.h - memory in fewer and larger pages, so that reading much of it looks up fewer addresses.
#pragma once

#include <cstddef>
#include <span>

namespace quaver {

inline constexpr std::size_t kHugePage = std::size_t{2} << 20;  // bytes, where plain pages have 4 KiB

// Moves the bytes, memory that the program allocated, into huge pages, and returns how many of them lie in such pages
// then: all, or less where the system refuses, 0 where it knows no such call (Linux before 6.1, other systems, other
// plain pages). Addresses and contents stay, so others may read meanwhile. What lies beside the bytes in their first
// and last huge page moves along. Costs a copy of the memory; nothing moves it back.
std::size_t move_to_huge_pages(std::span<const std::byte> bytes) noexcept;

}  // namespace quaver
