// torch_names.h - from PyTorch's weights (a safetensors file of a state_dict) to a float Model.
//
// Recognised by name and shape, below any prefix ("lstm.", "encoder.rnn."):
//   weight_ih_l0 weight_hh_l0 bias_ih_l0 bias_hh_l0 weight_hr_l0, each also _reverse, layers l0, l1, ...
//     LSTM when weight_hh has 4 rows a hidden unit, GRU when 3, RNN when 1; hr: LSTM with projection
//   weight [units, in] and bias [units]         Linear: the head, behind the recurrent layers
//   weight [vocabulary, in], no bias            Embedding, when the recurrent layers read `in` and it is called
//                                               "emb..."; else a Linear without bias when they give `in`
// At the border: LSTM gates i,f,g,o become i,o,f,c, and its two biases are added; GRU gates r,z,n become z,r,h, its
// biases stay apart and its reset comes after the product; missing biases are zeros; F16, BF16 and F64 become F32.
#pragma once

#include <optional>
#include <string>

#include "quaver/io/safetensors.h"
#include "quaver/model/model.h"

namespace quaver {

enum class TorchHead {
  kClassifier,  // pooled over time, then Linear: one set of scores a sequence
  kTagger,      // Linear on every step
};

struct TorchOptions {
  std::string prefix = {};  // of the part of the file to convert; "" when the file has one network
  std::optional<Nonlinearity> nonlinearity =
      {};                                   // of nn.RNN, which its file does not tell: tanh (torch's default) or relu
  TorchHead head = TorchHead::kClassifier;  // only with a Linear; without one every step of the last layer is output
  Pooling pooling = Pooling::kLast;         // of a classifier: last is torch's output[-1]
  std::string name = "torch";               // of the model
};

// Error for tensors that are no part of such a network (listing the groups found and how to choose one), shapes that do
// not fit together, values that are not finite.
Model model_from_torch(const SafetensorsFile& file, const TorchOptions& options = {});

}  // namespace quaver
