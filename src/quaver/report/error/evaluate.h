// evaluate.h - how often a model is right: over labelled sequences, or over every step of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>

#include "quaver/engine/sequence/session.h"

namespace quaver {

// One label a sequence (the model's first output is a vector), or one a step (it is a sequence).
struct LabelledSequence {
  SequenceView input;
  std::span<const std::int32_t> labels;
};

struct Evaluation {
  std::string metric = "accuracy";  // percent of labels that the largest score (the first of equals) names
  double value = 0;
  std::uint64_t n = 0;  // labels judged
  std::uint64_t correct = 0;
  std::size_t sequences = 0;
  std::size_t steps = 0;
  double seconds = 0;  // in the engine
};

struct EvaluateOptions {
  std::size_t batch = 64;  // sequences between two calls of `progress`; the session spreads them over its threads
  std::function<void(std::size_t done, std::size_t total)> progress{};
};

// Error (bad input) without sequences, when labels and scores do not match in number, or for a sequence that the model
// can not read.
Evaluation evaluate(Session& session, std::span<const LabelledSequence> sequences, const EvaluateOptions& options = {});

}  // namespace quaver
