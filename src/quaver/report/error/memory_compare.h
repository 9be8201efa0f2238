// memory_compare.h - where a quantized memory network parts from its float one: point by point through the hops, and in
// its answers.
//
// Both answer the same questions. Points (memory_points.h) are compared only between networks of the same weights: a
// network that was trained in fixed point has others than the float one, so its points are held against its own weights
// in float, which shows what its arithmetic alone does. Answers are compared with both.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "quaver/model/memory/memory_network.h"
#include "quaver/report/cost/memory_costs.h"
#include "quaver/report/error/error_sums.h"

namespace quaver {

struct AnsweredQuestion {
  MemoryQuestion question{};
  std::int32_t answer = 0;  // 0: one that the vocabulary does not hold; no output is right
};

struct MemoryPointError {
  std::string name;  // "hop1.similarity"
  std::uint64_t count = 0;
  double max_abs = 0, rmse = 0, sqnr_db = kEqualDb;
  std::uint64_t saturated = 0;  // codes of the quantized network
  // "p": percent of questions with facts where both look most at the same one; "scores": where both answer the same.
  std::optional<double> agreement;

  double saturated_percent() const;
};

struct MemoryComparison {
  std::size_t questions = 0;
  bool same_weights = true;               // points are against the first network; else the second's weights in float
  std::vector<MemoryPointError> outputs;  // the scores
  std::vector<MemoryPointError> layers;   // all other points, in the order of memory_points.h
  // Percent of questions that are answered wrongly: by the first network, the second, the second's weights in float.
  double reference_error = 0, quantized_error = 0, own_float_error = 0;
  std::size_t changed = 0;  // questions that the two networks answer differently
  std::size_t lost = 0;     // of these, where the first was right
  std::size_t gained = 0;   // and where the second is
  // What the second network costs a question, and the same in float.
  QuestionSizes sizes;
  MemoryEnergy energy;
  EnergyTable energy_table;
};

struct MemoryCompareOptions {
  EnergyTable energy_table = horowitz_2014();
  std::function<void(std::size_t done, std::size_t total)> progress{};  // after every question
};

// Error (bad input) when the networks are not two forms of one (which size or word differs) or the first is not float.
void require_comparable(const MemoryNetwork& reference, const MemoryNetwork& quantized);

// The same, and for no question.
MemoryComparison compare(const MemoryNetwork& reference, const MemoryNetwork& quantized,
                         std::span<const AnsweredQuestion> questions, const MemoryCompareOptions& options = {});

nlohmann::ordered_json to_json(const MemoryComparison& comparison);
std::string to_text(const MemoryComparison& comparison);

}  // namespace quaver
