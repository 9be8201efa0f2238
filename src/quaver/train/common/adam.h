// adam.h - Adam with decoupled weight decay (Loshchilov & Hutter 2019), on flat arrays. Internal to this floor.
//
//   m = beta1 m + (1 - beta1) g      v = beta2 v + (1 - beta2) g^2
//   w -= rate (m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + epsilon) + decay w)
//
// Its whole state is two arrays and a count, so that a checkpoint holds it in full.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace quaver {

struct Adam {
  std::vector<float> first;   // m
  std::vector<float> second;  // v
  std::uint64_t steps = 0;    // t

  explicit Adam(std::size_t size) : first(size), second(size) {}

  // decay[i]: per unit of rate, of value i.
  void step(std::span<float> values, std::span<const float> gradients, std::span<const float> decay, double rate) {
    constexpr float kBeta1 = 0.9f, kBeta2 = 0.999f, kEpsilon = 1e-8f;
    ++steps;
    const double count = static_cast<double>(steps);
    const auto scale = static_cast<float>(rate / (1 - std::pow(double{kBeta1}, count)));
    const auto unbias = static_cast<float>(1 / std::sqrt(1 - std::pow(double{kBeta2}, count)));
    const auto shrink = static_cast<float>(rate);
    for (std::size_t i = 0; i < values.size(); ++i) {
      const float g = gradients[i];
      first[i] = kBeta1 * first[i] + (1 - kBeta1) * g;
      second[i] = kBeta2 * second[i] + (1 - kBeta2) * g * g;
      values[i] -= scale * first[i] / (std::sqrt(second[i]) * unbias + kEpsilon) + shrink * decay[i] * values[i];
    }
  }
};

}  // namespace quaver
