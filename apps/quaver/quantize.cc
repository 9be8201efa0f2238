// quaver quantize IN --scheme S --calib DATA -o OUT: from a float model to integers, after training.
#include "quaver/quantize/quantize.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "checks.h"
#include "given_flags.h"
#include "quantize_memory.h"
#include "quaver/core/error.h"
#include "quaver/core/text.h"
#include "quaver/files/atomic_file.h"
#include "quaver/files/command_files.h"
#include "quaver/io/model_file/artifact_file.h"
#include "quaver/io/model_file/model_file.h"
#include "quaver/model/formats/scheme.h"
#include "quaver/quantize/name_pattern.h"
#include "quaver/report/cost/inspect.h"
#include "quaver/report/error/fidelity.h"
#include "quaver/report/show/progress.h"
#include "quaver/report/show/table.h"
#include "quaver/report/show/warning_lines.h"
#include "scheme_flags.h"
#include "shared.h"
#include "stories.h"
#include "verbs.h"

namespace quaver {
namespace {

struct QuantizeFlags {
  SharedFlags shared;
  DataFlags data;
  StoryFlags stories;
  MemorySchemeFlags scheme_flags;
  std::filesystem::path in, out, report;
  std::string scheme{kDefaultScheme}, calib, method = "minmax", rounding = "compensated";
  double percentile = 99.99;
  std::size_t limit = 256;
  std::vector<std::string> overrides, ignore;
  bool allow_float = false, strict = false;
};

constexpr const char* kMemoryGroup = "Memory networks";

// "REGEX=S" at the last '=', since expressions may hold one and schemes do not.
std::pair<std::string, std::string> parse_override(const std::string& text) {
  const std::size_t equals = text.rfind('=');
  if (equals == std::string::npos || equals == 0)
    throw_usage(concat("--override '", text, "' is no REGEX=SCHEME, such as 'scores=", scheme_names().back(), "'"));
  return {text.substr(0, equals), text.substr(equals + 1)};
}

// What calibration saw at every point, growth over the steps included.
nlohmann::ordered_json calibration_json(const Calibration& calibration, const std::string& source) {
  nlohmann::ordered_json points = nlohmann::ordered_json::array();
  for (const auto& [name, statistics] : calibration.points) {
    points.push_back({{"name", name},
                      {"min", statistics.min},
                      {"max", statistics.max},
                      {"threshold", choose_max_abs(statistics, calibration.method, calibration.percentile)},
                      {"count", statistics.count},
                      {"step_max_abs", statistics.step_max_abs}});
  }
  return {{"input", source},
          {"sequences", calibration.sequences},
          {"steps", calibration.steps},
          {"method", method_name(calibration.method)},
          {"percentile", calibration.percentile},
          {"points", std::move(points)}};
}

void run_quantize(const QuantizeFlags& flags, const GivenFlags& given) {
  const auto start = std::chrono::steady_clock::now();
  require_model_name(flags.out);
  require_useful_data_flags(given, flags.calib);
  if (flags.method != "percentile")
    given.refuse({"--percentile"}, "--calib-method percentile", concat("here it is ", flags.method));
  const bool several = names_several(flags.stories);  // networks of several tasks, which lie beside IN
  // Where nothing is there it is said by who reads it.
  std::optional<Artifact> in;
  if (!several && std::filesystem::exists(flags.in)) in = open(flags.in);
  if (several || (in && std::holds_alternative<MemoryNetwork>(*in))) {
    given.refuse({"--override", "--ignore", "--allow-float", "--calib-report", "--rounding"}, "models of sequences",
                 "here IN is a memory network");
    const MemoryScheme scheme = flags.scheme_flags.scheme(flags.scheme);
    if (!scheme.is_scaled() || scheme.shared_point)
      given.refuse({"--calib-method", "--percentile", "--calib-limit"}, "schemes whose scales are calibrated",
                   concat("here the scheme is ", flags.scheme));
    run_memory_quantization({.shared = flags.shared,
                             .data = flags.data,
                             .stories = flags.stories,
                             .in = flags.in,
                             .out = flags.out,
                             .network = several ? std::nullopt : std::optional(std::get<MemoryNetwork>(*in)),
                             .scheme = scheme,
                             .calib = flags.calib,
                             .limit = flags.limit,
                             .calibration = {method_from_name(flags.method), flags.percentile},
                             .strict = flags.strict});
    return;
  }
  const std::string here = "here IN is a model of sequences";
  given.refuse({"--tasks", "--set", "--questions"}, "memory networks", here);
  given.refuse_group(kMemoryGroup, "memory networks", here);
  require_known("scheme", flags.scheme, scheme_names());
  QuantizeOptions options;
  options.scheme = flags.scheme;
  options.rounding = rounding_from_name(flags.rounding);
  options.ignore = flags.ignore;
  options.allow_float = flags.allow_float;
  for (const std::string& text : flags.overrides) {
    options.overrides.push_back(parse_override(text));
    require_known("scheme", options.overrides.back().second, scheme_names());
    NamePattern{options.overrides.back().first};  // no pattern: said before calibration
  }
  for (const std::string& pattern : options.ignore) NamePattern{pattern};
  CalibrateOptions calibrate_options;
  calibrate_options.method = method_from_name(flags.method);
  calibrate_options.percentile = flags.percentile;
  calibrate_options.moments = options.rounding == Rounding::kCompensated;

  CommandFiles files;
  files.reads("IN", flags.in);
  if (names_a_file(flags.calib)) files.reads("--calib", flags.calib);
  files.writes("--output", flags.out);
  files.writes("--calib-report", flags.report);
  files.check();
  const Model model = in ? std::get<Model>(std::move(*in)) : load(flags.in);
  const Sequences sequences = read_sequences(flags.calib, "train", model, flags.data, flags.limit);
  Progress progress("calibrating", "sequences", sequences.views.size());
  calibrate_options.progress = [&](std::size_t done, std::size_t) { progress.update(done); };
  const Calibration calibration = calibrate(model, sequences.views, calibrate_options);
  QuantizeResult result = quantize(model, calibration, options);
  const Fidelity fidelity = measure_fidelity(model, result.model, sequences.views);
  std::vector<Warning> warnings = std::move(result.warnings);
  warnings.insert(warnings.end(), fidelity.warnings.begin(), fidelity.warnings.end());
  result.model.provenance["quantize_command"] = command_line();
  result.model.provenance["calibration_sqnr"] = to_text(fidelity);
  const bool refused = flags.strict && !warnings.empty();
  // The model last: where it is, all that was asked for is.
  if (!flags.report.empty())
    write_file_atomically(flags.report, json_text(calibration_json(calibration, sequences.source), 1) + "\n");
  if (!refused) save(result.model, flags.out);
  for (const std::string& line : warning_lines(warnings)) progress.say("quaver: warning: " + line);

  const Inspection before = inspect(model, std::filesystem::file_size(flags.in));
  const Inspection after =
      inspect(result.model, refused ? save_bytes(result.model).size() : std::filesystem::file_size(flags.out));
  const double ratio = static_cast<double>(after.bytes) / static_cast<double>(before.bytes);
  Table table({{"model", Align::kLeft},
               {"scheme", Align::kLeft},
               {"file bytes"},
               {"weights bytes"},
               {"state bytes"},
               {"float ops/step"},
               {"nJ/step"}});
  for (const auto& [path, inspection] : {std::pair{flags.in, &before}, std::pair{flags.out, &after}}) {
    table.add_row({path.string(), inspection->scheme, count_text(inspection->bytes),
                   count_text(inspection->weights_bytes), count_text(inspection->state_bytes),
                   count_text(inspection->float_ops), fixed_text(inspection->energy_pj / 1000, 1)});
  }
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  print_result(
      flags.shared,
      {{"model", flags.out.string()},
       {"scheme", result.model.scheme},
       {"scheme_text", scheme_text(*find_scheme(result.model.scheme))},
       {"bytes", after.bytes},
       {"float_bytes", before.bytes},
       {"ratio", ratio},
       {"float_ops", after.float_ops},
       {"float_nodes", after.float_nodes},
       {"method", method_name(calibration.method)},
       {"rounding", rounding_name(options.rounding)},
       {"input", sequences.source},
       {"sequences", calibration.sequences},
       {"steps", calibration.steps},
       {"seconds", seconds},
       {"outputs", to_json(fidelity.outputs)},
       {"measured_sequences", fidelity.sequences},
       {"measured_steps", fidelity.steps},
       {"warnings", to_json(warnings)}},
      table.text() +
          fmt::format("\ncalibrated on {} sequences, {} steps of {} ({}, {} rounding); file {:.3f}x in {:.1f} s\n"
                      "{}: {}\n"
                      "outputs     {}\n",
                      calibration.sequences, calibration.steps, sequences.source, method_name(calibration.method),
                      flags.rounding, ratio, seconds, result.model.scheme,
                      scheme_text(*find_scheme(result.model.scheme)), to_text(fidelity)));
  if (refused) throw_failed(strict_failure(warnings.size(), flags.out));
}

}  // namespace

void add_quantize(CLI::App& program) {
  auto flags = std::make_shared<QuantizeFlags>();
  CLI::App* verb = program.add_subcommand("quantize", "Turn a float model into integers, after training");
  verb->add_option("in", flags->in, "Float model file")->required();
  verb->add_option("--scheme", flags->scheme,
                   concat(join(scheme_names(), ", "), "; memory networks: ", kDefaultScheme, " or another of 'train'"))
      ->capture_default_str();
  verb->add_option("--calib", flags->calib, "Calibration sequences: X.npz or TASK[:split] (default split: train)")
      ->required();
  verb->add_option("--calib-method", flags->method, "minmax, percentile, entropy or mse")
      ->check(one_of({"minmax", "percentile", "entropy", "mse"}))
      ->capture_default_str();
  verb->add_option("--percentile", flags->percentile, "Share of values inside, in percent, of method percentile")
      ->check(real_number(50.000001, 100))
      ->capture_default_str();
  verb->add_option("--rounding", flags->rounding,
                   "Of weight matrices: nearest, or compensated (errors of a row cancel on the calibration data)")
      ->check(one_of({"nearest", "compensated"}))
      ->capture_default_str();
  verb->add_option("--calib-limit", flags->limit, "Sequences at most; 0: all")
      ->check(whole_number(0, kMostSequences))
      ->capture_default_str();
  verb->add_option("--calib-report", flags->report, "JSON file for what calibration saw at every point and step");
  verb->add_option(
          "--override", flags->overrides,
          "REGEX=SCHEME: another scheme for the nodes whose names hold a match (characters, . [a-z] (a|b) * + ? "
          "^ $, \\d \\w \\s)")
      ->allow_extra_args(false);
  verb->add_option("--ignore", flags->ignore, "REGEX: these nodes stay float (needs --allow-float)")
      ->allow_extra_args(false);
  verb->add_flag("--allow-float", flags->allow_float, "Let nodes without integer form stay float, and list them");
  verb->add_flag("--strict", flags->strict, "Any warning is a failure: all is printed, nothing is written to -o");
  verb->add_option("-o,--output", flags->out, "Model file to write, .safetensors")->required();
  flags->stories.add_to(*verb);
  flags->scheme_flags.add_to(*verb, kMemoryGroup);
  flags->data.add_to(*verb);
  flags->shared.add_to(*verb);
  verb->callback([flags, verb] { run_quantize(*flags, GivenFlags(*verb)); });
}

}  // namespace quaver
