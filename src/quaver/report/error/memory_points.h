// memory_points.h - every value that a question passes through in a memory network, in real units under any scheme, and
// how its similarities spread. What comparisons and histograms are made from.
//
// Points, in order; hops count from 1, letters are those of docs/cells/memn2n.md:
//   question                     u of the question                                                    [d]
//   hop1.m hop1.c                the facts as the hop addresses and as it reads them                   [facts, d]
//   hop1.similarity hop1.p       s, and p as the read multiplies with it                               [facts]
//   hop1.read hop1.u             o, and the next u                                                     [d]
//   scores                       of the words                                                          [vocabulary]
// A code is saturated when its magnitude is the largest of its format: the real value was that or beyond.
#pragma once

#include <cstddef>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "quaver/cells/memn2n/fixed.h"
#include "quaver/cells/memn2n/ref.h"
#include "quaver/cells/memn2n/scaled.h"
#include "quaver/model/memory/memory_network.h"

namespace quaver {

struct MemoryPoint {
  std::string name;
  std::vector<float> values;    // real units
  std::uint64_t saturated = 0;  // of these; 0 in float
};

// Asks a network questions and keeps what the last one passed through.
class MemoryProbe {
 public:
  // The network is kept by the caller for as long as the value lives. Error (bad input) when it is not valid.
  explicit MemoryProbe(const MemoryNetwork& network);

  // Facts at most as many as the network's memory.
  void ask(const MemoryQuestion& question);
  std::span<const MemoryPoint> points() const { return points_; }
  const MemoryPoint& similarity(std::size_t hop) const;  // hop counts from 0
  std::size_t answer() const { return answer_; }         // the word of the highest score, the lowest of equals

  // |similarity| is at most this, real units; nothing in float, nor where it is coded from the largest one down.
  std::optional<double> similarity_limit() const;

 private:
  std::size_t place(std::size_t hop) const { return 1 + kPointsOfHop * hop; }
  void take_float(const MemoryQuestion& question);
  void take_fixed(const MemoryQuestion& question);
  void take_scaled(const MemoryQuestion& question);

  static constexpr std::size_t kPointsOfHop = 6;
  const MemoryNetwork& network_;
  std::optional<MemN2NRef> float_;
  std::optional<MemN2NFixed> fixed_;
  std::optional<MemN2NScaled> scaled_;
  std::vector<MemoryPoint> points_;
  std::size_t answer_ = 0;
};

// How the similarities of one hop spread over many questions.
struct SimilarityHistogram {
  std::size_t hop = 0;                // counted from 1
  double low = 0, high = 0;           // bin b holds values in [low + b w, low + (b + 1) w), the last one `high` too
  std::vector<std::uint64_t> counts;  // of the bins, each w = (high - low) / bins wide
  std::uint64_t count = 0;            // similarities: one a fact and question
  std::uint64_t saturated = 0;        // of these at the limit
  std::optional<double> limit;        // |similarity| is at most this; nothing in float
  double smallest = 0, largest = 0;   // that came; 0 when none did

  double saturated_percent() const;
};

// One a hop. A fixed-point network's range is [-limit, limit], a float one's that of the largest magnitude in any hop.
// Error (usage) for bins = 0.
std::vector<SimilarityHistogram> similarity_histograms(const MemoryNetwork& network,
                                                       std::span<const MemoryQuestion> questions, std::size_t bins);

// {"hop", "low", "high", "counts", "count", "saturated", "saturated_percent", "limit" (null in float), "smallest",
// "largest"}
nlohmann::ordered_json to_json(const SimilarityHistogram& histogram);

}  // namespace quaver
