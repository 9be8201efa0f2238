// torch_names.h - from PyTorch's weights (a safetensors file of a state_dict) to a float Model.
//
// Recognised by name and shape, below any prefix ("lstm.", "encoder.rnn."):
//   weight_ih_l0 weight_hh_l0 bias_ih_l0 bias_hh_l0 weight_hr_l0, each also _reverse, layers l0, l1, ...
//     LSTM when weight_hh has 4 rows a hidden unit, GRU when 3, RNN when 1; hr: LSTM with projection
//   weight [vocabulary, in], no bias            Embedding, when the recurrent layers read `in` and its name says so
//                                               (embed_tokens, wte, ...; "encoder" where no Linear would fit)
//   weight [units, in], with or without bias    Linear: the head, when the recurrent layers give `in` and its name says
//                                               so (head, output, decoder, ...). Names of any Linear (fc, proj, the
//                                               next place in a Sequential) will do where it would not fit before the
//                                               layers
// Everything else, and what fits two places, is refused by its own name until TorchOptions::roles says what it is.
// At the border: LSTM gates i,f,g,o become i,o,f,c, and its two biases are added; GRU gates r,z,n become z,r,h, its
// biases stay apart and its reset comes after the product; missing biases are zeros; F16, BF16 and F64 become F32.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "quaver/core/memory_limit.h"
#include "quaver/io/container/safetensors.h"
#include "quaver/model/model.h"

namespace quaver {

enum class TorchHead {
  kClassifier,  // pooled over time, then Linear: one set of scores a sequence
  kTagger,      // Linear on every step
};

enum class TorchRole { kEmbedding, kRecurrent, kHead, kIgnored };  // "embedding", "rnn", "head", "ignore"
TorchRole torch_role_from_name(std::string_view name);             // Error (usage) that lists the names
std::string_view torch_role_name(TorchRole role);

struct TorchOptions {
  std::string prefix = {};  // of the part of the file to convert; "" when the file has one network
  std::optional<Nonlinearity> nonlinearity =
      {};  // of nn.RNN, which its file does not tell: tanh (torch's default) or relu
  // What the user says of a tensor, or of all tensors below a module; the longest name that fits decides. An
  // nn.LSTMCell, GRUCell or RNNCell is one layer once it is said to be recurrent.
  std::map<std::string, TorchRole> roles = {};
  TorchHead head = TorchHead::kClassifier;  // only with a Linear; without one every step of the last layer is output
  // Of a classifier: last is torch's output[-1], in which a reverse direction has seen one step; final is h_n[-1], or
  // h_n[-2] beside h_n[-1] of a bidirectional layer.
  Pooling pooling = Pooling::kLast;
  std::string name = "torch";                    // of the model
  std::uint64_t max_memory = kDefaultMaxMemory;  // bytes of the weights as floats
};

// A module of the file and what became of it.
struct TorchPlacement {
  std::string name;  // its path, or a tensor's when a role was said of that tensor alone
  TorchRole role = TorchRole::kIgnored;
  bool operator==(const TorchPlacement&) const = default;
};

struct TorchImport {
  Model model;
  std::vector<TorchPlacement> modules;  // by name
};

// Error (bad input) for a tensor that cannot be placed: its name, shape, what it looks like, what else there is and how
// to say what it is; for shapes that do not fit together, values that are not finite, and weights that take more than
// max_memory as floats. Error (usage) for a role said of nothing in the file.
TorchImport import_torch(const SafetensorsFile& file, const TorchOptions& options = {});
Model model_from_torch(const SafetensorsFile& file, const TorchOptions& options = {});

}  // namespace quaver
