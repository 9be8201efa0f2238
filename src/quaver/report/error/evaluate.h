// evaluate.h - how good a model's first output is: over sequences of which the truth is known, or every step of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "quaver/engine/sequence/session.h"
#include "quaver/metrics/metric.h"

namespace quaver {

// One truth a sequence (the model's first output is a vector), or one a step (it is a sequence).
struct JudgedSequence {
  SequenceView input;
  Truth truth;
};

struct Evaluation {
  struct Figure {
    std::string metric;
    std::string unit{};  // "%", or "" for a plain number
    double value = 0;
    bool higher_is_better = true;
    bool is_count = false;  // a whole number
  };
  Figure chosen;               // by the metric that was asked for
  std::vector<Figure> others;  // the other metrics of the target, where the model's output tells them
  std::uint64_t n = 0;         // rows judged: sequences, or steps
  std::uint64_t correct = 0;   // rows whose class is named; of labels, row by row each that is right
  std::size_t sequences = 0;
  std::size_t steps = 0;
  double seconds = 0;  // in the engine
};

// Judges a model by batches of sequences, so that only one of them need be in memory.
class Evaluator {
 public:
  // width: classes, labels or real numbers of a row. metric: by name; empty: the target's own. The session outlives it.
  // Error (usage) for a metric that does not suit; Error (bad input) for a model whose output cannot be judged so: of
  // another width, a row a step where there is one truth a sequence, or an argmax where scores are needed.
  Evaluator(Session& session, Target target, std::size_t width, const std::string& metric = "");

  // The session spreads them over its threads. Error (bad input) when truths and outputs do not match in number, or for
  // a sequence that the model can not read. Returns the outputs of each: [rows, width], or the classes [rows] that an
  // argmax names.
  std::vector<std::vector<float>> add(std::span<const JudgedSequence> sequences);

  // Error (bad input) before any sequence.
  Evaluation result() const;

 private:
  void require_truths(const JudgedSequence& sequence) const;

  Session& session_;
  Tally tally_;
  const Metric& metric_;
  std::size_t sequences_ = 0, steps_ = 0;
  double seconds_ = 0;
};

}  // namespace quaver
