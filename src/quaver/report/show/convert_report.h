// convert_report.h - what 'convert' made of a file.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "quaver/io/torch/torch_names.h"

namespace quaver {

struct ConvertedNode {
  std::string name, kind;
  std::int64_t features = 0;  // of its output
};

// What weights of another program became.
struct ImportReport {
  std::vector<ConvertedNode> nodes{};
  std::vector<TorchPlacement> modules{};
  std::vector<std::string> warnings{};
};

struct ConvertReport {
  std::string input{}, model{};
  std::uint64_t bytes = 0, input_bytes = 0;  // of the files
  std::optional<ImportReport> imported{};    // nothing where the input was a file of ours
};

nlohmann::ordered_json to_json(const ConvertReport& report);
std::string to_text(const ConvertReport& report);

}  // namespace quaver
