// count_allocations.h - how often this process called operator new: link count_allocations.cc to replace it.
#pragma once

#include <cstddef>

namespace quaver::testing {

std::size_t allocation_count();

}  // namespace quaver::testing
