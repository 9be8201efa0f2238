#include "support/count_allocations.h"

#include <atomic>
#include <cstdlib>
#include <new>

namespace quaver::testing {
namespace {

std::atomic<std::size_t> allocations{0};

}  // namespace

std::size_t allocation_count() { return allocations; }

static void* allocate(std::size_t size, std::size_t alignment) {
  ++allocations;
  if (void* memory = std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment)) return memory;
  throw std::bad_alloc();
}

}  // namespace quaver::testing

// In a file of its own: a compiler that sees both sides pairs new with free() and warns.
void* operator new(std::size_t size) { return quaver::testing::allocate(size, alignof(std::max_align_t)); }
void* operator new(std::size_t size, std::align_val_t alignment) {
  return quaver::testing::allocate(size, static_cast<std::size_t>(alignment));
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }
