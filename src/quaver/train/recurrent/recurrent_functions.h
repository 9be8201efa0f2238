// recurrent_functions.h - the sequences of lstm_sequence.h and its kind as functions that autograd can go through.
// Internal to this floor; includes libtorch.
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <vector>

#include "quaver/train/recurrent/gru_sequence.h"
#include "quaver/train/recurrent/lstm_sequence.h"
#include "quaver/train/recurrent/rnn_sequence.h"

namespace quaver {

using SharedPacking = std::shared_ptr<const Packing>;

// x [rows, n_in], packed, contiguous, float or double -> h [rows, n_out]. Parameters of one direction in the order of
// the model's tensor slots: W R b [P] [L] [W_projection b_projection]; W R b b_recurrent; W R b. backward() runs once.
at::Tensor lstm_function(const LstmSequenceOptions& options, const SharedPacking& packing, const at::Tensor& x,
                         const std::vector<at::Tensor>& parameters);
at::Tensor gru_function(const GruSequenceOptions& options, const SharedPacking& packing, const at::Tensor& x,
                        const std::vector<at::Tensor>& parameters);
at::Tensor rnn_function(const RnnSequenceOptions& options, const SharedPacking& packing, const at::Tensor& x,
                        const std::vector<at::Tensor>& parameters);

}  // namespace quaver
