// composed_cells.h - the recurrent cells as autograd composes them from single operations, in double: slow, plainly the
// equations of cells/*/ref.h, and what the fast ones are tested against. Only for tests; includes libtorch.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "quaver/model/model.h"
#include "quaver/train/recurrent/gru_sequence.h"
#include "quaver/train/recurrent/lstm_sequence.h"
#include "quaver/train/recurrent/rnn_sequence.h"

namespace quaver::composed {

// A bound of what rounding to float can do to the results, to first order.
//
// Where a float implementation rounds, the double one adds a tensor of zeros ("noise") and notes how large the rounding
// error there can be ("bound"). Then |float result - exact result| <= sum |d(result)/d(noise)| . bound: autograd gives
// the derivatives, so nothing has to be guessed about how errors grow over the steps.
struct Rounding {
  at::Tensor noise;
  at::Tensor bound;
};
using Ledger = std::vector<Rounding>;

inline constexpr double kUnit = 0x1p-24;  // relative error of one rounding to float

// One sequence x [steps, n_in] -> h [steps, n_out]. Parameters as recurrent_functions.h orders them. ledger: may be
// null.
at::Tensor lstm(const LstmSequenceOptions& options, const at::Tensor& x, const std::vector<at::Tensor>& parameters,
                Ledger* ledger = nullptr);
at::Tensor gru(const GruSequenceOptions& options, const at::Tensor& x, const std::vector<at::Tensor>& parameters,
               Ledger* ledger = nullptr);
at::Tensor rnn(const RnnSequenceOptions& options, const at::Tensor& x, const std::vector<at::Tensor>& parameters,
               Ledger* ledger = nullptr);

// A whole float model on one sequence: normalised values [steps, features], or ids [steps] -> its scores, [classes] or
// [steps, classes].
at::Tensor scores(const Model& model, const at::Tensor& input, Ledger* ledger = nullptr);

// The bound of each element of `result`, as above, for one float implementation.
at::Tensor rounding_bound(const at::Tensor& result, const Ledger& ledger);

}  // namespace quaver::composed
