// bench_report.h - what 'bench' measured: rows that took turns, and how they compare.
#pragma once

#include <cstddef>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "quaver/bench/presets.h"
#include "quaver/report/machine/roofline.h"
#include "quaver/report/machine/timing.h"

namespace quaver {

// What a call is handed: real frames, which an integer model codes first and whose scores it decodes, or codes, and
// codes come back. Float models know but real ones; ids count as real.
enum class Frames { kReal, kCodes };
std::string frames_name(Frames frames);            // "real", "codes"
Frames frames_from_name(const std::string& name);  // Error (usage) for another name

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

// How many times longer the row at `other` takes than that at `ours`.
struct BenchRatio {
  std::size_t ours = 0, other = 0;
  Ratio ratio;
  bool best = false;  // the peer that comes closest on this shape
};

struct SequenceBenchReport {
  std::vector<BenchRow> rows;
  // Each peer against our row of the leading scheme and path with as many threads that is handed what the peer is
  // handed; none where there is no such row.
  std::vector<BenchRatio> ratios;
  std::vector<BenchRatio> own_ratios;  // our leading row with one thread against our others on the same shape
  std::optional<Timing> loading;       // of a model file: from the file to the first step
};

// told: all facts of a question are written, then it is answered; stored: the facts are there; write: one fact more in
// a full memory.
struct MemoryBenchRow {
  std::string form, scheme, path, peer, version;  // peer: "" for ours
  std::size_t facts = 0, batch = 1;
  std::size_t bytes = 0;  // of codes that a question compares with
  // Facts that have a weight, mean over hops and some questions: a network that reads none answers from the question
  // alone. Known of ours that answer from codes.
  std::optional<double> facts_read{};
  Timing timing{};               // of one call
  std::optional<Timing> read{};  // of a plain read of as many bytes, in the same turns

  double us() const { return 1e6 * timing.median / static_cast<double>(batch); }  // a question, or a fact written
  double facts_per_second() const { return static_cast<double>(facts * batch) / timing.median; }
};

// How many times as long a question takes at `other` as at `ours`.
struct MemoryBenchRatio {
  std::size_t ours = 0, other = 0;
  Ratio ratio;
};

struct MemoryBenchReport {
  std::size_t embedding = 0, hops = 0, words = 0, vocabulary = 0;
  std::string scheme, path;  // of ours that others are compared with
  std::vector<MemoryBenchRow> rows;
  std::vector<MemoryBenchRatio> ratios;
};

struct BenchReport {
  std::variant<SequenceBenchReport, MemoryBenchReport> of_kind;
  Roofline roofline;
  std::string cpu{}, command{};
  std::size_t repetitions = 0;                                    // that were asked for of each row
  std::vector<std::pair<std::string, std::string>> isa_limits{};  // of peers: Peers::isa_limits()
};

nlohmann::ordered_json to_json(const BenchReport& report);
std::string to_text(const BenchReport& report);
std::string to_markdown(const BenchReport& report);  // the text below the command

}  // namespace quaver
