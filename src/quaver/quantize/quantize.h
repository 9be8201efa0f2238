// quantize.h - from a float model and its calibration to an integer model (post-training quantization).
//
// A scheme (model/formats/scheme.h) says the type of weights, and whether they have a scale a row or one a gate matrix,
// which is LiteRT's recipe; a node of the float scheme is left alone. Activations are int8 per tensor (int16 of
// embeddings whose rows differ widely), cell states int16, biases int32.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "quaver/model/model.h"
#include "quaver/quantize/calibrate.h"
#include "quaver/quantize/warning.h"

namespace quaver {

// How a weight gets its code: the nearest one, or the one that lets the errors of a row cancel on the calibration data
// (compensated_rounding.h).
enum class Rounding { kNearest, kCompensated };
std::string_view rounding_name(Rounding rounding);
Rounding rounding_from_name(std::string_view name);  // Error (usage) that lists the names

struct QuantizeOptions {
  std::string scheme{kDefaultScheme};
  Rounding rounding = Rounding::kCompensated;  // of matrices; other tensors go to the nearest code
  // (regular expression over node names, scheme); the first that matches wins.
  std::vector<std::pair<std::string, std::string>> overrides = {};
  // Regular expressions: nodes that stay float; they win over overrides.
  std::vector<std::string> ignore = {};
  // Else a node that stays float, or has no integer form, is an Error naming it and why.
  bool allow_float = false;
};

struct QuantizeResult {
  Model model;
  std::vector<Warning> warnings;  // of the ranges alone; what is lost on data, report/error/fidelity.h measures
};

// Error for an unknown scheme, a bad regular expression, a pattern that matches no node, a node without integer form,
// a calibration made for another model, or one without moments when rounding needs them.
QuantizeResult quantize(const Model& model, const Calibration& calibration, const QuantizeOptions& options = {});

}  // namespace quaver
