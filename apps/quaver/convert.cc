// quaver convert IN -o OUT: another framework's weights, or a file of an older version, become a model file.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <variant>
#include <vector>

#include "checks.h"
#include "given_flags.h"
#include "quaver/core/error.h"
#include "quaver/core/printable.h"
#include "quaver/core/text.h"
#include "quaver/files/command_files.h"
#include "quaver/io/model_file/artifact_file.h"
#include "quaver/io/model_file/model_file.h"
#include "quaver/io/torch/torch_names.h"
#include "quaver/report/show/table.h"
#include "shared.h"
#include "verbs.h"

namespace quaver {
namespace {

struct ConvertFlags {
  SharedFlags shared;
  std::uint64_t max_memory = kDefaultMaxMemory;
  std::filesystem::path in, out;
  std::string prefix, head = "last", nonlinearity;
  std::vector<std::string> maps;
};

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

TorchOptions torch_options(const ConvertFlags& flags) {
  TorchOptions options;
  options.prefix = flags.prefix;
  options.name = as_utf8(flags.in.stem().string());
  options.max_memory = flags.max_memory;
  for (const std::string& map : flags.maps) {
    const std::size_t equals = map.rfind('=');  // a name may hold one, a role does not
    if (equals == std::string::npos || equals == 0)
      throw_usage(concat("--map '", map, "' is no NAME=ROLE, such as 'input_proj=ignore'"));
    if (!options.roles.emplace(map.substr(0, equals), torch_role_from_name(map.substr(equals + 1))).second)
      throw_usage(concat("--map says what '", map.substr(0, equals), "' is twice"));
  }
  if (!flags.nonlinearity.empty()) options.nonlinearity = nonlinearity_from_name(flags.nonlinearity);
  if (flags.head == "tags") {
    options.head = TorchHead::kTagger;
  } else if (flags.head == "h_n") {
    options.pooling = Pooling::kFinal;
  } else {
    options.pooling = pooling_from_name(flags.head);
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

// A file of an older version becomes one of the newest that holds the same network.
void rewrite(const ConvertFlags& flags, const GivenFlags& given) {
  given.refuse({"--prefix", "--map", "--head", "--nonlinearity", "--max-memory"}, "weights of PyTorch",
               concat("here ", flags.in.string(), " is a file of Quaver"));
  save(open(flags.in), flags.out);
  const auto before = std::filesystem::file_size(flags.in), bytes = std::filesystem::file_size(flags.out);
  print_result(flags.shared,
               {{"input", flags.in.string()}, {"model", flags.out.string()}, {"bytes", bytes}, {"input_bytes", before}},
               fmt::format("wrote {}, {}, in the newest version; {} before\n", flags.out.string(), bytes_text(bytes),
                           bytes_text(before)));
}

void run_convert(const ConvertFlags& flags, const GivenFlags& given) {
  require_known_kind(flags.out, ErrorKind::kUsage);
  require_known_kind(flags.in, ErrorKind::kBadInput);
  CommandFiles files;
  files.reads("IN", flags.in);
  files.writes("--output", flags.out);
  files.check();
  const SafetensorsFile file = SafetensorsFile::open(flags.in);
  if (is_ours(file)) {
    rewrite(flags, given);
    return;
  }
  TorchImport imported;
  try {
    imported = import_torch(file, torch_options(flags));
  } catch (const Error& error) {
    throw Error(error.kind(), concat(flags.in.string(), ": ", error.what()));
  }
  Model& model = imported.model;
  const auto chooses_nonlinearity = [](const Node& node) { return has_field(node.operation, "nonlinearity"); };
  if (std::ranges::none_of(model.nodes, chooses_nonlinearity))
    given.refuse({"--nonlinearity"}, "nn.RNN", "here there is none");
  // Without a Linear a model gives every step, so tags says what is so anyway.
  const auto gives_scores = [](const Node& node) { return row_of(node.operation).gives_scores(); };
  if (std::ranges::none_of(model.nodes, gives_scores) && flags.head != "tags")
    given.refuse({"--head"}, "a Linear after the recurrent layers", "here there is none");
  model.provenance["command"] = command_line();
  model.provenance["tool"] = "quaver " QUAVER_VERSION;
  save(model, flags.out);

  Table table({{"node", Align::kLeft}, {"kind", Align::kLeft}, {"features out"}});
  nlohmann::ordered_json nodes = nlohmann::ordered_json::array();
  for (const Node& node : model.nodes) {
    table.add_row({node.name, std::string(operation_name(node.operation)), std::to_string(node.outputs[0].size())});
    nodes.push_back(
        {{"name", node.name}, {"kind", operation_name(node.operation)}, {"features", node.outputs[0].size()}});
  }
  Table modules({{"module", Align::kLeft}, {"taken as", Align::kLeft}});
  nlohmann::ordered_json roles = nlohmann::ordered_json::array();
  for (const TorchPlacement& module : imported.modules) {
    const std::string name = module.name.empty() ? "(no prefix)" : module.name;
    modules.add_row({name, std::string(torch_role_name(module.role))});
    roles.push_back({{"name", module.name}, {"role", torch_role_name(module.role)}});
  }
  nlohmann::ordered_json warnings = nlohmann::ordered_json::array();
  if (pools_last_of_both_directions(model)) {
    warnings.push_back(
        "the head reads output[-1], in which the reverse direction has seen one step; --head h_n reads the last state "
        "of "
        "each direction");
    warn(warnings.back().get<std::string>());
  }
  const auto bytes = std::filesystem::file_size(flags.out);
  print_result(
      flags.shared,
      {{"input", flags.in.string()},
       {"model", flags.out.string()},
       {"bytes", bytes},
       {"nodes", nodes},
       {"modules", roles},
       {"warnings", warnings}},
      table.text() + "\n" + modules.text() + fmt::format("\nwrote {}, {}\n", flags.out.string(), bytes_text(bytes)));
}

}  // namespace

void add_convert(CLI::App& program) {
  auto flags = std::make_shared<ConvertFlags>();
  CLI::App* verb =
      program.add_subcommand("convert", "Make a model file from PyTorch's weights, or from one of an older version");
  verb->add_option(
          "in", flags->in,
          "File to convert: .safetensors with PyTorch's names (LSTM, GRU, RNN, Linear, Embedding), or of Quaver")
      ->required();
  verb->add_option("-o,--output", flags->out, "Model file to write, .safetensors")->required();
  verb->add_option("--prefix", flags->prefix, "Convert only the tensors below this name");
  verb->add_option(
          "--map", flags->maps,
          "NAME=ROLE: what a tensor, or all below a module, is: embedding, rnn, head, or ignore to leave it out; "
          "for what names and shapes do not say (may be repeated)")
      ->allow_extra_args(false);
  verb->add_option(
          "--head", flags->head,
          "What a Linear after the recurrent layers reads: last (output[-1]; of a bidirectional layer that is no "
          "h_n: its reverse direction has seen one step there), h_n (the last state of each direction), mean or "
          "max over time, or tags (every step; what a file without a Linear gives, too)")
      ->check(one_of({"last", "h_n", "mean", "max", "tags"}))
      ->capture_default_str();
  verb->add_option("--nonlinearity", flags->nonlinearity, "Of nn.RNN: tanh or relu")->check(one_of({"tanh", "relu"}));
  add_max_memory(*verb, flags->max_memory);
  flags->shared.add_to(*verb);
  verb->callback([flags, verb] { run_convert(*flags, GivenFlags(*verb)); });
}

}  // namespace quaver
