// range_statistics.h - what one point of a model held: extremes, a histogram, growth over the steps.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace quaver {

inline constexpr std::size_t kHistogramBins = 2048;

// What one point of the float model held over all sequences. A value: merge in any order, same result.
struct RangeStatistics {
  double min = 0;
  double max = 0;
  std::uint64_t count = 0;               // values seen
  bool overflowed = false;               // one was infinite or not a number; nothing is counted from there on
  double bin_width = 0;                  // of the histogram of |x|; 0 while nothing but zeros was seen
  std::vector<std::uint64_t> histogram;  // kHistogramBins bins of the first range; grows by bins of the same width
  std::vector<float> step_max_abs;       // largest |x| at every time step over all sequences

  double max_abs() const;
  void add(std::span<const float> values, std::size_t step);
  bool operator==(const RangeStatistics&) const = default;
};

}  // namespace quaver
