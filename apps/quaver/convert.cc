// quaver convert IN -o OUT: another framework's weights, or a file of an older version, become a model file.
#include "quaver/workflow/convert.h"

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "checks.h"
#include "console_listener.h"
#include "shared.h"
#include "verbs.h"

namespace quaver {
namespace {

struct ConvertFlags {
  SharedFlags shared;
  ConvertRequest request;
};

void run_convert(ConvertFlags flags) {
  flags.request.command = command_line();
  ConsoleListener listener;
  print_report(flags.shared, convert(flags.request, listener));
}

}  // namespace

void add_convert(CLI::App& program) {
  auto flags = std::make_shared<ConvertFlags>();
  ConvertRequest& request = flags->request;
  CLI::App* verb =
      program.add_subcommand("convert", "Make a model file from PyTorch's weights, or from one of an older version");
  verb->add_option(
          "in", request.in,
          "File to convert: .safetensors with PyTorch's names (LSTM, GRU, RNN, Linear, Embedding), or of Quaver")
      ->required();
  verb->add_option("-o,--output", request.out, "Model file to write, .safetensors")->required();
  verb->add_option("--prefix", request.prefix, "Convert only the tensors below this name");
  verb->add_option(
          "--map", request.maps,
          "NAME=ROLE: what a tensor, or all below a module, is: embedding, rnn, head, or ignore to leave it out; "
          "for what names and shapes do not say (may be repeated)")
      ->allow_extra_args(false);
  verb->add_option(
          "--head", request.head,
          "What a Linear after the recurrent layers reads: last (output[-1]; of a bidirectional layer that is no "
          "h_n: its reverse direction has seen one step there), h_n (the last state of each direction), mean or "
          "max over time, or tags (every step; what a file without a Linear gives, too)")
      ->check(one_of({"last", "h_n", "mean", "max", "tags"}))
      ->default_str("last");
  verb->add_option("--nonlinearity", request.nonlinearity, "Of nn.RNN: tanh or relu")->check(one_of({"tanh", "relu"}));
  add_max_memory(*verb, request.max_memory);
  flags->shared.add_to(*verb);
  verb->callback([flags] { run_convert(*flags); });
}

}  // namespace quaver
