// standard.h - the mean and deviation by which numbers are brought to mean 0 and deviation 1. Internal to this floor.
#pragma once

#include <cmath>
#include <cstddef>

namespace quaver {

struct Standard {
  double mean = 0;
  double deviation = 1;
};

// Of value(0) .. value(count - 1), in two passes; numbers that are all equal have the deviation 1. count: 1 at least.
template <typename Value>
Standard standard_of(std::size_t count, const Value& value) {
  double sum = 0, squares = 0;
  for (std::size_t i = 0; i < count; ++i) sum += value(i);
  const double mean = sum / static_cast<double>(count);
  for (std::size_t i = 0; i < count; ++i) squares += (value(i) - mean) * (value(i) - mean);
  return {.mean = mean, .deviation = squares > 0 ? std::sqrt(squares / static_cast<double>(count)) : 1.0};
}

}  // namespace quaver
