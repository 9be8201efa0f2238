// pool.h - last, mean, max and final over time, in float and on codes.
//
// The state is a running value, so that a stream has its pooled value at every step: the value for "the sequence ended
// here". last is y[T-1], which of a layer with a reverse direction is what that direction knows after one step. final
// is the h_n of other frameworks: each direction after its own last step, forward y[T-1], reverse y[0]. Mean on codes:
// zero_point + divide_rounded(sum(code - zero_point), count): rounding is symmetric about real 0.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <vector>

#include "quaver/cells/state_part.h"
#include "quaver/core/aligned.h"
#include "quaver/fixed/rounding.h"

namespace quaver {

enum class Pooling { kLast, kMean, kMax, kFinal };

// T: float, std::int8_t or std::int16_t. State: a count, then the running sums (kMean), maxima (kMax) or the values of
// the first step (kFinal).
template <typename T>
class Pool {
 public:
  using Sum = std::conditional_t<std::is_same_v<T, float>, float, std::int64_t>;
  // forward: of kFinal, the features that come from a forward direction; they lie before the others.
  Pool(Pooling pooling, std::size_t size, std::int32_t zero_point, std::size_t forward = 0)
      : pooling_(pooling), size_(size), zero_point_(zero_point), forward_(forward) {}

  std::vector<StatePart> state_parts() const {
    if (pooling_ == Pooling::kLast) return {};
    constexpr NumberType kSumType = std::is_same_v<T, float> ? NumberType::kF32 : NumberType::kI64;
    return {{.name = "count", .type = NumberType::kI64, .count = 1, .counts = true},
            {.name = "running", .type = kSumType, .count = size_, .offset = align_up(sizeof(std::int64_t))}};
  }
  void reset(std::byte* state) const noexcept {
    if (pooling_ == Pooling::kLast) return;
    *count(state) = 0;
    std::fill_n(running(state), size_, Sum{0});
  }
  void step(const T* x, T* y, std::byte* state) const noexcept {
    if (pooling_ == Pooling::kLast) {
      std::copy_n(x, size_, y);
      return;
    }
    const std::int64_t steps = ++*count(state);
    Sum* sums = running(state);
    for (std::size_t j = 0; j < size_; ++j) {
      if (pooling_ == Pooling::kMean) {
        sums[j] += offset(x[j]);
        y[j] = mean(sums[j], steps);
      } else if (pooling_ == Pooling::kFinal) {
        if (steps == 1) sums[j] = Sum{x[j]};
        y[j] = j < forward_ ? x[j] : static_cast<T>(sums[j]);
      } else {
        sums[j] = steps == 1 ? Sum{x[j]} : std::max(sums[j], Sum{x[j]});
        y[j] = static_cast<T>(sums[j]);
      }
    }
  }

 private:
  static std::int64_t* count(std::byte* state) { return reinterpret_cast<std::int64_t*>(state); }
  static Sum* running(std::byte* state) { return reinterpret_cast<Sum*>(state + align_up(sizeof(std::int64_t))); }
  Sum offset(T x) const {
    if constexpr (std::is_same_v<T, float>)
      return x;
    else
      return std::int64_t{x} - zero_point_;
  }
  T mean(Sum sum, std::int64_t steps) const {
    if constexpr (std::is_same_v<T, float>)
      return sum / static_cast<float>(steps);
    else
      return saturate<T>(divide_rounded(sum, steps) + zero_point_);
  }

  Pooling pooling_;
  std::size_t size_;
  std::int32_t zero_point_;
  std::size_t forward_;
};

}  // namespace quaver
