// Questions and facts of memory networks with random weights.
#include <algorithm>
#include <cmath>
#include <functional>
#include <iterator>
#include <memory>
#include <optional>

#include "quaver/bench/calls.h"
#include "quaver/bench/peers/peer.h"
#include "quaver/cells/memn2n/params.h"
#include "quaver/core/error.h"
#include "quaver/core/random.h"
#include "quaver/core/text.h"
#include "quaver/core/version.h"
#include "quaver/data/babi.h"
#include "quaver/engine/memory/memory_session.h"
#include "quaver/model/formats/scheme.h"
#include "quaver/model/memory/memory_network.h"
#include "quaver/report/machine/roofline.h"
#include "quaver/report/machine/timing.h"
#include "quaver/report/show/table.h"
#include "quaver/train/memory/train.h"

namespace quaver {
namespace {

constexpr std::size_t kQuestions = 64;        // that take turns
constexpr std::size_t kMostToldFacts = 1000;  // a question whose facts are all told anew
constexpr std::size_t kTrainedFacts = 50;     // ages that the network knows
constexpr std::size_t kCountedQuestions = 4;  // of which is counted what they read
constexpr std::size_t kLeastStreamed = 1000;  // facts from which a plain read of the same bytes stands beside
constexpr std::size_t kMostSimilarities = std::size_t{1} << 21;  // of one call, a hop
constexpr double kMemoryRaceSeconds = 30;

using Sentence = std::vector<std::int32_t>;

MemoryNetwork random_network(const BenchRequest& request, const std::string& scheme_name) {
  MemoryNetwork network;
  network.name = "random";
  network.shape = {.vocabulary = *request.vocabulary,
                   .memory = kTrainedFacts,
                   .d = *request.embedding,
                   .hops = *request.hops,
                   .sentence = *request.words,
                   .tying = MemoryTying::kLayerwise,
                   .encoding = SentenceEncoding::kWords};
  network.scheme = memory_scheme_from_name(scheme_name);
  network.scheme.integer_only = network.scheme.integer_only || network.scheme.is_fixed();
  network.words.emplace_back();
  for (std::size_t word = 1; word < *request.vocabulary; ++word) network.words.push_back(concat("w", word));
  Random random(request.seed);
  network.parameters.resize(parameter_count(network.shape));
  for (float& value : network.parameters) value = static_cast<float>(0.3 * random.normal());
  // A question is embedded as facts are, so that one in the words of a fact finds it: among random ones no fact stands
  // out, and from a thousand on a share of p that is cut to a few bits leaves nothing to read.
  const std::vector<MemoryMatrix> layout = memory_matrices(network.shape);
  const MemoryRoles roles(network.shape);
  const MemoryMatrix &a = layout[roles.A.front()], &b = layout[roles.B];
  std::copy_n(&network.parameters[a.offset], std::min(a.size(), b.size()), &network.parameters[b.offset]);
  if (!network.scheme.is_scaled()) return network;
  // Weights of +-2, embeddings of +-4, a state of +-8, similarities of 16 steps to the unit: all powers of two.
  const std::size_t matrices = memory_matrices(network.shape).size();
  network.scales = {.weights = std::vector<float>(matrices, network.scheme.one_bit_weights ? 0.25f : 0x1p-6f),
                    .embedded = std::vector<float>(matrices, 0x1p-5f),
                    .s = std::vector<float>(*request.hops, 0x1p-4f),
                    .u = std::vector<float>(*request.hops + 1, 0x1p-4f),
                    .query = std::vector<float>(*request.hops, 1)};
  network.parameters = coded_parameters(network.shape, network.scheme, network.scales, network.parameters);
  return network;
}

std::vector<Sentence> random_sentences(const BenchRequest& request, std::size_t count) {
  Random random(request.seed + 1);
  std::vector<Sentence> sentences(count);
  for (Sentence& sentence : sentences)
    for (std::size_t word = 0; word < *request.words; ++word)
      sentence.push_back(
          static_cast<std::int32_t>(random.between(1, static_cast<std::int64_t>(*request.vocabulary) - 1)));
  return sentences;
}

// Whether the network still reads a fact that has the share p: p is cut to the bits of its format (F3), or rounded to
// bits without a sign (S4).
bool reads(const MemoryScheme& scheme, float p) {
  return scheme.is_scaled() ? p >= std::ldexp(0.5f, -scheme.bits)
                            : p >= std::ldexp(1.0f, scheme.integer_bits + 1 - scheme.bits);
}

double mean_facts_read(MemorySession& session, const Memory& memory, const std::vector<Sentence>& questions) {
  std::size_t read = 0, hops = 0;
  for (std::size_t i = 0; i < kCountedQuestions; ++i) {
    const MemoryAnswer answer = session.explain(memory, questions[i * questions.size() / kCountedQuestions]);
    for (const std::vector<float>& hop : answer.attention) {
      ++hops;
      for (const float p : hop) read += reads(session.network().scheme, p);
    }
  }
  return static_cast<double>(read) / static_cast<double>(hops);
}

class MemoryRace {
 public:
  MemoryRace(const BenchRequest& request, const std::vector<Isa>& isas, std::size_t facts, std::optional<Peers>& peers)
      : request_(request), isas_(isas), facts_(facts), told_(random_sentences(request, facts)) {
    for (std::size_t i = 0; i < kQuestions; ++i) questions_.push_back(told_[i * facts / kQuestions]);
    for (const std::string& scheme : request.schemes) add_scheme(scheme);
    if (peers) add_peers(*peers);
  }

  std::vector<MemoryBenchRow> finish() {
    // Beside large memories a plain read of as many bytes: the roof at that very size and moment.
    const auto streamed = std::ranges::find_if(rows_, [](const MemoryBenchRow& row) { return row.bytes > 0; });
    const bool reads = facts_ >= kLeastStreamed && streamed != rows_.end();
    if (reads) {
      const auto read = std::make_shared<PlainRead>(streamed->bytes);
      contestants_.push_back({"read", clocked([read](std::size_t calls) { read->run(calls); })});
    }
    const std::vector<Timing> timings =
        measure(contestants_, {.repetitions = request_.repetitions, .race_seconds = kMemoryRaceSeconds});
    std::vector<MemoryBenchRow> timed;
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      if (!std::isfinite(timings[i].median)) continue;
      rows_[i].timing = timings[i];
      if (reads && rows_[i].bytes > 0) rows_[i].read = timings.back();
      timed.push_back(rows_[i]);
    }
    return timed;
  }

 private:
  void add(MemoryBenchRow row, const std::function<void(std::size_t)>& work) {
    row.version = version();
    rows_.push_back(std::move(row));
    contestants_.push_back({"quaver", clocked(work)});
  }

  void add_scheme(const std::string& scheme) {
    const MemoryNetwork network = random_network(request_, scheme);
    if (network.scheme.is_float()) return add_float(network);
    MemorySession maker(network, {.capacity = facts_});
    const auto stored = std::make_shared<Memory>(maker.empty_memory());
    for (const Sentence& fact : told_) maker.write(*stored, fact);
    const double facts_read = mean_facts_read(maker, *stored, questions_);
    for (const Isa isa : isas_) {
      const auto session =
          std::make_shared<MemorySession>(network, MemorySessionOptions{.capacity = facts_, .isa = isa});
      MemoryBenchRow row{.form = "stored",
                         .scheme = scheme,
                         .path = std::string(isa_name(isa)),
                         .peer = "",
                         .version = "",
                         .facts = facts_,
                         .bytes = facts_ * session->bytes_per_fact(),
                         .facts_read = facts_read};
      const auto next = std::make_shared<std::size_t>(0);
      if (facts_ <= kMostToldFacts) {
        row.form = "told";
        add(row, [this, session, next](std::size_t calls) {
          Memory memory = session->empty_memory();
          for (std::size_t call = 0; call < calls; ++call) {
            session->forget_all(memory);
            for (const Sentence& fact : told_) session->write(memory, fact);
            keep_ = keep_ + session->answer(memory, questions_[++*next % kQuestions]);
          }
        });
        row.form = "stored";
      }
      for (const std::size_t batch : stored_batches()) {
        row.batch = batch;
        row.bytes = batch == 1 ? facts_ * session->bytes_per_fact() : 0;
        if (batch == 1) {
          add(row, [this, session, stored, next](std::size_t calls) {
            for (std::size_t call = 0; call < calls; ++call)
              keep_ = keep_ + session->answer(*stored, questions_[++*next % kQuestions]);
          });
          continue;
        }
        std::vector<WordNumbers> asked;
        for (std::size_t i = 0; i < batch; ++i) asked.emplace_back(questions_[i % kQuestions]);
        add(row, [session, stored, asked, words = std::vector<std::int32_t>(batch)](std::size_t calls) mutable {
          for (std::size_t call = 0; call < calls; ++call) session->answer(*stored, asked, words);
        });
      }
      row.batch = 1;
      row.form = "write";
      row.bytes = 0;
      row.facts_read.reset();
      const auto full = isa == isas_.front() ? std::make_shared<Memory>(*stored) : nullptr;
      if (full == nullptr) continue;  // writing runs on no path of its own
      add(row, [this, session, full, next](std::size_t calls) {
        for (std::size_t call = 0; call < calls; ++call) session->write(*full, told_[++*next % told_.size()]);
      });
    }
  }

  // Those whose similarities a framework can still hold.
  std::vector<std::size_t> stored_batches() const {
    std::vector<std::size_t> batches;
    for (const std::size_t batch : request_.batch)
      if (batch == 1 || facts_ * batch <= kMostSimilarities) batches.push_back(batch);
    return batches;
  }

  // The forward pass of training: our float, in plain C++.
  void add_float(const MemoryNetwork& network) {
    if (facts_ > kTrainedFacts) return;
    std::vector<Story> stories(kQuestions);
    const auto text = [&](const Sentence& sentence) {
      std::vector<std::string> words;
      for (const std::int32_t word : sentence) words.push_back(network.words[static_cast<std::size_t>(word)]);
      return words;
    };
    for (std::size_t i = 0; i < kQuestions; ++i) {
      for (const Sentence& fact : told_) stories[i].facts.push_back(text(fact));
      stories[i].questions.push_back(
          {.words = text(questions_[i]), .answer = network.words[1], .facts = stories[i].facts.size()});
    }
    const auto data = std::make_shared<CodedStories>(stories, Vocabulary(network.words), kTrainedFacts);
    const auto kept = std::make_shared<MemoryNetwork>(network);
    add({.form = "told",
         .scheme = std::string(kFloatScheme),
         .path = "c++",
         .peer = "",
         .version = "",
         .facts = facts_,
         .batch = kQuestions},
        [data, kept](std::size_t calls) {
          for (std::size_t call = 0; call < calls; ++call) score_by_training_pass(*kept, *data);
        });
  }

  void add_peers(Peers& peers) {
    PeerShape shape{.cell = kMemoryCell, .reset = "", .hidden = *request_.embedding, .seed = request_.seed};
    shape.facts = facts_;
    shape.words = *request_.words;
    shape.vocabulary = *request_.vocabulary;
    shape.hops = *request_.hops;
    shape.batches = stored_batches();
    shape.told = facts_ <= kMostToldFacts;
    for (std::unique_ptr<Peer>& made : peers.make(shape)) {
      const std::shared_ptr<Peer> peer = std::move(made);
      rows_.push_back({.form = peer->stored() ? "stored" : "told",
                       .scheme = peer->scheme(),
                       .path = peer->path(),
                       .peer = peer->name(),
                       .version = peer->version(),
                       .facts = facts_,
                       .batch = peer->batch()});
      contestants_.push_back({peer->name(), [peer](std::size_t calls) { return peer->run(calls); }});
    }
  }

  const BenchRequest& request_;
  const std::vector<Isa>& isas_;
  std::size_t facts_;
  std::vector<Sentence> told_, questions_;
  std::vector<MemoryBenchRow> rows_;
  std::vector<Contestant> contestants_;
  volatile std::int32_t keep_ = 0;
};

// Of the others over our row of this scheme and path: with as many questions in a call where we have such a row, else
// one at a time.
std::vector<MemoryBenchRatio> ratios_of(const std::vector<MemoryBenchRow>& rows, const std::string& scheme,
                                        const std::string& path) {
  const auto lead = [&](const MemoryBenchRow& other, std::size_t batch) {
    return std::ranges::find_if(rows, [&](const MemoryBenchRow& row) {
      return row.peer.empty() && row.scheme == scheme && row.path == path && row.form == other.form &&
             row.facts == other.facts && row.batch == batch;
    });
  };
  std::vector<MemoryBenchRatio> ratios;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const MemoryBenchRow& other = rows[i];
    auto ours = lead(other, other.batch);
    if (ours == rows.end() || &*ours == &other) ours = lead(other, 1);
    if (ours == rows.end() || &*ours == &other) continue;
    Ratio ratio = ratio_of(other.timing, ours->timing);
    const double batches = static_cast<double>(ours->batch) / static_cast<double>(other.batch);
    for (double* value : {&ratio.median, &ratio.first_quartile, &ratio.third_quartile}) *value *= batches;
    ratios.push_back({static_cast<std::size_t>(ours - rows.begin()), i, ratio});
  }
  return ratios;
}

}  // namespace

void check_memory(const BenchRequest& request) {
  for (const std::string& scheme : request.schemes) require_known("scheme", scheme, memory_scheme_names());
  constexpr std::size_t kMost = std::size_t{1} << 33;
  for (const std::size_t facts : request.facts)
    if (const std::size_t found = std::max(facts, *request.vocabulary) * *request.embedding * *request.hops;
        found > kMost)
      throw_usage(concat("these sizes make a memory of ", readable_count(found), " numbers, expected ",
                         readable_count(kMost), " at most"));
}

BenchReport bench_memory(const BenchRequest& request, Listener& listener) {
  std::optional<Peers> peers;
  if (request.with_peers())
    peers.emplace(PeerOptions{.names = request.peers, .python = request.peer_python, .folder = {}});
  std::vector<Isa> isas = raced_paths(request);
  std::ranges::reverse(isas);  // the fastest leads
  MemoryBenchReport report{.embedding = *request.embedding,
                           .hops = *request.hops,
                           .words = *request.words,
                           .vocabulary = *request.vocabulary,
                           .scheme = request.schemes.front(),
                           .path = std::string(isa_name(isas.front())),
                           .rows = {},
                           .ratios = {}};
  const Roofline roofline = measure_roofline();
  for (const std::size_t facts : request.facts) {
    if (request.facts.size() > 1) listener.stage(concat(facts, " facts"));
    std::ranges::move(MemoryRace(request, isas, facts, peers).finish(), std::back_inserter(report.rows));
  }
  if (peers)
    for (const std::string& line : peers->news()) listener.warn(line);
  report.ratios = ratios_of(report.rows, report.scheme, report.path);
  BenchReport whole{.of_kind = std::move(report), .roofline = roofline};
  if (peers) whole.isa_limits = peers->isa_limits();
  return whole;
}

}  // namespace quaver
