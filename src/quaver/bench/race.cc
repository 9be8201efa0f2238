#include "quaver/bench/race.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <variant>

#include "quaver/core/random.h"
#include "quaver/core/version.h"
#include "quaver/engine/sequence/session.h"
#include "quaver/report/cost/inspect.h"

namespace quaver {
namespace {

constexpr std::size_t kNone = std::numeric_limits<std::size_t>::max();

// How many inputs take turns. Fewer of whole sequences: together they should not fill the caches.
std::size_t input_count(const BenchShape& shape) { return shape.steps == 1 ? 16 : 4; }

class Work {
 public:
  // Row.frames: codes only where the model takes them.
  Work(const Model& model, const BenchRow& row, Isa isa, std::uint64_t seed)
      : session_(model, {.threads = row.threads, .isa = isa}), shape_(row.shape), inputs_(input_count(row.shape)) {
    Random random(seed);
    const std::size_t frames = inputs_ * shape_.batch * shape_.streams * shape_.steps;
    const std::size_t values = frames * session_.input_features();
    const NumberType kind = model.inputs[0].value.format.kind;
    if (kind == NumberType::kI32) {
      const std::int64_t vocabulary = vocabulary_of(model, model.inputs[0]);
      for (std::size_t i = 0; i < frames; ++i)
        ids_.push_back(static_cast<std::int32_t>(random.between(0, vocabulary - 1)));
    } else if (row.frames == Frames::kCodes) {
      for (std::size_t i = 0; i < values; ++i) codes_.push_back(static_cast<std::int8_t>(random.between(-128, 127)));
    } else {
      for (std::size_t i = 0; i < values; ++i) real_.push_back(static_cast<float>(random.uniform(-1, 1)));
    }
    if (shape_.batch == 1 && session_.streams()) states_.assign(shape_.streams, session_.initial_state());
    scores_.resize(session_.score_count() * shape_.streams);
    output_codes_.resize(session_.output_codes().size() * shape_.streams);
    for (std::size_t i = 0; i < inputs_ * shape_.batch; ++i) views_.push_back(sequence(i * shape_.steps));
  }

  std::size_t weight_bytes() const { return session_.weight_bytes(); }

  void run(std::size_t calls) {
    for (std::size_t call = 0; call < calls; ++call) {
      next_ = (next_ + 1) % inputs_;
      if (states_.empty()) {
        session_.run(std::span(views_).subspan(next_ * shape_.batch, shape_.batch));
      } else if (shape_.steps > 1) {
        session_.run(views_[next_], states_[0]);
      } else if (shape_.streams > 1) {
        step_streams(next_ * shape_.streams);
      } else {
        step(next_);
      }
    }
  }

 private:
  template <typename T>
  std::span<const T> cut(const std::vector<T>& values, std::size_t frame, std::size_t frames) const {
    const std::size_t size = values.empty() ? 0 : session_.input_features();
    return std::span(values).subspan(frame * size, frames * size);
  }
  void step(std::size_t frame) {
    if (!codes_.empty()) {
      session_.step(cut(codes_, frame, 1), states_[0]);
    } else if (!ids_.empty()) {
      session_.step(ids_[frame], states_[0], scores_);
    } else {
      session_.step(cut(real_, frame, 1), states_[0], scores_);
    }
  }
  void step_streams(std::size_t frame) {
    if (!codes_.empty()) {
      session_.step(cut(codes_, frame, shape_.streams), std::span(states_), std::span(output_codes_));
    } else if (!ids_.empty()) {
      for (std::size_t i = 0; i < shape_.streams; ++i) session_.step(ids_[frame + i], states_[i], scores_);
    } else {
      session_.step(cut(real_, frame, shape_.streams), std::span(states_), std::span(scores_));
    }
  }
  SequenceView sequence(std::size_t frame) const {
    return {shape_.steps, cut(real_, frame, shape_.steps), cut(ids_, frame, shape_.steps),
            cut(codes_, frame, shape_.steps)};
  }

  Session session_;
  BenchShape shape_;
  std::size_t inputs_;
  std::vector<float> real_;
  std::vector<std::int32_t> ids_;
  std::vector<std::int8_t> codes_;
  std::vector<SequenceView> views_;
  std::vector<State> states_;  // of streams; without one, every call starts afresh
  std::vector<float> scores_;
  std::vector<std::byte> output_codes_;
  std::size_t next_ = 0;
};

bool same_shape(const BenchShape& a, const BenchShape& b) {
  return a.cell == b.cell && a.reset == b.reset && a.input == b.input && a.hidden == b.hidden && a.batch == b.batch &&
         a.steps == b.steps && a.streams == b.streams;
}

bool leads(const BenchRow& row, const std::string& scheme, Isa isa) {
  return row.peer.empty() && row.scheme == scheme && row.path == isa_name(isa);
}

}  // namespace

void Race::add(const Model& model, BenchRow row) {
  row.macs = inspect(model).macs;
  row.scheme = model.scheme;
  row.version = version();
  const bool reads_codes = model.inputs[0].value.format.kind == NumberType::kI8;
  for (const Frames frames : reads_codes ? options_.frames : std::vector{Frames::kReal}) {
    row.frames = frames;
    for (const Isa isa : options_.isas) {
      auto work = std::make_shared<Work>(model, row, isa, options_.seed);
      row.path = isa_name(isa);
      row.bytes_per_step = work->weight_bytes();
      rows_.push_back(row);
      contestants_.push_back({"quaver", clocked([work](std::size_t calls) { work->run(calls); })});
    }
  }
}

void Race::add_peers(BenchRow row, Peers& peers) {
  const BenchShape& shape = row.shape;
  const PeerShape wanted{shape.cell,  shape.reset, shape.input,        shape.hidden, shape.batch * shape.streams,
                         shape.steps, row.threads, input_count(shape), options_.seed};
  for (std::unique_ptr<Peer>& made : peers.make(wanted)) {
    const std::shared_ptr<Peer> peer = std::move(made);
    row.peer = peer->name();
    row.version = peer->version();
    row.scheme = peer->scheme();
    row.frames = peer->takes_codes() ? Frames::kCodes : Frames::kReal;
    row.path = peer->path();
    row.bytes_per_step = peer->weight_bytes();
    row.macs = rows_.front().macs;
    rows_.push_back(row);
    contestants_.push_back({peer->name(), [peer](std::size_t calls) { return peer->run(calls); }});
  }
}

std::vector<BenchRow> Race::finish() {
  // Beside each of our streams a plain read of its weights: the roof at that very size and moment.
  std::vector<std::size_t> reads(rows_.size(), kNone);
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    const BenchRow& row = rows_[i];
    if (!row.peer.empty() || row.threads > 1 || row.shape.steps * row.shape.batch * row.shape.streams > 1) continue;
    for (std::size_t j = 0; j < i && reads[i] == kNone; ++j)
      if (rows_[j].bytes_per_step == row.bytes_per_step) reads[i] = reads[j];
    if (reads[i] != kNone) continue;
    reads[i] = contestants_.size();
    auto read = std::make_shared<PlainRead>(row.bytes_per_step);
    contestants_.push_back({"read", clocked([read](std::size_t calls) { read->run(calls); })});
  }
  std::vector<Timing> timings = measure(contestants_, options_.timing);
  std::vector<BenchRow> timed;
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    if (!std::isfinite(timings[i].median)) continue;
    rows_[i].timing = std::move(timings[i]);
    if (reads[i] != kNone) rows_[i].read = timings[reads[i]];
    timed.push_back(std::move(rows_[i]));
  }
  return timed;
}

std::vector<BenchRatio> peer_ratios(const std::vector<BenchRow>& rows, const std::string& scheme, Isa isa) {
  std::vector<BenchRatio> ratios;
  for (std::size_t ours = 0; ours < rows.size(); ++ours) {
    const BenchRow& row = rows[ours];
    if (!leads(row, scheme, isa)) continue;
    const auto first = static_cast<std::ptrdiff_t>(ratios.size());
    for (std::size_t other = 0; other < rows.size(); ++other) {
      const BenchRow& peer = rows[other];
      if (!peer.peer.empty() && peer.threads == row.threads && peer.frames == row.frames &&
          same_shape(row.shape, peer.shape))
        ratios.push_back({ours, other, ratio_of(peer.timing, row.timing)});
    }
    const auto best =
        std::min_element(ratios.begin() + first, ratios.end(),
                         [](const BenchRatio& a, const BenchRatio& b) { return a.ratio.median < b.ratio.median; });
    if (best != ratios.end()) best->best = true;
  }
  return ratios;
}

std::vector<BenchRatio> own_ratios(const std::vector<BenchRow>& rows, const std::string& scheme, Isa isa) {
  std::vector<BenchRatio> ratios;
  for (std::size_t ours = 0; ours < rows.size(); ++ours) {
    const BenchRow& row = rows[ours];
    const auto lead = std::ranges::find_if(rows, [&](const BenchRow& other) {
      return leads(other, scheme, isa) && other.threads == 1 && same_shape(row.shape, other.shape);
    });
    if (row.peer.empty() && lead != rows.end() && &*lead != &row)
      ratios.push_back({ours, static_cast<std::size_t>(lead - rows.begin()), ratio_of(lead->timing, row.timing)});
  }
  return ratios;
}

}  // namespace quaver
