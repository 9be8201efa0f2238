// bench.h - how long a step takes, a question, or a fact: ours and, where asked for, other engines on the same shapes
// in the same turns. docs/bench.md says how it measures.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "quaver/bench/bench_report.h"
#include "quaver/workflow/listener.h"

namespace quaver {

// What is timed: a model file, shapes with a name, cells with random weights, or memory networks with random weights.
// Lists are raced in every combination that means something; an empty one is as its comment says.
struct BenchRequest {
  std::filesystem::path model{};       // one input; none: random weights
  std::vector<std::string> presets{};  // of preset_names()
  std::vector<std::string> cells{};    // of recurrent_names(), or kMemoryCell alone; else lstm and gru
  std::vector<std::string>
      schemes{};                     // the first is what others are compared with; else int8 (memory: qmann8, f32 too)
  std::vector<std::size_t> batch{};  // sequences that are run together, questions of a call; else 1
  std::vector<std::string> peers{};  // other engines, of peer_names()
  bool all_peers = false;
  std::string peer_python{};     // that has their packages; else "python3"
  bool all_paths = false;        // a row for every path that this CPU can run, not the chosen one alone
  bool pin = false;              // binds the calling thread, and peers that it starts, to one CPU
  std::size_t repetitions = 41;  // of each row
  std::uint64_t seed = 1;        // of weights and inputs
  std::filesystem::path save{};  // also writes NAME.json and NAME.md
  std::string command{};         // as it is told in these files

  // Of sequences.
  std::vector<std::string> resets{};     // of a GRU: "after" the product (else), "before"
  std::vector<std::size_t> hidden{};     // units; else 128
  std::optional<std::size_t> input{};    // features of a step, 0: as many as units; else 40
  std::vector<std::size_t> steps{};      // in one call; else 1, a stream
  std::vector<std::size_t> streams{};    // independent ones that a call moves a step on; else 1
  std::vector<std::string> frames{};     // "real", "codes"; else real, and beside peers both
  std::optional<std::size_t> threads{};  // more than one: in turns with one thread; else 1
  std::optional<std::size_t> projection{};
  bool cifg = false, peephole = false, layer_norm = false;
  std::filesystem::path plot{};  // also draws the roofline and the ratios: .svg or .png

  // Of memory networks.
  std::vector<std::size_t> facts{};                                       // that are stored; else 10, 1,000 and 100,000
  std::optional<std::size_t> embedding{}, hops{}, words{}, vocabulary{};  // else 60, 3, 6 a sentence, 180 in all

  bool of_memory() const;
  bool plain_cells() const;  // as other engines run them
  bool with_peers() const { return all_peers || !peers.empty(); }
};

// Error (usage) for fields that do not suit each other, names that are unknown, and sizes that fit no memory; (bad
// input) for a model that cannot be read or timed; (failed) for what cannot be written or drawn. Peers that are not
// installed cost their rows and a warning.
BenchReport bench(const BenchRequest& request, Listener& listener);

}  // namespace quaver
