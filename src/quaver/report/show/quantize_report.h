// quantize_report.h - what 'quantize' made, what it lost, and what it warns of.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <variant>
#include <vector>

#include "quaver/quantize/calibrate.h"
#include "quaver/quantize/warning.h"
#include "quaver/report/cost/inspect.h"
#include "quaver/report/error/fidelity.h"

namespace quaver {

struct SequenceQuantizeReport {
  std::string in;
  Inspection before, after;
  std::string method, rounding;
  std::size_t sequences = 0, steps = 0;  // that calibration saw
  Fidelity fidelity;

  double ratio() const;  // of the files' bytes
};

// One network; errors are those on the validation split, in percent.
struct MemoryQuantizeRow {
  std::string model{};
  double error = 0, float_error = 0;
  std::uint64_t bytes = 0, float_bytes = 0;  // of the files
  Fidelity fidelity{};
};

struct MemoryQuantizeReport {
  std::vector<MemoryQuantizeRow> networks{};
  bool several = false;  // a network for each task of a list
  std::string method;
  bool integer_only = false;
};

struct QuantizeReport {
  std::variant<SequenceQuantizeReport, MemoryQuantizeReport> of_kind;
  std::string model;  // file that was written; of several networks the name that theirs are made of
  std::string scheme;
  std::string input;  // calibration data
  double seconds = 0;
  std::vector<Warning> warnings;
  std::string refusal;  // why nothing was written, with --strict; "" where it was
};

nlohmann::ordered_json to_json(const QuantizeReport& report);
std::string to_text(const QuantizeReport& report);

// JSON: what calibration saw at every point, growth over the steps included.
std::string calibration_text(const Calibration& calibration, const std::string& input);

}  // namespace quaver
