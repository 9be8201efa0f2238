// memory_limit.h - how much memory one input, or one set of sizes, may ask for: judged before any of it is taken.
#pragma once

#include <cstdint>
#include <string_view>

namespace quaver {

inline constexpr std::uint64_t kDefaultMaxMemory = std::uint64_t{1} << 32;  // bytes of one input, decoded

// Error (bad input) when `bytes` are more than `limit`. what: with its verb, "array 'x' has".
void require_memory(std::string_view what, std::uint64_t bytes, std::uint64_t limit);

// The same of sizes that were asked for, not read: Error (usage). what: "training has".
void require_memory_for(std::string_view what, std::uint64_t bytes, std::uint64_t limit);

}  // namespace quaver
