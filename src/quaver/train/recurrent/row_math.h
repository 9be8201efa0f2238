// row_math.h - sigmoid, tanh and sums over arrays, in loops that compilers turn into vector code. Internal to this
// floor.
//
// Sums run in kLanes partial sums: a single one is a chain that no compiler may cut. std::exp is a call an element,
// some ten times slower than all the rest of a step. For float the exponential is Cephes' polynomial (relative error
// below 2 units in the last place on [-87, 88], where x is clamped); for double, which only gradient checks use, it is
// std::exp. Absolute error of both functions in float: below 2^-22.
#pragma once

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace quaver {

inline constexpr double kActivationError = 0x1p-22;  // of sigmoid_row and tanh_row in float

inline float vector_exp(float x) {
  x = x < -87.0f ? -87.0f : x;
  x = x > 88.0f ? 88.0f : x;
  constexpr float kRound = 12582912.0f;  // 1.5 * 2^23: adding it leaves the nearest integer in the low bits
  const float shifted = x * 1.44269504088896341f + kRound;
  const float n = shifted - kRound;
  float r = x - n * 0.693359375f;  // ln 2 in two parts: the first has few bits, so that this product is exact
  r -= n * -2.12194440e-4f;
  float y = 1.9875691500e-4f;
  y = y * r + 1.3981999507e-3f;
  y = y * r + 8.3334519073e-3f;
  y = y * r + 4.1665795894e-2f;
  y = y * r + 1.6666665459e-1f;
  y = y * r + 5.0000001201e-1f;
  y = y * (r * r) + r + 1.0f;
  const std::int32_t exponent = std::bit_cast<std::int32_t>(shifted) - std::bit_cast<std::int32_t>(kRound);
  return y * std::bit_cast<float>((exponent + 127) << 23);
}

inline double vector_exp(double x) { return std::exp(x); }

template <typename T>
void sigmoid_row(T* values, std::size_t n) {
  for (std::size_t j = 0; j < n; ++j) values[j] = T{1} / (T{1} + vector_exp(-values[j]));
}

template <typename T>
void tanh_row(T* values, std::size_t n) {
  for (std::size_t j = 0; j < n; ++j) values[j] = T{1} - T{2} / (T{1} + vector_exp(T{2} * values[j]));
}

// Sum of term(0) .. term(n - 1).
template <typename T, typename Term>
T sum_row(std::size_t n, const Term& term) {
  constexpr std::size_t kLanes = 8;
  T lanes[kLanes] = {};
  std::size_t j = 0;
  for (; j + kLanes <= n; j += kLanes)
    for (std::size_t lane = 0; lane < kLanes; ++lane) lanes[lane] += term(j + lane);
  T sum = 0;
  for (const T lane : lanes) sum += lane;
  for (; j < n; ++j) sum += term(j);
  return sum;
}

}  // namespace quaver
