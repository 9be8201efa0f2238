#include "quaver/quantize/quantize.h"

#include <chrono>
#include <filesystem>
#include <utility>

#include "quaver/core/text.h"
#include "quaver/files/atomic_file.h"
#include "quaver/files/command_files.h"
#include "quaver/io/model_file/model_file.h"
#include "quaver/model/formats/scheme.h"
#include "quaver/quantize/name_pattern.h"
#include "quaver/report/show/warning_lines.h"
#include "quaver/workflow/fields.h"
#include "quaver/workflow/kinds.h"
#include "quaver/workflow/sequence/calls.h"
#include "quaver/workflow/sequence/input.h"

namespace quaver {
namespace {

void refuse_fields_of_memory(const QuantizeRequest& request) {
  const std::string here = "here IN is a model of sequences";
  refuse({{"--tasks", request.data.tasks.has_value()},
          {"--set", request.data.set.has_value()},
          {"--questions", request.data.questions.has_value()}},
         "memory networks", here);
  for (const SchemeSwitch& given : request.switches) refuse({{given.flag.c_str(), true}}, "memory networks", here);
}

// Patterns that are none are said before calibration.
QuantizeOptions checked_options(const QuantizeRequest& request) {
  require_known("scheme", request.scheme, scheme_names());
  for (const auto& [pattern, scheme] : request.overrides) {
    require_known("scheme", scheme, scheme_names());
    NamePattern{pattern};
  }
  for (const std::string& pattern : request.ignore) NamePattern{pattern};
  QuantizeOptions options;
  options.scheme = request.scheme;
  if (request.rounding) options.rounding = *request.rounding;
  options.overrides = request.overrides;
  options.ignore = request.ignore;
  options.allow_float = request.allow_float;
  return options;
}

void check_files(const QuantizeRequest& request) {
  CommandFiles files;
  files.reads("IN", request.in);
  if (names_a_file(request.calib)) files.reads("--calib", request.calib);
  reads_own_data(files, request.calib);
  files.writes_file("--output", request.out);
  files.writes("--calib-report", request.report);
  files.check();
}

}  // namespace

QuantizeReport quantize(Model model, const QuantizeRequest& request, Listener& listener) {
  const auto start = std::chrono::steady_clock::now();
  refuse_fields_of_memory(request);
  const QuantizeOptions options = checked_options(request);
  check_files(request);
  const Sequences sequences = read_sequences(request.calib, request.calib_split.value_or("train"), model, request.in,
                                             request.data, request.limit.value_or(kCalibrationLimit), listener);
  listener.begin("calibrating", "sequences", sequences.views.size());
  CalibrateOptions calibrate_options;
  if (request.method) calibrate_options.method = *request.method;
  if (request.percentile) calibrate_options.percentile = *request.percentile;
  calibrate_options.moments = options.rounding == Rounding::kCompensated;
  calibrate_options.progress = [&](std::size_t done, std::size_t) { listener.advance(done); };
  const Calibration calibration = calibrate(model, sequences.views, calibrate_options);
  QuantizeResult result = quantize(model, calibration, options);
  const Fidelity fidelity = measure_fidelity(model, result.model, sequences.views);
  std::vector<Warning> warnings = std::move(result.warnings);
  warnings.insert(warnings.end(), fidelity.warnings.begin(), fidelity.warnings.end());
  if (!request.command.empty()) result.model.provenance["quantize_command"] = request.command;
  result.model.provenance["calibration_sqnr"] = to_text(fidelity);
  const std::string refusal = strict_refusal(request, warnings);
  // The model last: where it is, all that was asked for is.
  if (!request.report.empty()) write_file_atomically(request.report, calibration_text(calibration, sequences.source));
  if (refusal.empty()) save(result.model, request.out);
  for (const std::string& line : warning_lines(warnings)) listener.warn(line);

  const std::uint64_t bytes =
      refusal.empty() ? std::filesystem::file_size(request.out) : save_bytes(result.model).size();
  QuantizeReport report{
      .of_kind = SequenceQuantizeReport{.in = request.in.string(),
                                        .before = inspect(model, std::filesystem::file_size(request.in)),
                                        .after = inspect(result.model, bytes),
                                        .method = std::string(method_name(calibration.method)),
                                        .rounding = std::string(rounding_name(options.rounding)),
                                        .sequences = calibration.sequences,
                                        .steps = calibration.steps,
                                        .fidelity = fidelity},
      .model = request.out.string(),
      .scheme = result.model.scheme,
      .input = sequences.source,
      .warnings = warnings,
      .refusal = refusal};
  report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return report;
}

}  // namespace quaver
