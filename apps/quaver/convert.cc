// quaver convert IN -o OUT: another framework's weights become a model file.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "quaver/core/error.h"
#include "quaver/core/text.h"
#include "quaver/io/memory_file.h"
#include "quaver/io/model_file.h"
#include "quaver/io/torch_names.h"
#include "quaver/report/table.h"
#include "shared.h"
#include "verbs.h"

namespace quaver {
namespace {

struct ConvertFlags {
  SharedFlags shared;
  std::filesystem::path in, out;
  std::string prefix, head = "last", nonlinearity;
};

void require_known_kind(const std::filesystem::path& path) {
  const std::string extension = path.extension().string();
  if (extension == ".safetensors") return;
  if (extension == ".onnx" || extension == ".tflite")
    throw_usage(concat(path.string(), ": ", extension, " files are not supported yet in this version; ",
                       "convert takes a .safetensors file of a PyTorch state_dict"));
  throw_usage(
      concat(path.string(), ": unknown kind of file '", extension, "', expected .safetensors (a PyTorch state_dict)"));
}

TorchOptions torch_options(const ConvertFlags& flags) {
  TorchOptions options;
  options.prefix = flags.prefix;
  options.name = flags.in.stem().string();
  if (!flags.nonlinearity.empty()) options.nonlinearity = nonlinearity_from_name(flags.nonlinearity);
  if (flags.head == "tags") {
    options.head = TorchHead::kTagger;
  } else {
    options.pooling = pooling_from_name(flags.head);
  }
  return options;
}

void run_convert(const ConvertFlags& flags) {
  require_known_kind(flags.in);
  require_known_kind(flags.out);
  const SafetensorsFile file = SafetensorsFile::open(flags.in);
  const auto format = file.metadata().find("format");
  if (format != file.metadata().end() && format->second == "quaver")
    throw_usage(
        concat(flags.in.string(), " is a Quaver model already: run, eval, quantize and inspect take it as it is"));
  if (is_memory_network_file(flags.in))
    throw_usage(concat(flags.in.string(),
                       " is a memory network of Quaver already: run, eval, quantize and inspect take it as it is"));
  Model model;
  try {
    model = model_from_torch(file, torch_options(flags));
  } catch (const Error& error) {
    throw Error(error.kind(), concat(flags.in.string(), ": ", error.what()));
  }
  model.provenance["command"] = command_line();
  model.provenance["tool"] = "quaver " QUAVER_VERSION;
  save(model, flags.out);

  Table table({{"node", Align::kLeft}, {"kind", Align::kLeft}, {"features out"}});
  nlohmann::ordered_json nodes = nlohmann::ordered_json::array();
  for (const Node& node : model.nodes) {
    table.add_row({node.name, std::string(operation_name(node.operation)), std::to_string(node.output.features)});
    nodes.push_back(
        {{"name", node.name}, {"kind", operation_name(node.operation)}, {"features", node.output.features}});
  }
  const auto bytes = std::filesystem::file_size(flags.out);
  print_result(flags.shared,
               {{"input", flags.in.string()}, {"model", flags.out.string()}, {"bytes", bytes}, {"nodes", nodes}},
               table.text() + fmt::format("\nwrote {}, {}\n", flags.out.string(), bytes_text(bytes)));
}

}  // namespace

void add_convert(CLI::App& program) {
  auto flags = std::make_shared<ConvertFlags>();
  CLI::App* verb = program.add_subcommand("convert", "Make a model file from PyTorch's weights");
  verb->add_option("in", flags->in,
                   "File to convert: .safetensors with PyTorch's names (LSTM, GRU, RNN, Linear, Embedding)")
      ->required();
  verb->add_option("-o,--output", flags->out, "Model file to write, .safetensors")->required();
  verb->add_option("--prefix", flags->prefix, "Convert only the tensors below this name");
  verb->add_option("--head", flags->head,
                   "What a Linear after the recurrent layers reads: last, mean or max over time, or tags (every step)")
      ->check(CLI::IsMember({"last", "mean", "max", "tags"}))
      ->capture_default_str();
  verb->add_option("--nonlinearity", flags->nonlinearity, "Of nn.RNN: tanh or relu")
      ->check(CLI::IsMember({"tanh", "relu"}));
  flags->shared.add_to(*verb);
  verb->callback([flags] { run_convert(*flags); });
}

}  // namespace quaver
