// demo_report.h - what 'demo' shows: each network in float and in integers side by side, and one question explained.
#pragma once

#include <cstddef>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "quaver/report/cost/memory_costs.h"

namespace quaver {

struct DemoRow {
  std::string cell, scheme;
  double accuracy = 0;    // percent
  std::size_t bytes = 0;  // of the file
  double us_per_step = 0;
  std::uint64_t float_ops = 0;      // of a step
  std::optional<double> sqnr_db{};  // of the last hidden state against float
};

struct MemoryDemoRow {
  std::string scheme;
  double accuracy = 0;                                 // percent
  std::size_t bytes = 0;                               // of the file
  std::uint64_t weights_bytes_run = 0, float_ops = 0;  // of a question
  double us_per_question = 0;                          // whose facts are told first
  MemoryEnergy energy;
};

// What each hop looked at: p of every fact.
struct ExplainedQuestion {
  struct Fact {
    std::string text;
    std::vector<float> p;  // one a hop
  };
  std::string question, answer, expected;
  std::vector<Fact> facts;
};

struct MemoryDemoReport {
  std::vector<MemoryDemoRow> rows;
  std::string task;
  std::size_t questions = 0;  // of the test
  double mean_facts = 0;      // that each is asked of
  std::optional<ExplainedQuestion> explained;
};

struct DemoReport {
  std::string task;  // of sequences
  std::vector<DemoRow> rows;
  std::size_t test_sequences = 0;
  std::optional<MemoryDemoReport> memory;
  std::string path;  // of the kernels
  double seconds = 0;
};

nlohmann::ordered_json to_json(const DemoReport& report);
std::string to_text(const DemoReport& report);

}  // namespace quaver
