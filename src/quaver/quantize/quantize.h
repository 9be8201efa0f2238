// quantize.h - from a float model and its calibration to an integer model (post-training quantization).
//
// Schemes: "int8" (weights int8 with a scale a row), "int8_per_tensor" (one scale a gate matrix: LiteRT's recipe),
// "f32" (left alone). Activations are int8 per tensor, cell states int16, biases int32: docs/arithmetic.md.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "quaver/model/model.h"
#include "quaver/quantize/calibrate.h"

namespace quaver {

struct QuantizeOptions {
  std::string scheme = "int8";
  std::vector<std::pair<std::string, std::string>>
      overrides;                    // (regular expression over node names, scheme), first match wins
  std::vector<std::string> ignore;  // regular expressions: these nodes stay float
  bool allow_float = false;  // else a node that stays float, or has no integer form, is an Error naming it and why
};

struct QuantizeResult {
  Model model;
  std::vector<std::string> warnings;  // zero-range tensors, growing cell states, float islands
};

std::vector<std::string> scheme_names();

// Error for an unknown scheme, a bad regular expression, a pattern that matches no node, a node without integer form,
// or a calibration made for another model.
QuantizeResult quantize(const Model& model, const Calibration& calibration, const QuantizeOptions& options = {});

}  // namespace quaver
