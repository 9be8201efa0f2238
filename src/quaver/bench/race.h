// race.h - everything that 'bench' times in turns on one shape: our paths and schemes, and other engines. Internal.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "quaver/bench/bench_report.h"
#include "quaver/bench/peers/peer.h"
#include "quaver/kernels/dispatch/dispatch.h"
#include "quaver/model/model.h"
#include "quaver/report/machine/timing.h"

namespace quaver {

struct RaceOptions {
  std::vector<Isa> isas;
  std::vector<Frames> frames{Frames::kReal};
  std::uint64_t seed = 1;
  TimingOptions timing;
};

class Race {
 public:
  explicit Race(const RaceOptions& options) : options_(options) {}

  void add(const Model& model, BenchRow row);
  void add_peers(BenchRow row, Peers& peers);
  // Rows that could be timed, ours first.
  std::vector<BenchRow> finish();

 private:
  const RaceOptions& options_;
  std::vector<BenchRow> rows_;
  std::vector<Contestant> contestants_;
};

// SequenceBenchReport's, of the rows of this scheme and path.
std::vector<BenchRatio> peer_ratios(const std::vector<BenchRow>& rows, const std::string& scheme, Isa isa);
std::vector<BenchRatio> own_ratios(const std::vector<BenchRow>& rows, const std::string& scheme, Isa isa);

}  // namespace quaver
