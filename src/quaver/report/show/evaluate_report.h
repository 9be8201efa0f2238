// evaluate_report.h - what 'eval' found: how often a network is right on a task's data.
#pragma once

#include <cstddef>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "quaver/report/error/evaluate.h"

namespace quaver {

// What a predictor without a network reaches on the same data.
struct ControlScore {
  std::string name;
  std::optional<double> value{};             // of the evaluation's chosen metric; none where it predicts nothing
  std::vector<Evaluation::Figure> others{};  // of the task's own figures
};

struct SequenceEvaluateReport {
  Evaluation evaluation{};
  std::string path{};                    // of the kernels
  std::vector<ControlScore> controls{};  // where they were asked for
};

// How often a memory network answers one task of stories wrongly.
struct StoryScore {
  std::string task;
  double error = 0;  // percent
  std::size_t questions = 0;
  double loss = 0;  // mean cross entropy, nats
};

struct MemoryEvaluateReport {
  std::vector<StoryScore> tasks;
  double error = 0;  // mean over the tasks, percent
  std::size_t questions = 0;
  double seconds = 0;
};

struct EvaluateReport {
  std::variant<SequenceEvaluateReport, MemoryEvaluateReport> of_kind;
  std::string model, scheme, task, split;
};

// "accuracy %", and its value with the digits that it is worth.
std::string heading(const Evaluation::Figure& figure);
std::string figure_text(const Evaluation::Figure& figure);

nlohmann::ordered_json to_json(const EvaluateReport& report);
std::string to_text(const EvaluateReport& report);

}  // namespace quaver
