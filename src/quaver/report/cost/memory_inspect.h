// memory_inspect.h - what a memory network is and what a question to it costs: matrices, formats of every hop, bytes,
// operations by part, energy by both rules of memory_costs.h.
//
//   bytes, weights_bytes   the file, and its tensors: floats under every scheme. weights_bytes_run: as the scheme reads
//                          them when it runs
//   state_bytes            a full memory: its facts as they are addressed and read (bytes_of_a_fact each)
//   macs, float_ops, energy of a question: the mean over the questions that were counted, macs and float_ops rounded
//                          (up where a part of one is left). Facts are embedded anew for every question; a memory that
//                          many questions are asked of pays that part once (part "facts").
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "quaver/model/memory/memory_network.h"
#include "quaver/report/cost/energy.h"
#include "quaver/report/cost/memory_costs.h"

namespace quaver {

struct MemoryMatrixReport {
  std::string name;
  std::uint64_t rows = 0, cols = 0;
  std::string use;  // "A of hop 1, C of hop 2"
};

struct MemoryHopReport {
  std::string embeddings;                  // m and c: f32, "3.4" (integer and fraction bits), "i8" (scaled)
  std::string similarity;                  // "dot", "hamming"
  std::optional<double> similarity_limit;  // |s| is at most this; nothing where it has no limit
  double similarity_step = 0;              // 0: float
};

struct MemoryPartReport {
  std::string name;
  double macs = 0, float_ops = 0, energy_pj = 0, f32_energy_pj = 0;  // mean a question
  double moved_bytes = 0;                                            // the same of Traffic, all of it
  OperationCounts operations;                                        // of all questions counted
};

struct MemoryInspection {
  std::string name, task, scheme;
  MemN2NShape shape;
  std::uint64_t bytes = 0, weights_bytes = 0, weights_bytes_run = 0, bytes_per_fact = 0, state_bytes = 0;
  std::uint64_t parameters = 0;
  std::vector<MemoryMatrixReport> matrices;
  std::vector<MemoryHopReport> hops;
  QuestionSizes questions;  // that were counted
  std::string questions_source;
  std::vector<MemoryPartReport> parts;
  std::uint64_t macs = 0, float_ops = 0;
  MemoryEnergy energy;
  EnergyTable energy_table;
  double weights_read = 0, activations_moved = 0;        // bytes, mean a question
  std::optional<double> memory_pj_sram, memory_pj_dram;  // of reading the weights; where the table has them
};

// questions: what to count, source: what they are, for people. file_bytes: of the network's file; 0 when there is none,
// then weights_bytes stands in. Error (bad input) for a network that is not valid, (usage) for no question.
MemoryInspection inspect(const MemoryNetwork& network, const QuestionSizes& questions, const std::string& source,
                         std::uint64_t file_bytes = 0, const EnergyTable& table = horowitz_2014());

nlohmann::ordered_json to_json(const MemoryInspection& inspection);
std::string to_text(const MemoryInspection& inspection);

// The lines about energy, for other reports: by our rules, by the paper's, and what they count.
std::string to_text(const MemoryEnergy& energy, const std::string& table_source);
nlohmann::ordered_json to_json(const MemoryEnergy& energy);

}  // namespace quaver
