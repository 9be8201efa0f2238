// convert.h - another framework's weights, or a file of an older version, become a file of the newest.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "quaver/core/memory_limit.h"
#include "quaver/report/show/convert_report.h"
#include "quaver/workflow/listener.h"

namespace quaver {

struct ConvertRequest {
  std::filesystem::path in{}, out{};  // .safetensors: of a PyTorch state_dict, or of ours

  // Of weights of PyTorch (io/torch/torch_names.h).
  std::string prefix{};                          // only the tensors below this name
  std::vector<std::string> maps{};               // "NAME=ROLE": embedding, rnn, head or ignore
  std::optional<std::string> head{};             // last, h_n, mean, max or tags; else last
  std::optional<std::string> nonlinearity{};     // of nn.RNN: tanh or relu
  std::uint64_t max_memory = kDefaultMaxMemory;  // bytes of the weights as floats
  std::string command{};                         // for the provenance of the model
};

// Error (usage) for fields that do not suit the file, (bad input) for a file that cannot be read or placed.
ConvertReport convert(const ConvertRequest& request, Listener& listener);

}  // namespace quaver
