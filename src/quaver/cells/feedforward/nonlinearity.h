// nonlinearity.h - element-wise activations: the float functions, and the 256-entry tables that stand for them.
#pragma once

#include <array>
#include <cstdint>

#include "quaver/fixed/quantization.h"

namespace quaver {

enum class Nonlinearity { kIdentity, kRelu, kSigmoid, kTanh, kHardSigmoid, kElu, kGelu };

// kHardSigmoid: clamp(0.2 x + 0.5, 0, 1), kElu with alpha 1, kGelu with erf: ONNX's defaults.
float apply(Nonlinearity function, float x) noexcept;

// The output code of every int8 input code q, at index q + 128: exact by construction, and what the model file keeps.
std::array<std::int8_t, 256> activation_table(Nonlinearity function, Affine input, Affine output);

}  // namespace quaver
