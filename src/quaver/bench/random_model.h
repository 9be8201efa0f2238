// random_model.h - a model of one recurrent layer with random weights, for timing: speed does not depend on the values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "quaver/model/model.h"

namespace quaver {

struct RandomModelOptions {
  std::string cell = "lstm";  // of recurrent_names(); what follows is left out of one that has no such attribute
  std::size_t input = 40;
  std::size_t hidden = 128;
  std::size_t projection = 0;
  bool cifg = false;
  bool peephole = false;
  bool layer_norm = false;
  bool linear_before_reset = true;
  std::string scheme{kDefaultScheme};  // a scheme of quantize.h; calibrated on random sequences
  std::uint64_t seed = 1;
};

// Error (usage) for an unknown cell or scheme, or sizes outside the model's limits.
Model random_model(const RandomModelOptions& options);

}  // namespace quaver
