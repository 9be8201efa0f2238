// run.h - what one training of a row leaves behind, as a value and as the file that a second call finds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "quaver/data/babi.h"
#include "quaver/report/error/memory_points.h"
#include "quaver/reproduce/qmann/rows.h"
#include "quaver/train/memory/train.h"

namespace quaver {

// A task as all rows read it.
struct QmannTask {
  std::size_t number = 0;
  std::string name, set;
  bool small_train = false;
  Vocabulary vocabulary;
  CodedStories train, validation, test;
};

// What one training leaves behind; read from its file or made and written.
struct QmannRun {
  std::string row{};
  std::size_t task = 0;
  std::uint64_t seed = 0;
  double final_test = 0;                                      // percent, weights of the last epoch
  double kept_train = 0, kept_validation = 0, kept_test = 0;  // percent, weights that were kept
  std::size_t kept_epoch = 0;
  // Of the last epoch's weights over the test questions; fixed point only.
  std::vector<SimilarityHistogram> similarities{};
};
// Everything that decides the run's result, as text.
std::string run_identity(const QmannRow& row, const QmannTask& task, std::uint64_t seed);
inline constexpr std::size_t kSimilarityBins = 64;
nlohmann::ordered_json to_json(const QmannRun& run);
// nlohmann's exceptions for what is no run; Error (bad input) for one that training this row on this task with this
// seed cannot leave: another's, or with figures, counts or ranges that are none.
QmannRun run_from_json(const nlohmann::json& json, const QmannRow& row, const QmannTask& task, std::uint64_t seed);

}  // namespace quaver
