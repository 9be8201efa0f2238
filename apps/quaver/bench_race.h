// bench_race.h - everything that 'bench' times in turns on one shape: our paths and schemes, and other engines.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bench_presets.h"
#include "peers/peer.h"
#include "quaver/kernels/dispatch/dispatch.h"
#include "quaver/model/model.h"
#include "quaver/report/machine/roofline.h"
#include "quaver/report/machine/timing.h"

namespace quaver {

// What a call is handed: real frames, which an integer model codes first and whose scores it decodes, or codes, and
// codes come back. Float models know but real ones; ids count as real.
enum class Frames { kReal, kCodes };
std::string frames_name(Frames frames);            // "real", "codes"
Frames frames_from_name(const std::string& name);  // Error (usage) for another name

// What one row of the result measures.
struct BenchRow {
  BenchShape shape;
  std::string scheme, path, peer, version;  // peer: "" for ours
  Frames frames = Frames::kReal;
  std::size_t threads = 1;
  std::uint64_t macs = 0;  // of one step of one sequence
  std::size_t bytes_per_step = 0;
  // Share of the weights that a call of many steps has to read only once; none where that is not known.
  std::optional<double> input_share;
  Timing timing;               // of one call
  std::optional<Timing> read;  // of a plain read of as many bytes, in the same turns

  double sequences() const { return static_cast<double>(shape.batch * shape.streams); }
  double us(double seconds) const { return 1e6 * seconds / static_cast<double>(shape.steps); }  // a call's, a step
  double us_per_step() const { return us(timing.median); }
  double gmacs_per_s() const { return static_cast<double>(macs) * sequences() / us_per_step() * 1e-3; }
  // Of what the machine allows; none for other engines, and for more than one thread: one was measured.
  std::optional<double> roofline_share(const Roofline& roofline) const;
};

// How many times longer `other` takes than `ours`.
struct BenchRatio {
  const BenchRow* ours;
  const BenchRow* other;
  Ratio ratio;
  bool best = false;  // the peer that comes closest on this shape
};

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

// Each peer against our row of this scheme and path with as many threads that is handed what the peer is handed; none
// where there is no such row. `rows` must outlive the results.
std::vector<BenchRatio> peer_ratios(const std::vector<BenchRow>& rows, const std::string& scheme, Isa isa);
// Our first row of this scheme and path with one thread against our others on the same shape: what they gain.
std::vector<BenchRatio> own_ratios(const std::vector<BenchRow>& rows, const std::string& scheme, Isa isa);

}  // namespace quaver
