#include "bench_memory.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "checks.h"
#include "peers/peer.h"
#include "quaver/core/error.h"
#include "quaver/core/random.h"
#include "quaver/core/text.h"
#include "quaver/engine/memory/memory_session.h"
#include "quaver/files/atomic_file.h"
#include "quaver/report/machine/roofline.h"
#include "quaver/report/machine/timing.h"
#include "quaver/report/show/table.h"
#include "quaver/train/memory/train.h"
#include "shared.h"

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

// What one row measures. told: all facts of a question are written, then it is answered; stored: the facts are there;
// write: one fact more in a full memory.
struct Row {
  std::string form, scheme, path, peer, version;
  std::size_t facts = 0, batch = 1;
  std::size_t bytes = 0;  // of codes that a question compares with
  // Facts that have a weight, mean over hops and some questions: a network that reads none answers from the question
  // alone. Known of ours that answer from codes.
  std::optional<double> facts_read{};
  Timing timing{};  // of one call
  std::optional<Timing> read{};

  double us() const { return 1e6 * timing.median / static_cast<double>(batch); }  // a question, or a fact written
  double facts_per_second() const { return static_cast<double>(facts * batch) / timing.median; }
};

MemoryNetwork random_network(const MemoryBench& bench, const std::string& scheme_name) {
  MemoryNetwork network;
  network.name = "random";
  network.shape = {.vocabulary = bench.vocabulary,
                   .memory = kTrainedFacts,
                   .d = bench.embedding,
                   .hops = bench.hops,
                   .sentence = bench.words,
                   .tying = MemoryTying::kLayerwise,
                   .encoding = SentenceEncoding::kWords};
  network.scheme = memory_scheme_from_name(scheme_name);
  network.scheme.integer_only = network.scheme.integer_only || network.scheme.is_fixed();
  network.words.emplace_back();
  for (std::size_t word = 1; word < bench.vocabulary; ++word) network.words.push_back(concat("w", word));
  Random random(bench.seed);
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
                    .s = std::vector<float>(bench.hops, 0x1p-4f),
                    .u = std::vector<float>(bench.hops + 1, 0x1p-4f),
                    .query = std::vector<float>(bench.hops, 1)};
  network.parameters = coded_parameters(network.shape, network.scheme, network.scales, network.parameters);
  return network;
}

std::vector<Sentence> random_sentences(const MemoryBench& bench, std::size_t count) {
  Random random(bench.seed + 1);
  std::vector<Sentence> sentences(count);
  for (Sentence& sentence : sentences)
    for (std::size_t word = 0; word < bench.words; ++word)
      sentence.push_back(static_cast<std::int32_t>(random.between(1, static_cast<std::int64_t>(bench.vocabulary) - 1)));
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
  MemoryRace(const MemoryBench& bench, std::size_t facts, std::optional<Peers>& peers)
      : bench_(bench), facts_(facts), told_(random_sentences(bench, facts)) {
    for (std::size_t i = 0; i < kQuestions; ++i) questions_.push_back(told_[i * facts / kQuestions]);
    for (const std::string& scheme : bench.schemes) add_scheme(scheme);
    if (peers) add_peers(*peers);
  }

  std::vector<Row> finish() {
    // Beside large memories a plain read of as many bytes: the roof at that very size and moment.
    const auto streamed = std::ranges::find_if(rows_, [](const Row& row) { return row.bytes > 0; });
    const bool reads = facts_ >= kLeastStreamed && streamed != rows_.end();
    if (reads) {
      const auto read = std::make_shared<PlainRead>(streamed->bytes);
      contestants_.push_back({"read", clocked([read](std::size_t calls) { read->run(calls); })});
    }
    const std::vector<Timing> timings =
        measure(contestants_, {.repetitions = bench_.repetitions, .race_seconds = kMemoryRaceSeconds});
    std::vector<Row> timed;
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      if (!std::isfinite(timings[i].median)) continue;
      rows_[i].timing = timings[i];
      if (reads && rows_[i].bytes > 0) rows_[i].read = timings.back();
      timed.push_back(rows_[i]);
    }
    return timed;
  }

 private:
  void add(Row row, const std::function<void(std::size_t)>& work) {
    row.version = QUAVER_VERSION;
    rows_.push_back(std::move(row));
    contestants_.push_back({"quaver", clocked(work)});
  }

  void add_scheme(const std::string& scheme) {
    const MemoryNetwork network = random_network(bench_, scheme);
    if (network.scheme.is_float()) return add_float(network);
    MemorySession maker(network, {.capacity = facts_});
    const auto stored = std::make_shared<Memory>(maker.empty_memory());
    for (const Sentence& fact : told_) maker.write(*stored, fact);
    const double facts_read = mean_facts_read(maker, *stored, questions_);
    for (const Isa isa : bench_.isas) {
      const auto session =
          std::make_shared<MemorySession>(network, MemorySessionOptions{.capacity = facts_, .isa = isa});
      Row row{.form = "stored",
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
      const auto full = isa == bench_.isas.front() ? std::make_shared<Memory>(*stored) : nullptr;
      if (full == nullptr) continue;  // writing runs on no path of its own
      add(row, [this, session, full, next](std::size_t calls) {
        for (std::size_t call = 0; call < calls; ++call) session->write(*full, told_[++*next % told_.size()]);
      });
    }
  }

  // Those whose similarities a framework can still hold.
  std::vector<std::size_t> stored_batches() const {
    std::vector<std::size_t> batches;
    for (const std::size_t batch : bench_.batch)
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
    PeerShape shape{.cell = kMemoryCell, .reset = "", .hidden = bench_.embedding, .seed = bench_.seed};
    shape.facts = facts_;
    shape.words = bench_.words;
    shape.vocabulary = bench_.vocabulary;
    shape.hops = bench_.hops;
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

  const MemoryBench& bench_;
  std::size_t facts_;
  std::vector<Sentence> told_, questions_;
  std::vector<Row> rows_;
  std::vector<Contestant> contestants_;
  volatile std::int32_t keep_ = 0;
};

// How many times as long the others take for a question as our first scheme on its fastest path: with as many questions
// in a call where we have such a row, else one at a time.
struct Gain {
  const Row* ours;
  const Row* other;
  Ratio ratio;
};
std::vector<Gain> gains(const std::vector<Row>& rows, const std::string& scheme, Isa isa) {
  const auto lead = [&](const Row& other, std::size_t batch) {
    return std::ranges::find_if(rows, [&](const Row& row) {
      return row.peer.empty() && row.scheme == scheme && row.path == isa_name(isa) && row.form == other.form &&
             row.facts == other.facts && row.batch == batch;
    });
  };
  std::vector<Gain> all;
  for (const Row& other : rows) {
    auto ours = lead(other, other.batch);
    if (ours == rows.end() || &*ours == &other) ours = lead(other, 1);
    if (ours == rows.end() || &*ours == &other) continue;
    Ratio ratio = ratio_of(other.timing, ours->timing);
    const double batches = static_cast<double>(ours->batch) / static_cast<double>(other.batch);
    for (double* value : {&ratio.median, &ratio.first_quartile, &ratio.third_quartile}) *value *= batches;
    all.push_back({&*ours, &other, ratio});
  }
  return all;
}

std::string name_of(const Row& row) { return row.peer.empty() ? "quaver" : row.peer; }

}  // namespace

void run_memory_bench(const MemoryBench& bench) {
  constexpr std::size_t kMost = std::size_t{1} << 33;
  for (const std::size_t facts : bench.facts)
    if (const std::size_t found = std::max(facts, bench.vocabulary) * bench.embedding * bench.hops; found > kMost)
      throw_usage(concat("these sizes make a memory of ", readable_count(found), " numbers, expected ",
                         readable_count(kMost), " at most"));
  std::optional<Peers> peers;
  if (bench.peers || !bench.peer_names.empty())
    peers.emplace(PeerOptions{.names = bench.peer_names, .python = bench.peer_python, .folder = {}});
  const Roofline roofline = measure_roofline();
  std::vector<Row> rows;
  for (const std::size_t facts : bench.facts) {
    if (bench.facts.size() > 1) say(fmt::format("{} facts", facts));
    std::ranges::move(MemoryRace(bench, facts, peers).finish(), std::back_inserter(rows));
  }
  if (peers)
    for (const std::string& line : peers->news()) warn(line);

  Table table({{"facts"},
               {"form", Align::kLeft},
               {"engine", Align::kLeft},
               {"scheme", Align::kLeft},
               {"path", Align::kLeft},
               {"batch"},
               {"us"},
               {"+-"},
               {"read"},
               {"per second"},
               {"facts/s"},
               {"GB/s"},
               {"in", Align::kLeft},
               {"roof %"},
               {"read %"}});
  nlohmann::ordered_json results = nlohmann::ordered_json::array();
  for (const Row& row : rows) {
    const bool reads = row.bytes > 0;
    const double bytes_per_second = static_cast<double>(row.bytes) / row.timing.median;
    const MemoryLevel& level = level_of(roofline, row.bytes);
    const double roof = 100 * bytes_per_second / level.bytes_per_second;
    const double read = row.read ? 100 * row.read->median / row.timing.median : 0;
    const double spread = 1e6 * row.timing.spread / static_cast<double>(row.batch);
    table.add_row({std::to_string(row.facts), row.form, name_of(row), row.scheme, row.path, std::to_string(row.batch),
                   significant_text(row.us(), 4), significant_text(spread, 2),
                   row.facts_read ? fixed_text(*row.facts_read, 1) : "", significant_text(1e6 / row.us(), 4),
                   row.form == "write" ? "" : significant_text(row.facts_per_second(), 4),
                   reads ? fixed_text(bytes_per_second * 1e-9, 1) : "", reads ? level.name : "",
                   reads ? fixed_text(roof, 0) : "", row.read ? fixed_text(read, 0) : ""});
    // The keys of every row of 'bench' first: a question is the step of a memory network.
    results.push_back({{"cell", kMemoryCell},
                       {"hidden", bench.embedding},
                       {"input", bench.words},
                       {"steps", 1},
                       {"us_per_step", row.us()},
                       {"gmacs_per_s", nullptr},
                       {"bytes_per_step", row.bytes},
                       {"form", row.form},
                       {"facts", row.facts},
                       {"embedding", bench.embedding},
                       {"hops", bench.hops},
                       {"words", bench.words},
                       {"vocabulary", bench.vocabulary},
                       {"batch", row.batch},
                       {"scheme", row.scheme},
                       {"path", row.path},
                       {"threads", 1},
                       {"us_per_question", row.us()},
                       {"spread_us", spread},
                       {"repetitions", row.timing.repetitions},
                       {"per_second", 1e6 / row.us()},
                       {"facts_per_s", row.form == "write" ? 1e6 / row.us() : row.facts_per_second()},
                       {"bytes_per_question", row.bytes},
                       {"facts_read", row.facts_read ? nlohmann::ordered_json(*row.facts_read) : nullptr},
                       {"gb_per_s", bytes_per_second * 1e-9},
                       {"roof_share", reads ? nlohmann::ordered_json(roof / 100) : nullptr},
                       {"read_share", row.read ? nlohmann::ordered_json(read / 100) : nullptr},
                       {"peer", row.peer.empty() ? nlohmann::ordered_json(nullptr) : nlohmann::ordered_json(row.peer)},
                       {"version", row.version}});
  }
  std::string text = fmt::format(
      "MemN2N, layer-wise, bag of words: {} numbers, {} hops, sentences of {} of {} words, one thread; read: facts "
      "that have a weight, a hop\n{}\n{}",
      bench.embedding, bench.hops, bench.words, bench.vocabulary, to_text(roofline), table.text());
  nlohmann::ordered_json ratios = nlohmann::ordered_json::array();
  Table compared({{"facts"},
                  {"form", Align::kLeft},
                  {"engine", Align::kLeft},
                  {"scheme", Align::kLeft},
                  {"path", Align::kLeft},
                  {"batch"},
                  {"ours"},
                  {"times as long"},
                  {"quartiles"}});
  for (const Gain& gain : gains(rows, bench.schemes.front(), bench.isas.front())) {
    compared.add_row(
        {std::to_string(gain.other->facts), gain.other->form, name_of(*gain.other), gain.other->scheme,
         gain.other->path, std::to_string(gain.other->batch), std::to_string(gain.ours->batch),
         fixed_text(gain.ratio.median, 2),
         fmt::format("{} to {}", fixed_text(gain.ratio.first_quartile, 2), fixed_text(gain.ratio.third_quartile, 2))});
    ratios.push_back({{"facts", gain.other->facts},
                      {"form", gain.other->form},
                      {"peer", gain.other->peer},
                      {"scheme", gain.other->scheme},
                      {"path", gain.other->path},
                      {"batch", gain.other->batch},
                      {"our_batch", gain.ours->batch},
                      {"ratio", gain.ratio.median},
                      {"first_quartile", gain.ratio.first_quartile},
                      {"third_quartile", gain.ratio.third_quartile}});
  }
  if (compared.row_count() > 0)
    text += fmt::format("\nA question there over one of {} on {} here (ours: how many a call), turn by turn:\n{}",
                        bench.schemes.front(), isa_name(bench.isas.front()), compared.text());
  const nlohmann::ordered_json json{
      {"results", results}, {"ratios", ratios},          {"roofline", to_json(roofline)},
      {"cpu", cpu_name()},  {"command", command_line()}, {"repetitions", bench.repetitions}};
  if (!bench.save.empty()) {
    write_file_atomically(bench.save.string() + ".json", json_text(json, 1) + "\n");
    write_file_atomically(bench.save.string() + ".md",
                          fmt::format("# quaver bench\n\n    {}\n\n```\n{}```\n", command_line(), text));
  }
  print_result(bench.shared, json, text);
}

}  // namespace quaver
