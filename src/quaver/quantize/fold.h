// fold.h - a scale and an offset a channel of a value, moved into the weights around it (A44). Internal.
//
// With v = o + s .* v', a reader's W v + b is (W diag(s)) v' + (b + W o), and a producer's y = P u + q becomes
// y' = (diag(1/s) P) u + (q - o) / s. Weights have a scale a row anyway and biases 32 bits, so a network that is folded
// before it is coded costs nothing inside; the border and whoever shows a value know s and o (channels.h).
//
// Which s? All features at their own whole range share the int8 steps best, but W diag(s) shares its steps over a row
// too, and there the feature of the widest column rules. So between "every feature its own range" and "the format
// alone" that s is taken whose error in the readers' sums is least, as far as the calibration's moments tell.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "quaver/model/formats/channels.h"
#include "quaver/model/model.h"
#include "quaver/quantize/calibrate.h"

namespace quaver {

// Values whose every reader multiplies them by a matrix, and that come from the border or from a matrix with a row a
// channel. An offset too where every reader adds a bias before anything nonlinear and nothing needs an exact 0: a
// projected LSTM starts from one.
std::map<std::string, Folding> foldable_values(const Model& model);

// Channels for `value` of a float model whose nodes have their schemes already; empty where the format alone does as
// well. Error when the calibration is another model's.
// steps: of the value's codes over their range.
Channels choose_channels(const Model& model, const std::string& value, Folding folding, const Calibration& calibration,
                         double steps);

// What the codes of a value with channels span, in units of the widest channel's scale: -1..1, or less where the
// calibration's method cuts, or where all channels lie on one side of 0.
Interval channel_interval(const Calibration& calibration, const std::string& value);

// Rewrites the float tensors around `value` and adds "VALUE.scale" and "VALUE.offset". A layer-norm LSTM, whose b comes
// after the norm, gets "b_input" for an offset.
void fold(Model& model, const std::string& value, const Channels& channels);

}  // namespace quaver
