// error_sums.h - how far values q lie from the values f they should be:
//   max_abs  max |f - q|      rmse  sqrt(mean (f - q)^2)      sqnr_db  10 log10(sum f^2 / sum (f - q)^2)
// Equal values have no noise: their figure in dB is kEqualDb, and no figure is above it or below minus it.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace quaver {

inline constexpr double kEqualDb = 300;

struct ErrorSums {
  double signal = 0;  // sum f^2
  double noise = 0;   // sum (f - q)^2
  double max_abs = 0;
  std::uint64_t count = 0;

  void add(float reference, float quantized) {
    const double f = static_cast<double>(reference), error = f - static_cast<double>(quantized);
    signal += f * f;
    noise += error * error;
    max_abs = std::max(max_abs, std::abs(error));
    ++count;
  }
  void add(const ErrorSums& other) {
    signal += other.signal;
    noise += other.noise;
    max_abs = std::max(max_abs, other.max_abs);
    count += other.count;
  }
  double rmse() const { return count == 0 ? 0 : std::sqrt(noise / static_cast<double>(count)); }
  double sqnr_db() const {
    if (noise == 0) return kEqualDb;
    if (signal == 0) return -kEqualDb;
    return std::clamp(10 * std::log10(signal / noise), -kEqualDb, kEqualDb);
  }
};

}  // namespace quaver
