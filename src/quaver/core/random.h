// random.h - seeded random numbers that are the same on every machine, compiler and standard library.
//
// xoshiro256** (Blackman & Vigna 2018) seeded by splitmix64. std's distributions differ between libraries, so the few
// that are needed are here. A generator is a value: copy it to fork a stream, print its state to repeat a failure.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <utility>

namespace quaver {

class Random {
 public:
  explicit Random(std::uint64_t seed);

  std::uint64_t next();                                       // uniform over all 64-bit values
  std::uint64_t below(std::uint64_t bound);                   // uniform in [0, bound); bound > 0; unbiased
  std::int64_t between(std::int64_t low, std::int64_t high);  // uniform in [low, high], low <= high
  double uniform();                                           // uniform in [0, 1), 53 bits
  double uniform(double low, double high);                    // uniform in [low, high)
  double normal();                                            // mean 0, deviation 1 (Box-Muller, one value a call)
  Random fork(std::uint64_t key) const;                       // an independent stream for `key`; this one does not move

  template <typename T>
  void shuffle(std::span<T> values) {  // Fisher-Yates
    for (std::size_t i = values.size(); i > 1; --i) std::swap(values[i - 1], values[below(i)]);
  }

  const std::array<std::uint64_t, 4>& state() const { return state_; }

 private:
  std::array<std::uint64_t, 4> state_;
};

}  // namespace quaver
