// train_report.h - what 'train' made: networks, and how good they are.
#pragma once

#include <cstddef>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <variant>
#include <vector>

#include "quaver/report/error/evaluate.h"

namespace quaver {

struct SequenceTrainReport {
  std::string cell{};
  std::size_t hidden = 0;
  std::size_t epochs = 0;
  std::size_t best_epoch = 0;  // whose weights the model has, counted from 1
  double validation = 0;       // by the metric of `test`
  Evaluation test{};
  std::uint64_t bytes = 0;
  std::string curve{};  // file of the learning curve
};

// Of one memory network.
struct TrainedMemory {
  struct Test {
    std::string task{};
    double error = 0;  // percent
    double loss = 0;   // nats
    std::size_t questions = 0;
    bool small_train = false;  // its training file is that of the small set
  };
  std::string label{}, model{};  // "qa7", "joint"
  std::vector<Test> tests{};
  double train = 0, validation = 0, error = 0;  // percent; `error`: mean over the tests
  std::size_t epochs = 0, best_epoch = 0;
  std::uint64_t seed = 0;
  double seconds = 0;
};

struct MemoryTrainReport {
  std::vector<TrainedMemory> networks{};
  std::string scheme{};
  std::size_t hops = 0, embedding = 0;
};

struct TrainReport {
  std::variant<SequenceTrainReport, MemoryTrainReport> of_kind{};
  std::string task{}, model{};
  std::uint64_t seed = 0;
  double seconds = 0;
};

nlohmann::ordered_json to_json(const TrainReport& report);
std::string to_text(const TrainReport& report);

}  // namespace quaver
