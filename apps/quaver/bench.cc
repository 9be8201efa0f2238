// quaver bench: how long a step takes, ours and, with --peers, other engines on the same shape in the same run.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <variant>

#include "peers/peer.h"
#include "quaver/core/error.h"
#include "quaver/core/random.h"
#include "quaver/core/text.h"
#include "quaver/engine/session.h"
#include "quaver/io/model_file.h"
#include "quaver/quantize/quantize.h"
#include "quaver/report/inspect.h"
#include "quaver/report/table.h"
#include "quaver/report/timing.h"
#include "random_model.h"
#include "shared.h"
#include "verbs.h"

namespace quaver {
namespace {

constexpr std::size_t kRotatedInputs = 16;

struct BenchFlags {
  SharedFlags shared;
  std::string model;
  std::vector<std::string> cells{"lstm", "gru"}, schemes{"int8"};
  std::vector<std::size_t> hidden{128}, steps{1}, batch{1};
  std::size_t input = 40, projection = 0;
  bool cifg = false, peephole = false, layer_norm = false, all_paths = false, peers = false, pin = false;
  std::size_t repetitions = 41;
  std::uint64_t seed = 1;
};

// What one row of the result measures.
struct Row {
  std::string cell, scheme, path, peer, version;
  std::size_t hidden = 0, input = 0, batch = 1, steps = 1, threads = 1;
  std::uint64_t macs = 0;  // of one step of one sequence
  std::size_t bytes_per_step = 0;
  Timing timing;  // of one call: `steps` steps of `batch` sequences

  double us_per_step() const { return 1e6 * timing.median / static_cast<double>(steps); }
  double spread_us() const { return 1e6 * timing.spread / static_cast<double>(steps); }
  double gmacs_per_s() const { return static_cast<double>(macs * batch) / us_per_step() * 1e-3; }
};

// Frames to feed: codes for integer models, so that only the model's own work is timed, reals or ids for others.
class Work {
 public:
  Work(const Model& model, const Row& row, Isa isa, std::uint64_t seed)
      : session_(model, {.threads = row.threads, .isa = isa}), batch_(row.batch), steps_(row.steps) {
    Random random(seed);
    const std::size_t features = session_.input_features(), frames = kRotatedInputs * row.batch * row.steps;
    const FormatKind kind = model.input.format.kind;
    if (kind == FormatKind::kI32) {
      const auto& first = std::get<EmbeddingAttributes>(model.nodes.at(0).operation);
      for (std::size_t i = 0; i < frames; ++i)
        ids_.push_back(static_cast<std::int32_t>(random.between(0, first.vocabulary - 1)));
    } else if (kind == FormatKind::kI8) {
      for (std::size_t i = 0; i < frames * features; ++i)
        codes_.push_back(static_cast<std::int8_t>(random.between(-128, 127)));
    } else {
      for (std::size_t i = 0; i < frames * features; ++i) real_.push_back(static_cast<float>(random.uniform(-1, 1)));
    }
    if (streams()) states_.push_back(session_.initial_state());
    scores_.resize(session_.score_count());
  }

  std::size_t weight_bytes() const { return session_.weight_bytes(); }

  void run(std::size_t calls) {
    for (std::size_t call = 0; call < calls; ++call) {
      next_ = (next_ + 1) % kRotatedInputs;
      if (streams()) {
        for (std::size_t t = 0; t < steps_; ++t) step(next_ * steps_ + t);
      } else {
        std::vector<SequenceView> views;
        for (std::size_t i = 0; i < batch_; ++i) views.push_back(sequence((next_ * batch_ + i) * steps_));
        session_.run(views);
      }
    }
  }

 private:
  bool streams() const { return batch_ == 1 && session_.streams(); }
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
  SequenceView sequence(std::size_t frame) const {
    return {steps_, cut(real_, frame, steps_), cut(ids_, frame, steps_), cut(codes_, frame, steps_)};
  }

  Session session_;
  std::size_t batch_, steps_;
  std::vector<float> real_;
  std::vector<std::int32_t> ids_;
  std::vector<std::int8_t> codes_;
  std::vector<State> states_;
  std::vector<float> scores_;
  std::size_t next_ = 0;
};

// Everything that is timed in turns on one shape.
class Race {
 public:
  Race(const BenchFlags& flags, const std::vector<Isa>& isas) : flags_(flags), isas_(isas) {}

  void add(const Model& model, Row row) {
    row.macs = inspect(model).macs;
    row.scheme = model.scheme;
    row.version = QUAVER_VERSION;
    for (const Isa isa : isas_) {
      auto work = std::make_shared<Work>(model, row, isa, flags_.seed);
      row.path = isa_name(isa);
      row.bytes_per_step = work->weight_bytes();
      rows_.push_back(row);
      contestants_.push_back({"quaver", [work](std::size_t calls) { work->run(calls); }});
    }
  }
  void add_peers(Row row) {
    const PeerShape shape{row.cell, row.input, row.hidden, row.batch, row.steps, row.threads, flags_.seed};
    for (std::unique_ptr<Peer>& made : make_peers(shape)) {
      const std::shared_ptr<Peer> peer = std::move(made);
      row.peer = peer->name();
      row.version = peer->version();
      row.scheme = peer->scheme();
      row.path = peer->path();
      row.bytes_per_step = peer->weight_bytes();
      row.macs = rows_.front().macs;
      rows_.push_back(row);
      contestants_.push_back({peer->name(), [peer](std::size_t calls) { peer->run(calls); }});
    }
  }
  std::vector<Row> finish() {
    const std::vector<Timing> timings = measure(contestants_, {.repetitions = flags_.repetitions});
    for (std::size_t i = 0; i < rows_.size(); ++i) rows_[i].timing = timings[i];
    return std::move(rows_);
  }

 private:
  const BenchFlags& flags_;
  std::vector<Isa> isas_;
  std::vector<Row> rows_;
  std::vector<Contestant> contestants_;
};

std::vector<Isa> paths(const BenchFlags& flags) {
  if (!flags.all_paths) return {chosen_isa()};
  std::vector<Isa> isas;
  for (const Isa isa : all_isas())
    if (isa_supported(isa)) isas.push_back(isa);
  return isas;
}

Row row_of(const Model& model) {
  Row row;
  row.cell = "none";
  row.input = static_cast<std::size_t>(model.input.features);
  for (const Node& node : model.nodes) {
    const auto adopt = [&](std::int64_t hidden) {
      row.cell = operation_name(node.operation);
      row.hidden = static_cast<std::size_t>(hidden);
    };
    if (row.hidden > 0) break;
    if (const auto* lstm = std::get_if<LstmAttributes>(&node.operation)) adopt(lstm->hidden_size);
    if (const auto* gru = std::get_if<GruAttributes>(&node.operation)) adopt(gru->hidden_size);
    if (const auto* rnn = std::get_if<RnnAttributes>(&node.operation)) adopt(rnn->hidden_size);
  }
  return row;
}

std::vector<Row> bench_model(const BenchFlags& flags, const std::vector<Isa>& isas) {
  const Model model = load(flags.model);
  std::vector<Row> rows;
  for (const std::size_t batch : flags.batch) {
    for (const std::size_t steps : flags.steps) {
      Row row = row_of(model);
      row.batch = batch;
      row.steps = steps;
      row.threads = batch > 1 ? flags.shared.threads : 1;
      Race race(flags, isas);
      race.add(model, row);
      std::ranges::move(race.finish(), std::back_inserter(rows));
    }
  }
  return rows;
}

std::vector<Row> bench_shapes(const BenchFlags& flags, const std::vector<Isa>& isas) {
  std::vector<Row> rows;
  for (const std::string& cell : flags.cells) {
    for (const std::size_t hidden : flags.hidden) {
      std::vector<Model> models;
      for (const std::string& scheme : flags.schemes) {
        models.push_back(random_model({.cell = cell,
                                       .input = flags.input,
                                       .hidden = hidden,
                                       .projection = cell == "lstm" ? flags.projection : 0,
                                       .cifg = flags.cifg,
                                       .peephole = flags.peephole,
                                       .layer_norm = flags.layer_norm,
                                       .scheme = scheme,
                                       .seed = flags.seed}));
      }
      for (const std::size_t batch : flags.batch) {
        for (const std::size_t steps : flags.steps) {
          Row row = row_of(models.front());
          row.batch = batch;
          row.steps = steps;
          row.threads = batch > 1 ? flags.shared.threads : 1;
          Race race(flags, isas);
          for (const Model& model : models) race.add(model, row);
          const bool plain = !flags.cifg && !flags.peephole && !flags.layer_norm && flags.projection == 0;
          if (flags.peers && plain) race.add_peers(row);
          std::ranges::move(race.finish(), std::back_inserter(rows));
        }
      }
    }
  }
  return rows;
}

void run_bench(const BenchFlags& flags) {
  for (const std::string& cell : flags.cells) require_known("cell", cell, {"lstm", "gru", "rnn"});
  for (const std::string& scheme : flags.schemes) require_known("scheme", scheme, scheme_names());
  if (flags.peers && linked_peers().empty())
    warn("no peer was linked into this program (Debian: libdnnl-dev for oneDNN), so there are no peer rows");
  if (flags.pin && !pin_to_current_cpu()) warn("the system does not let this program bind itself to one CPU");
  const std::vector<Isa> isas = paths(flags);
  const std::vector<Row> rows = flags.model.empty() ? bench_shapes(flags, isas) : bench_model(flags, isas);

  Table table({{"engine", Align::kLeft},
               {"cell", Align::kLeft},
               {"hidden"},
               {"input"},
               {"batch"},
               {"steps"},
               {"scheme", Align::kLeft},
               {"threads"},
               {"us/step"},
               {"+-"},
               {"GMAC/s"},
               {"bytes/step"},
               {"path", Align::kLeft}});
  nlohmann::ordered_json results = nlohmann::ordered_json::array();
  for (const Row& row : rows) {
    table.add_row({row.peer.empty() ? "quaver" : row.peer, row.cell, std::to_string(row.hidden),
                   std::to_string(row.input), std::to_string(row.batch), std::to_string(row.steps), row.scheme,
                   std::to_string(row.threads), fixed_text(row.us_per_step(), 3), fixed_text(row.spread_us(), 3),
                   fixed_text(row.gmacs_per_s(), 2), std::to_string(row.bytes_per_step), row.path});
    nlohmann::ordered_json json = {{"cell", row.cell},
                                   {"hidden", row.hidden},
                                   {"input", row.input},
                                   {"batch", row.batch},
                                   {"steps", row.steps},
                                   {"scheme", row.scheme},
                                   {"path", row.path},
                                   {"threads", row.threads},
                                   {"us_per_step", row.us_per_step()},
                                   {"spread_us", row.spread_us()},
                                   {"least_us", 1e6 * row.timing.least / static_cast<double>(row.steps)},
                                   {"gmacs_per_s", row.gmacs_per_s()},
                                   {"bytes_per_step", row.bytes_per_step},
                                   {"macs", row.macs},
                                   {"peer", nullptr},
                                   {"version", row.version}};
    if (!row.peer.empty()) json["peer"] = row.peer;
    results.push_back(std::move(json));
  }
  print_result(flags.shared, {{"cpu", cpu_name()}, {"repetitions", flags.repetitions}, {"results", std::move(results)}},
               table.text() + fmt::format("\n{}; median of {} repetitions, +- half the distance of the quartiles\n",
                                          cpu_name(), flags.repetitions));
}

}  // namespace

void add_bench(CLI::App& program) {
  auto flags = std::make_shared<BenchFlags>();
  flags->shared.threads = 1;
  CLI::App* verb = program.add_subcommand("bench", "Time a step of a model, or of a cell with random weights");
  const auto sizes = [&](const char* name, std::vector<std::size_t>& values, const char* help) {
    return verb->add_option(name, values, help)
        ->delimiter(',')
        ->allow_extra_args(false)
        ->check(CLI::Range(std::size_t{1}, std::size_t{65536}))
        ->capture_default_str();
  };
  CLI::Option* model = verb->add_option("model", flags->model, "Model file; without one the shape that the flags say");
  verb->add_option("--cell", flags->cells, "lstm, gru, rnn; a list is separated by commas")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->capture_default_str()
      ->excludes(model);
  sizes("--hidden", flags->hidden, "Units; a list as well")->excludes(model);
  verb->add_option("--input-size", flags->input, "Features of a step")
      ->check(CLI::Range(std::size_t{1}, std::size_t{65536}))
      ->capture_default_str()
      ->excludes(model);
  sizes("--steps", flags->steps, "Steps in one call; 1 is a stream; a list as well");
  sizes("--batch", flags->batch, "Sequences that advance together; a list as well");
  verb->add_option("--scheme", flags->schemes, "int8, int8_per_tensor, f32; a list as well")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->capture_default_str()
      ->excludes(model);
  verb->add_option("--projection", flags->projection, "lstm: size of the projected output; 0: none")
      ->capture_default_str();
  verb->add_flag("--cifg", flags->cifg, "lstm: input gate = 1 - forget gate");
  verb->add_flag("--peephole", flags->peephole, "lstm: gates see the cell");
  verb->add_flag("--layer-norm", flags->layer_norm, "lstm: layer norm inside the cell");
  verb->add_flag("--peers", flags->peers, "Also time other engines on the same shape, in turns with ours");
  verb->add_flag("--all-paths", flags->all_paths, "A row for every path this CPU can run");
  verb->add_flag("--pin", flags->pin, "Bind to one CPU (with one thread)");
  verb->add_option("--repetitions", flags->repetitions, "Of each row")
      ->check(CLI::Range(std::size_t{1}, std::size_t{100000}))
      ->capture_default_str();
  verb->add_option("--seed", flags->seed, "Of weights and inputs")->capture_default_str();
  flags->shared.add_to(*verb);
  verb->callback([flags] { run_bench(*flags); });
}

}  // namespace quaver
