#include "quaver/cells/feedforward/nonlinearity.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace quaver {

float apply(Nonlinearity function, float x) noexcept {
  switch (function) {
    case Nonlinearity::kIdentity: return x;
    case Nonlinearity::kRelu: return std::max(x, 0.0f);
    case Nonlinearity::kSigmoid: return 1.0f / (1.0f + std::exp(-x));
    case Nonlinearity::kTanh: return std::tanh(x);
    case Nonlinearity::kHardSigmoid: return std::clamp(0.2f * x + 0.5f, 0.0f, 1.0f);
    case Nonlinearity::kElu: return x >= 0 ? x : std::expm1(x);
    case Nonlinearity::kGelu: return 0.5f * x * (1.0f + std::erf(x / std::numbers::sqrt2_v<float>));
  }
  return x;
}

std::array<std::int8_t, 256> activation_table(Nonlinearity function, Affine input, Affine output) {
  std::array<std::int8_t, 256> table{};
  for (int q = -128; q <= 127; ++q) {
    const double x = static_cast<double>(input.scale) * (q - input.zero_point);
    const float y = apply(function, static_cast<float>(x));
    table[static_cast<std::size_t>(q + 128)] = static_cast<std::int8_t>(
        quantize(static_cast<double>(y), static_cast<double>(output.scale), output.zero_point, -128, 127));
  }
  return table;
}

}  // namespace quaver
