// quaver quantize IN --scheme S --calib DATA -o OUT: from a float model to integers, after training.
#include "quaver/workflow/quantize.h"

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "checks.h"
#include "console_listener.h"
#include "quaver/core/error.h"
#include "quaver/core/text.h"
#include "scheme_flags.h"
#include "shared.h"
#include "verbs.h"

namespace quaver {
namespace {

struct QuantizeFlags {
  SharedFlags shared;
  QuantizeRequest request;
  std::vector<std::string> overrides;
};

// "REGEX=S" at the last '=', since expressions may hold one and schemes do not.
std::pair<std::string, std::string> parse_override(const std::string& text) {
  const std::size_t equals = text.rfind('=');
  if (equals == std::string::npos || equals == 0)
    throw_usage(concat("--override '", text, "' is no REGEX=SCHEME, such as 'scores=", scheme_names().back(), "'"));
  return {text.substr(0, equals), text.substr(equals + 1)};
}

void run_quantize(QuantizeFlags flags) {
  for (const std::string& text : flags.overrides) flags.request.overrides.push_back(parse_override(text));
  flags.request.command = command_line();
  ConsoleListener listener;
  const QuantizeReport report = quantize(flags.request, listener);
  print_report(flags.shared, report);
  if (!report.refusal.empty()) throw_failed(report.refusal);
}

}  // namespace

void add_quantize(CLI::App& program) {
  auto flags = std::make_shared<QuantizeFlags>();
  QuantizeRequest& request = flags->request;
  CLI::App* verb = program.add_subcommand("quantize", "Turn a float model into integers, after training");
  verb->add_option("in", request.in, "Float model file")->required();
  verb->add_option("--scheme", request.scheme,
                   concat(join(scheme_names(), ", "), "; memory networks: ", kDefaultScheme, " or another of 'train'"))
      ->capture_default_str();
  verb->add_option("--calib", request.calib,
                   "Calibration sequences: X.npz, TASK[:split] or KIND:PATH (default split: train)")
      ->required();
  verb->add_option("--calib-split", request.calib_split, "Of KIND:PATH: train, validation or test")
      ->default_str("train");
  verb->add_option_function<std::string>(
          "--calib-method", [&request](const std::string& name) { request.method = method_from_name(name); },
          "minmax, percentile, entropy or mse")
      ->check(one_of({"minmax", "percentile", "entropy", "mse"}))
      ->default_str("minmax");
  verb->add_option("--percentile", request.percentile, "Share of values inside, in percent, of method percentile")
      ->check(real_number_above(50, 100))
      ->default_str("99.99");
  verb->add_option_function<std::string>(
          "--rounding", [&request](const std::string& name) { request.rounding = rounding_from_name(name); },
          "Of weight matrices: nearest, or compensated (errors of a row cancel on the calibration data)")
      ->check(one_of({"nearest", "compensated"}))
      ->default_str("compensated");
  verb->add_option("--calib-limit", request.limit, "Sequences at most; 0: all")
      ->check(whole_number(0, kMostSequences))
      ->default_str(std::to_string(kCalibrationLimit));
  verb->add_option("--calib-report", request.report, "JSON file for what calibration saw at every point and step");
  verb->add_option(
          "--override", flags->overrides,
          "REGEX=SCHEME: another scheme for the nodes whose names hold a match (characters, . [a-z] (a|b) * + ? "
          "^ $, \\d \\w \\s)")
      ->allow_extra_args(false);
  verb->add_option("--ignore", request.ignore, "REGEX: these nodes stay float (needs --allow-float)")
      ->allow_extra_args(false);
  verb->add_flag("--allow-float", request.allow_float, "Let nodes without integer form stay float, and list them");
  verb->add_flag("--strict", request.strict, "Any warning is a failure: all is printed, nothing is written to -o");
  verb->add_option("-o,--output", request.out, "Model file to write, .safetensors")->required();
  add_story_flags(*verb, request.data);
  add_skip_broken(*verb, request.data);
  add_scheme_flags(*verb, request.switches, "Memory networks");
  add_data_flags(*verb, request.data);
  flags->shared.add_to(*verb);
  verb->callback([flags] { run_quantize(*flags); });
}

}  // namespace quaver
