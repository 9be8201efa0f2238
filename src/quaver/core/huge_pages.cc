#include "quaver/core/huge_pages.h"

#include <algorithm>

#ifdef __linux__
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#endif

namespace quaver {

#ifdef __linux__
// The call that moves at once and says whether it did: MADV_HUGEPAGE alone leaves what was written before to a thread
// of the system, some time. One call a page, since pages beside the bytes need not be memory of the same kind.
std::size_t move_to_huge_pages(std::span<const std::byte> bytes) noexcept {
  constexpr int kCollapse = 25;  // MADV_COLLAPSE, which older headers lack
  if (sysconf(_SC_PAGESIZE) != 4096) return 0;
  const auto begin = reinterpret_cast<std::uintptr_t>(bytes.data());
  const std::uintptr_t end = begin + bytes.size();
  std::size_t moved = 0;
  for (std::uintptr_t page = begin / kHugePage * kHugePage; page < end; page += kHugePage)
    if (madvise(reinterpret_cast<void*>(page), kHugePage, kCollapse) == 0)
      moved += std::min(page + kHugePage, end) - std::max(page, begin);
  return moved;
}
#else
std::size_t move_to_huge_pages(std::span<const std::byte>) noexcept { return 0; }
#endif

}  // namespace quaver
