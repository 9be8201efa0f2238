#include "quaver/workflow/convert.h"

#include <algorithm>
#include <utility>

#include "quaver/core/error.h"
#include "quaver/core/printable.h"
#include "quaver/core/text.h"
#include "quaver/core/version.h"
#include "quaver/files/command_files.h"
#include "quaver/io/model_file/artifact_file.h"
#include "quaver/io/model_file/model_file.h"
#include "quaver/workflow/fields.h"

namespace quaver {
namespace {

// A file that is there and of another kind is bad input; a name to write is a wrong command line.
void require_known_kind(const std::filesystem::path& path, ErrorKind kind) {
  const std::string extension = path.extension().string();
  if (extension == ".safetensors") return;
  if (extension == ".onnx" || extension == ".tflite")
    throw Error(kind, concat(path.string(), ": ", extension, " files are not supported yet in this version; ",
                             "convert takes a .safetensors file of a PyTorch state_dict"));
  throw Error(kind, concat(path.string(), ": unknown kind of file '", printable(extension),
                           "', expected .safetensors (a PyTorch state_dict)"));
}

void check(const ConvertRequest& request) {
  require_known_kind(request.out, ErrorKind::kUsage);
  require_known_kind(request.in, ErrorKind::kBadInput);
  CommandFiles files;
  files.reads("IN", request.in);
  files.writes_file("--output", request.out);
  files.check();
}

TorchOptions torch_options(const ConvertRequest& request) {
  TorchOptions options;
  options.prefix = request.prefix;
  options.name = as_utf8(request.in.stem().string());
  options.max_memory = request.max_memory;
  for (const std::string& map : request.maps) {
    const std::size_t equals = map.rfind('=');  // a name may hold one, a role does not
    if (equals == std::string::npos || equals == 0)
      throw_usage(concat("--map '", map, "' is no NAME=ROLE, such as 'input_proj=ignore'"));
    if (!options.roles.emplace(map.substr(0, equals), torch_role_from_name(map.substr(equals + 1))).second)
      throw_usage(concat("--map says what '", map.substr(0, equals), "' is twice"));
  }
  if (request.nonlinearity) options.nonlinearity = nonlinearity_from_name(*request.nonlinearity);
  if (request.head == "tags") {
    options.head = TorchHead::kTagger;
  } else if (request.head == "h_n") {
    options.pooling = Pooling::kFinal;
  } else if (request.head) {
    options.pooling = pooling_from_name(*request.head);
  }
  return options;
}

bool pools_last_of_both_directions(const Model& model) {
  for (const Node& node : model.nodes) {
    const Node* before = model.maker(node.inputs[0]);
    if (row_of(node.operation).pooling(node.operation) == Pooling::kLast && before != nullptr &&
        direction_of(before->operation) == Direction::kBidirectional)
      return true;
  }
  return false;
}

void refuse_useless(const ConvertRequest& request, const Model& model) {
  const auto chooses_nonlinearity = [](const Node& node) { return has_field(node.operation, "nonlinearity"); };
  if (std::ranges::none_of(model.nodes, chooses_nonlinearity))
    refuse({{"--nonlinearity", request.nonlinearity.has_value()}}, "nn.RNN", "here there is none");
  // Without a Linear a model gives every step, so tags says what is so anyway.
  const auto gives_scores = [](const Node& node) { return row_of(node.operation).gives_scores(); };
  if (std::ranges::none_of(model.nodes, gives_scores) && request.head != "tags")
    refuse({{"--head", request.head.has_value()}}, "a Linear after the recurrent layers", "here there is none");
}

ImportReport import_weights(const SafetensorsFile& file, const ConvertRequest& request, Listener& listener) {
  TorchImport imported;
  try {
    imported = import_torch(file, torch_options(request));
  } catch (const Error& error) {
    throw Error(error.kind(), concat(request.in.string(), ": ", error.what()));
  }
  Model& model = imported.model;
  refuse_useless(request, model);
  if (!request.command.empty()) model.provenance["command"] = request.command;
  model.provenance["tool"] = concat("quaver ", version());
  save(model, request.out);

  ImportReport report;
  for (const Node& node : model.nodes)
    report.nodes.push_back({node.name, std::string(operation_name(node.operation)), node.outputs[0].size()});
  report.modules = std::move(imported.modules);
  if (pools_last_of_both_directions(model)) {
    report.warnings.push_back(
        "the head reads output[-1], in which the reverse direction has seen one step; --head h_n reads the last state "
        "of each direction");
    listener.warn(report.warnings.back());
  }
  return report;
}

// A file of an older version becomes one of the newest that holds the same network.
void rewrite(const ConvertRequest& request) {
  refuse({{"--prefix", !request.prefix.empty()},
          {"--map", !request.maps.empty()},
          {"--head", request.head.has_value()},
          {"--nonlinearity", request.nonlinearity.has_value()},
          {"--max-memory", request.max_memory != kDefaultMaxMemory}},
         "weights of PyTorch", concat("here ", request.in.string(), " is a file of Quaver"));
  save(open(request.in), request.out);
}

}  // namespace

ConvertReport convert(const ConvertRequest& request, Listener& listener) {
  check(request);
  ConvertReport report{.input = request.in.string(), .model = request.out.string()};
  const SafetensorsFile file = SafetensorsFile::open(request.in);
  if (is_ours(file)) {
    rewrite(request);
  } else {
    report.imported = import_weights(file, request, listener);
  }
  report.bytes = std::filesystem::file_size(request.out);
  report.input_bytes = std::filesystem::file_size(request.in);
  return report;
}

}  // namespace quaver
