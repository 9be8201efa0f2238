// quantize.h - from a float network to integers, after training: calibrated on data, measured on it, and written.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "quaver/cells/memn2n/scheme.h"
#include "quaver/model/formats/scheme.h"
#include "quaver/quantize/calibrate.h"
#include "quaver/quantize/quantize.h"
#include "quaver/report/show/quantize_report.h"
#include "quaver/workflow/data_source.h"
#include "quaver/workflow/listener.h"

namespace quaver {

// A change of a memory network's scheme on top of a preset: "--bits", and what it sets.
struct SchemeSwitch {
  std::string flag;
  std::function<void(MemoryScheme&)> apply;
};
// Error (usage) for an unknown preset, for switches of float, or for ones that make no scheme.
MemoryScheme memory_scheme(const std::string& preset, const std::vector<SchemeSwitch>& switches);

inline constexpr std::size_t kCalibrationLimit = 256;  // where no limit is set

struct QuantizeRequest {
  std::filesystem::path in{}, out{};   // .safetensors; of a list of tasks NAME stands for NAME.qaN
  std::string scheme{kDefaultScheme};  // of models of sequences, or of memory networks
  std::string calib{};  // sequences or stories: a file, TASK[:split] or KIND:PATH, of "train" where none is named
  std::optional<std::string> calib_split{};   // of KIND:PATH; else "train"
  std::optional<std::size_t> limit{};         // sequences or questions at most, 0: all; else kCalibrationLimit
  std::optional<CalibrationMethod> method{};  // else kMinMax
  std::optional<double> percentile{};         // of kPercentile: share of values inside, in percent; else 99.99
  DataSource data{};
  bool strict = false;    // any warning: nothing is written, and QuantizeReport::refusal says so
  std::string command{};  // for the provenance of what is written

  // Of models of sequences.
  std::optional<Rounding> rounding{};                            // of weight matrices; else kCompensated
  std::vector<std::pair<std::string, std::string>> overrides{};  // pattern of names, scheme of these nodes
  std::vector<std::string> ignore{};                             // patterns of nodes that stay float
  bool allow_float = false;                                      // nodes without integer form stay float
  std::filesystem::path report{};                                // JSON of what calibration saw; none: not written

  // Of memory networks.
  std::vector<SchemeSwitch> switches{};
};

// Error (usage) for fields that do not suit the kind of network or each other, and files that would be overwritten;
// (bad input) for a network or data that cannot be read or do not fit; (failed) for what cannot be written.
QuantizeReport quantize(const QuantizeRequest& request, Listener& listener);

}  // namespace quaver
