// error_budget.h - a real number and how far the integer that stands for it may be. Test-only.
//
// The error budgets of docs/arithmetic.md (A31 to A42) as arithmetic: a cell's equations written in these numbers give,
// next to each value, a bound on |integer - real|, and the tests hold the integer cells to it. Two readings:
//   kWorst     every rounding at its worst and all of them in the same direction: a proof
//   kExpected  roundings independent and uniform, so variances add: what one finds (root mean square)
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

#include "quaver/core/matrix_view.h"

namespace quaver::testing_support {

enum class Reading { kWorst, kExpected };

template <Reading reading>
struct Tracked {
  double value = 0;
  double error = 0;
};

// Errors are added up as powers: themselves, or their squares.
template <Reading reading>
double power(double error) {
  return reading == Reading::kWorst ? std::abs(error) : error * error;
}
template <Reading reading>
double from_power(double sum) {
  return reading == Reading::kWorst ? sum : std::sqrt(sum);
}
template <Reading reading>
double together(double a, double b) {
  return from_power<reading>(power<reading>(a) + power<reading>(b));
}
// The error of a value known to lie within +-bound: the bound, or the deviation of a uniform one.
template <Reading reading>
double within(double bound) {
  return reading == Reading::kWorst ? bound : bound / std::sqrt(3.0);
}

template <Reading reading>
Tracked<reading> with_error(Tracked<reading> x, double bound) {
  return {x.value, together<reading>(x.error, within<reading>(bound))};
}
// Rounded to the nearest multiple of `step`.
template <Reading reading>
Tracked<reading> rounded(Tracked<reading> x, double step) {
  return with_error(x, step / 2);
}
// (A32) Requantized: half a step, and what the doubling multiply and the float32 scale add before the shift.
template <Reading reading>
Tracked<reading> requantized(Tracked<reading> x, double step) {
  return with_error(x, reading == Reading::kWorst ? 0.76 * step : 0.5 * step);
}
// (A32) A format that ends at low and high: what the real number has beyond them is error.
template <Reading reading>
Tracked<reading> limited(Tracked<reading> x, double low, double high) {
  const double beyond = std::max({0.0, low - x.value, x.value - high});
  return {x.value, together<reading>(x.error, beyond)};
}

template <Reading reading>
Tracked<reading> operator+(Tracked<reading> a, Tracked<reading> b) {
  return {a.value + b.value, together<reading>(a.error, b.error)};
}
template <Reading reading>
Tracked<reading> operator-(Tracked<reading> a, Tracked<reading> b) {
  return {a.value - b.value, together<reading>(a.error, b.error)};
}
template <Reading reading>
Tracked<reading> operator*(Tracked<reading> a, Tracked<reading> b) {
  const double second_order = reading == Reading::kWorst ? a.error * b.error : 0.0;
  return {a.value * b.value, together<reading>(a.value * b.error, b.value * a.error) + second_order};
}

// (A33) A monotone function of an inexact argument, computed within `bound` of the true function.
template <Reading reading, typename Function, typename Slope>
Tracked<reading> curve(Tracked<reading> x, Function function, Slope slope, double bound) {
  const double y = function(x.value);
  const double moved = reading == Reading::kWorst
                           ? std::max(function(x.value + x.error) - y, y - function(x.value - x.error))
                           : slope(y) * x.error;
  return with_error(Tracked<reading>{y, moved}, bound);
}

// Worst errors over the whole 16-bit domain, measured by fixed/activation_test.cc (A10, A11), in units of 2^-15.
inline constexpr double kSigmoidError = 6.41 / 32768;
inline constexpr double kTanhError[] = {11.71 / 32768, 12.06 / 32768, 12.06 / 32768, 11.81 / 32768,
                                        11.53 / 32768, 11.20 / 32768, 11.20 / 32768};

template <Reading reading>
Tracked<reading> sigmoid(Tracked<reading> x) {
  return curve(
      x, [](double v) { return 1 / (1 + std::exp(-v)); }, [](double y) { return y * (1 - y); }, kSigmoidError);
}
template <Reading reading>
Tracked<reading> tangent(Tracked<reading> x, int integer_bits) {
  return curve(
      x, [](double v) { return std::tanh(v); }, [](double y) { return 1 - y * y; }, kTanhError[integer_bits]);
}

// (A31) start + W x, where W is coded in steps of `scales` (tensor.h's rule): a row is exact in integers, so only the
// operands' own errors count.
template <Reading reading>
std::vector<Tracked<reading>> product(MatrixView<const float> W, std::span<const float> scales,
                                      std::span<const Tracked<reading>> x, std::vector<Tracked<reading>> start) {
  const std::size_t block = W.rows() / scales.size();
  for (std::size_t r = 0; r < W.rows(); ++r) {
    const double weight_error = within<reading>(static_cast<double>(scales[r / block]) / 2);
    double value = start[r].value, sum = power<reading>(start[r].error);
    for (std::size_t c = 0; c < W.cols(); ++c) {
      const Tracked<reading> term = Tracked<reading>{static_cast<double>(W(r, c)), weight_error} * x[c];
      value += term.value;
      sum += power<reading>(term.error);
    }
    start[r] = {value, from_power<reading>(sum)};
  }
  return start;
}

// Reals coded in steps that are known: bias r has the step scales[r / block] * factor.
template <Reading reading>
std::vector<Tracked<reading>> coded(std::span<const float> values, std::span<const float> scales, double factor) {
  std::vector<Tracked<reading>> result;
  const std::size_t block = scales.empty() ? 1 : values.size() / scales.size();
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double step = factor * static_cast<double>(scales[i / block]);
    result.push_back({static_cast<double>(values[i]), within<reading>(step / 2)});
  }
  return result;
}

// How near to its budget an integer cell came.
struct Held {
  double worst_ratio = 0;  // of error to bound
  double worst_error = 0;
  double squares = 0, expected_squares = 0;

  void add(double error, double bound, double expected) {
    worst_error = std::max(worst_error, std::abs(error));
    worst_ratio = std::max(worst_ratio, std::abs(error) / bound);
    squares += error * error;
    expected_squares += expected * expected;
  }
  double expected_ratio() const { return std::sqrt(squares / expected_squares); }  // of root mean squares
};

}  // namespace quaver::testing_support
