// channels.h - a scale and an offset a channel of a value, on top of its format (A44):
//   real[c] = offset[c] + scale[c] * format.scale * (code[c] - format.zero_point)
// Features whose sizes differ share one int8 format so. They are the tensors "VALUE.scale" and "VALUE.offset" of a
// model; who multiplies the codes has them in its weights and biases, who shows them decodes with them.
#pragma once

#include <string_view>
#include <vector>

#include "quaver/model/model.h"

namespace quaver {

struct Channels {
  std::vector<float> scale;   // [features], > 0; empty: 1
  std::vector<float> offset;  // [features]; empty: 0
  bool operator==(const Channels&) const = default;

  bool empty() const { return scale.empty() && offset.empty(); }
  double scale_of(std::size_t c) const { return scale.empty() ? 1 : static_cast<double>(scale[c]); }
  double offset_of(std::size_t c) const { return offset.empty() ? 0 : static_cast<double>(offset[c]); }
  // Of channels [first, first + count): of one direction, say.
  Channels part(std::size_t first, std::size_t count) const;
};

// Of "input" or a node's value; empty where the model has none.
Channels channels_of(const Model& model, std::string_view value);

}  // namespace quaver
