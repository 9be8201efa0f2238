// bind.h - from a validated model's nodes and tensors to the parameter structs of the cells.
//
// The structs view the model's memory: build the cell before the model goes away. Weights are read a byte a code, so a
// model that has i4 must be unpacked before.
#pragma once

#include <string>

#include "quaver/cells/feedforward/dense.h"
#include "quaver/cells/gru/params.h"
#include "quaver/cells/lstm/params.h"
#include "quaver/cells/rnn/rnn.h"
#include "quaver/model/model.h"

namespace quaver {

// The format a node computes its input in: its own "input" format, real numbers for a float node, else the edge's.
Format input_format(const Model& model, const Node& node);

bool has_i4(const Model& model);
Model unpacked(const Model& model);  // i4 tensors as i8; nodes keep their schemes

LstmShape lstm_shape(const LstmAttributes& attributes);
// suffix: "" or "_reverse" (direction_suffixes in model.h).
LstmFloatParams lstm_float_params(const Model& model, const Node& node, const std::string& suffix);
LstmIntParams lstm_int_params(const Model& model, const Node& node, const std::string& suffix);
GruFloatParams gru_float_params(const Model& model, const Node& node, const std::string& suffix);
GruIntParams gru_int_params(const Model& model, const Node& node, const std::string& suffix);
RnnFloatParams rnn_float_params(const Model& model, const Node& node, const std::string& suffix);
RnnIntParams rnn_int_params(const Model& model, const Node& node, const std::string& suffix);
DenseIntParams dense_int_params(const Model& model, const Node& node);

}  // namespace quaver
