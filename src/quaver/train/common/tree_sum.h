// tree_sum.h - sums whose order is fixed by the number of terms alone, so that they are the same bits for any number of
// threads, and for processes that each hold an aligned part of the terms.
#pragma once

#include <cstddef>

namespace quaver {

// Calls add(i, j), "term i += term j", along a binary tree over `count` terms; the sum is then term 0.
template <typename Add>
void tree_sum(std::size_t count, const Add& add) {
  for (std::size_t distance = 1; distance < count; distance *= 2)
    for (std::size_t i = 0; i + distance < count; i += 2 * distance) add(i, i + distance);
}

}  // namespace quaver
