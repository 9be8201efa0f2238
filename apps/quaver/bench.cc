// quaver bench: how long a step takes, ours and, with --peers, other engines on the same shape in the same run.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <filesystem>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <type_traits>
#include <utility>

#include "bench_memory.h"
#include "bench_presets.h"
#include "bench_race.h"
#include "bench_report.h"
#include "checks.h"
#include "given_flags.h"
#include "peers/peer.h"
#include "quaver/core/error.h"
#include "quaver/core/text.h"
#include "quaver/engine/sequence/session.h"
#include "quaver/files/atomic_file.h"
#include "quaver/files/command_files.h"
#include "quaver/io/model_file/model_file.h"
#include "quaver/model/formats/scheme.h"
#include "quaver/model/memory/memory_network.h"
#include "quaver/quantize/quantize.h"
#include "quaver/report/show/table.h"
#include "random_model.h"
#include "shared.h"
#include "verbs.h"

namespace quaver {
namespace {

constexpr double kRaceSeconds = 20;
constexpr std::size_t kLoads = 21;

struct BenchFlags {
  SharedFlags shared;
  std::string model;
  std::vector<std::string> presets, cells{"lstm", "gru"}, resets{"after"}, schemes{std::string(kDefaultScheme)}, frames,
      peer_names;
  std::vector<std::size_t> hidden{128}, steps{1}, batch{1}, streams{1};
  std::size_t input = 40, projection = 0;
  bool cifg = false, peephole = false, layer_norm = false, all_paths = false, peers = false, pin = false;
  std::string peer_python = "python3";
  std::size_t repetitions = 41;
  std::uint64_t seed = 1;
  std::filesystem::path save, plot;
  MemoryBench memory;

  bool of_memory() const { return model.empty() && presets.empty() && cells == std::vector<std::string>{kMemoryCell}; }
  bool with_peers() const { return peers || !peer_names.empty(); }
  bool plain_cell() const { return !cifg && !peephole && !layer_norm && projection == 0; }
};

// The chosen path, or all of them: the chosen one still leads the comparisons.
std::vector<Isa> paths(const BenchFlags& flags) {
  if (!flags.all_paths) return {chosen_isa()};
  std::vector<Isa> isas;
  for (const Isa isa : all_isas())
    if (isa_supported(isa)) isas.push_back(isa);
  return isas;
}

// One step of many streams, or many steps of one sequence, or of many: every combination that means something.
std::vector<BenchShape> with_counts(BenchShape shape, const BenchFlags& flags) {
  std::vector<BenchShape> shapes;
  for (const std::size_t batch : flags.batch) {
    for (const std::size_t steps : flags.steps) {
      shape.batch = batch, shape.steps = steps, shape.streams = 1;
      shapes.push_back(shape);
    }
  }
  shape.batch = shape.steps = 1;
  for (const std::size_t streams : flags.streams) {
    shape.streams = streams;
    if (streams > 1) shapes.push_back(shape);
  }
  return shapes;
}

std::vector<BenchShape> shapes_of(const BenchFlags& flags) {
  std::vector<BenchShape> shapes;
  for (const std::string& preset : flags.presets) std::ranges::copy(preset_shapes(preset), std::back_inserter(shapes));
  if (!flags.presets.empty()) return shapes;
  for (const std::string& cell : flags.cells) {
    const bool has_reset = has_field(operation_from_name(cell), "linear_before_reset");
    for (const std::string& reset : has_reset ? flags.resets : std::vector<std::string>{""}) {
      for (const std::size_t hidden : flags.hidden) {
        const BenchShape shape{
            .cell = cell, .reset = reset, .input = flags.input == 0 ? hidden : flags.input, .hidden = hidden};
        std::ranges::copy(with_counts(shape, flags), std::back_inserter(shapes));
      }
    }
  }
  return shapes;
}

std::vector<std::string> distinct(std::vector<std::string> names) {
  std::ranges::sort(names);
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

BenchShape shape_of(const Model& model) {
  BenchShape shape{.cell = "none", .input = static_cast<std::size_t>(model.inputs[0].value.size()), .hidden = 0};
  const auto layer = std::ranges::find_if(model.nodes, [](const Node& node) { return is_recurrent(node.operation); });
  if (layer == model.nodes.end()) return shape;
  shape.cell = operation_name(layer->operation);
  visit_fields(layer->operation, [&]<typename T>(std::string_view name, const T& value) {
    if constexpr (std::is_same_v<T, std::int64_t>)
      if (name == "hidden_size") shape.hidden = static_cast<std::size_t>(value);
    if constexpr (std::is_same_v<T, bool>)
      if (name == "linear_before_reset") shape.reset = value ? "after" : "before";
  });
  return shape;
}

// Sizes are bounded one by one; their products decide what fits into a memory.
void require_fitting(const std::vector<BenchShape>& shapes, const BenchFlags& flags) {
  constexpr std::size_t kMost = std::size_t{1} << 30;
  const auto require = [](const char* what, std::size_t found) {
    if (found > kMost)
      throw_usage(concat("these sizes make ", readable_count(found), " ", what, ", expected ", readable_count(kMost),
                         " at most"));
  };
  for (const BenchShape& shape : shapes) {
    if (shape.hidden > 0) {
      const Operation cell = operation_from_name(shape.cell);
      const std::size_t gates = row_of(cell).gates(cell).size();
      require("weights", gates * shape.hidden * (shape.input + shape.hidden));
      if (has_field(cell, "projection_size"))
        require("weights", flags.projection * (shape.hidden + gates * shape.hidden));
    }
    const std::size_t frames = shape.batch * shape.steps * shape.streams;
    require("frames", frames);
    require("numbers in frames", frames * (shape.input + shape.hidden));
  }
}

class Bench {
 public:
  explicit Bench(const BenchFlags& flags)
      : flags_(flags),
        options_{.isas = paths(flags),
                 .frames = {},
                 .seed = flags.seed,
                 .timing = {.repetitions = flags.repetitions, .race_seconds = kRaceSeconds}} {
    for (const std::string& name : flags.frames) options_.frames.push_back(frames_from_name(name));
    if (options_.frames.empty()) options_.frames.push_back(Frames::kReal);
    if (flags.with_peers()) {
      if (flags.frames.empty()) options_.frames.push_back(Frames::kCodes);
      peers_.emplace(PeerOptions{.names = flags.peer_names, .python = flags.peer_python, .folder = {}});
    }
  }

  BenchResult run() {
    if (flags_.model.empty())
      run_shapes();
    else
      run_model();
    const std::string scheme = flags_.model.empty() ? flags_.schemes.front() : result_.rows.front().scheme;
    result_.ratios = peer_ratios(result_.rows, scheme, chosen_isa());
    result_.own_ratios = own_ratios(result_.rows, scheme, chosen_isa());
    return std::move(result_);
  }

 private:
  void run_shapes() {
    result_.roofline = measure_roofline();
    const std::vector<BenchShape> shapes = shapes_of(flags_);
    for (std::size_t i = 0; i < shapes.size(); ++i) {
      if (shapes.size() > 1)
        say(fmt::format("{} of {}: {} hidden {} input {} batch {} streams {} steps {}", i + 1, shapes.size(),
                        shapes[i].cell, shapes[i].hidden, shapes[i].input, shapes[i].batch, shapes[i].streams,
                        shapes[i].steps));
      race(shapes[i]);
    }
  }

  void run_model() {
    const Model model = load(flags_.model);
    if (model.inputs.size() > 1)
      throw_bad_input(concat(flags_.model, " has ", model.inputs.size(),
                             " inputs, expected one: bench draws frames for "
                             "a single input"));
    const std::vector<BenchShape> shapes = with_counts(shape_of(model), flags_);
    require_fitting(shapes, flags_);
    if (!flags_.plot.empty() && Session(model).weight_bytes() == 0)
      throw_bad_input(concat(flags_.model, ": no node has weights, over whose bytes --plot would draw it"));
    result_.roofline = measure_roofline();
    for (const BenchShape& shape : shapes) {
      Race race(options_);
      for (const std::size_t threads : thread_counts()) race.add(model, row_of(shape, threads));
      std::ranges::move(race.finish(), std::back_inserter(result_.rows));
    }
  }

  // One thread as well as many, in turns: that is the comparison that matters.
  std::vector<std::size_t> thread_counts() const {
    const std::size_t most = flags_.shared.thread_count();
    return most > 1 ? std::vector<std::size_t>{1, most} : std::vector<std::size_t>{1};
  }

  static BenchRow row_of(const BenchShape& shape, std::size_t threads) {
    BenchRow row;
    row.shape = shape;
    row.threads = threads;
    return row;
  }

  void race(const BenchShape& shape) {
    Race race(options_);
    for (const std::size_t threads : thread_counts()) {
      BenchRow row = row_of(shape, threads);
      if (flags_.plain_cell())
        row.input_share = static_cast<double>(shape.input) / static_cast<double>(shape.input + shape.hidden);
      for (const std::string& scheme : flags_.schemes) race.add(model_of(shape, scheme), row);
    }
    if (peers_ && flags_.plain_cell()) race.add_peers(row_of(shape, thread_counts().back()), *peers_);
    std::ranges::move(race.finish(), std::back_inserter(result_.rows));
    if (!peers_) return;
    for (const std::string& line : peers_->news()) warn(line);
  }

  // Shapes that differ in steps alone follow each other: their model is made once.
  const Model& model_of(const BenchShape& shape, const std::string& scheme) {
    const std::string key = concat(shape.cell, ' ', shape.reset, ' ', shape.input, ' ', shape.hidden);
    if (key != models_of_) models_.clear();
    models_of_ = key;
    const auto found = models_.find(scheme);
    if (found != models_.end()) return found->second;
    RandomModelOptions options{.cell = shape.cell,
                               .input = shape.input,
                               .hidden = shape.hidden,
                               .projection = flags_.projection,
                               .cifg = flags_.cifg,
                               .peephole = flags_.peephole,
                               .layer_norm = flags_.layer_norm,
                               .linear_before_reset = shape.reset != "before",
                               .scheme = scheme,
                               .seed = flags_.seed};
    return models_.emplace(scheme, random_model(options)).first->second;
  }

  const BenchFlags& flags_;
  RaceOptions options_;
  std::optional<Peers> peers_;
  std::string models_of_;
  std::map<std::string, Model> models_;  // by scheme
  BenchResult result_;
};

// From the file to the first step: what a program that starts pays before it can do anything.
Timing load_time(const std::string& path) {
  const std::vector<Contestant> loads{{"load", clocked([&](std::size_t calls) {
                                         for (std::size_t i = 0; i < calls; ++i) Session(load(path)).initial_state();
                                       })}};
  return measure(loads, {.repetitions = kLoads, .repetition_seconds = 0, .warm_up_seconds = 0}).front();
}

// Other rows, other columns: facts and questions instead of steps.
void run_memory(const BenchFlags& flags) {
  MemoryBench bench = flags.memory;
  bench.shared = flags.shared;
  bench.schemes = flags.schemes;
  if (bench.schemes == std::vector<std::string>{std::string(kDefaultScheme)})
    bench.schemes = {std::string(kDefaultScheme), std::string(kQmannScheme), std::string(kFloatScheme)};
  for (const std::string& scheme : bench.schemes) require_known("scheme", scheme, memory_scheme_names());
  for (const std::string& peer : flags.peer_names) require_known("peer", peer, peer_names());
  bench.batch = flags.batch;
  bench.isas = paths(flags);
  std::ranges::reverse(bench.isas);  // the fastest leads
  bench.peer_names = flags.peer_names;
  bench.peers = flags.peers;
  bench.peer_python = flags.peer_python;
  bench.repetitions = flags.repetitions;
  bench.seed = flags.seed;
  bench.save = flags.save;
  if (flags.pin && !pin_to_current_cpu()) warn("the system does not let this program bind itself to one CPU");
  run_memory_bench(bench);
}

// Flags whose value nothing of this command would read.
void require_useful(const BenchFlags& flags, const GivenFlags& given) {
  if (flags.cells.size() > 1 && std::ranges::count(flags.cells, kMemoryCell) > 0)
    throw_usage("--cell memn2n stands alone: its rows are facts and questions, not steps");
  if (!flags.model.empty())
    given.refuse({"--cell", "--preset", "--reset", "--hidden", "--input-size", "--scheme", "--projection", "--cifg",
                  "--peephole", "--facts", "--embedding", "--hops", "--words", "--vocabulary", "--layer-norm",
                  "--peers", "--peer", "--peer-python"},
                 "cells with random weights", "here a model file is timed");
  if (flags.of_memory())
    given.refuse({"--reset", "--hidden", "--input-size", "--steps", "--streams", "--projection", "--cifg", "--peephole",
                  "--layer-norm", "--plot", "--threads", "--frames"},
                 concat("the cells ", join(recurrent_names(), ", ")), "here the cell is memn2n");
  else
    given.refuse({"--facts", "--embedding", "--hops", "--words", "--vocabulary"}, "--cell memn2n",
                 "here other cells are timed");
  if (!flags.presets.empty())
    given.refuse({"--cell", "--reset", "--hidden", "--input-size", "--steps", "--batch", "--streams"},
                 "shapes without a name", "here --preset says them");
  if (flags.model.empty() && !flags.of_memory()) {
    for (const std::string& cell : flags.cells) require_known("cell", cell, recurrent_names());
    std::vector<std::string> cells;
    for (const BenchShape& shape : shapes_of(flags)) cells.push_back(shape.cell);
    given.refuse_attributes_beyond(cells, concat("here the cells are ", join(distinct(cells), ", ")));
  }
  if (!flags.with_peers()) given.refuse({"--peer-python"}, "--peers and --peer", "here no other engine is asked for");
  if (!flags.plain_cell())
    given.refuse({"--peers", "--peer"}, "plain cells", "here flags change the lstm, as no other engine runs it");
  if (flags.shared.thread_count() > 1) given.refuse({"--pin"}, "one thread", "here --threads asks for more");
}

void run_bench(const BenchFlags& flags, const GivenFlags& given) {
  require_useful(flags, given);
  CommandFiles files;
  files.reads("MODEL", flags.model);
  files.writes("--save", flags.save, {".json", ".md"});
  files.writes("--plot", flags.plot);
  if (flags.of_memory()) {
    files.check();
    return run_memory(flags);
  }
  for (const std::string& reset : flags.resets) require_known("reset", reset, {"after", "before"});
  for (const std::string& scheme : flags.schemes) require_known("scheme", scheme, scheme_names());
  for (const std::string& name : flags.frames) frames_from_name(name);
  for (const std::string& peer : flags.peer_names) require_known("peer", peer, peer_names());
  for (const std::string& preset : flags.presets) require_known("preset", preset, preset_names());
  if (flags.model.empty()) require_fitting(shapes_of(flags), flags);
  if (!flags.plot.empty()) require_plot(flags.plot);
  files.check();
  if (flags.pin && !pin_to_current_cpu()) warn("the system does not let this program bind itself to one CPU");

  const BenchResult result = Bench(flags).run();
  nlohmann::ordered_json json = to_json(result);
  std::string text = to_text(result);
  json["command"] = command_line();
  json["repetitions"] = flags.repetitions;
  if (!flags.model.empty()) {
    const Timing loading = load_time(flags.model);
    json["load_ms"] = 1e3 * loading.median;
    text += fmt::format("\nloads and is ready in {} ms +- {}\n", fixed_text(1e3 * loading.median, 3),
                        fixed_text(1e3 * loading.spread, 3));
  }
  if (!flags.save.empty()) {
    write_file_atomically(flags.save.string() + ".json", json_text(json, 1) + "\n");
    write_file_atomically(flags.save.string() + ".md",
                          fmt::format("# quaver bench\n\n    {}\n\n```\n{}```\n", command_line(), text));
  }
  if (!flags.plot.empty()) draw(result, flags.plot);
  print_result(flags.shared, json, text);
}

}  // namespace

void add_bench(CLI::App& program) {
  auto flags = std::make_shared<BenchFlags>();
  flags->shared.threads = 1;
  CLI::App* verb = program.add_subcommand("bench", "Time a step of a model, or of a cell with random weights");
  verb->add_option("model", flags->model, "Model file; without one the shape that the flags say");
  verb->add_option("--preset", flags->presets, "Shapes with a name: " + join(preset_names(), ", ") + "; a list as well")
      ->delimiter(',')
      ->allow_extra_args(false);
  const auto sizes = [&](const char* name, std::vector<std::size_t>& values, const char* help) {
    return verb->add_option(name, values, help)
        ->delimiter(',')
        ->allow_extra_args(false)
        ->check(whole_number(1, kMaxSize))
        ->capture_default_str();
  };
  const auto names = [&](const char* name, std::vector<std::string>& values, const std::string& help) {
    return verb->add_option(name, values, help)->delimiter(',')->allow_extra_args(false)->capture_default_str();
  };
  names("--cell", flags->cells,
        join(recurrent_names(), ", ") + "; a list is separated by commas. Or memn2n: facts and questions");
  names("--reset", flags->resets, "gru: after or before the product, or both");
  sizes("--hidden", flags->hidden, "Units; a list as well");
  verb->add_option("--input-size", flags->input, "Features of a step; 0: as many as units")
      ->check(whole_number(0, kMaxSize))
      ->capture_default_str();
  sizes("--steps", flags->steps, "Steps in one call; 1 is a stream; a list as well");
  sizes("--batch", flags->batch, "Sequences that are run together; a list as well");
  sizes("--streams", flags->streams, "Independent streams that one call moves a step on; a list as well");
  names("--scheme", flags->schemes, join(scheme_names(), ", ") + "; a list as well");
  names("--frames", flags->frames,
        "What a call of an integer model is handed: real, codes or real,codes (default: real; beside peers both)");
  verb->add_option("--projection", flags->projection, "lstm: size of the projected output; 0: none")
      ->check(whole_number(0, kMaxSize))
      ->capture_default_str();
  const auto of_memory = [&](const char* name, auto& value, std::size_t least, std::size_t most, const char* help) {
    return verb->add_option(name, value, help)
        ->check(whole_number(least, most))
        ->capture_default_str()
        ->group("Memory networks (--cell memn2n)");
  };
  of_memory("--facts", flags->memory.facts, 1, 10000000, "Stored facts; a list as well")
      ->delimiter(',')
      ->allow_extra_args(false);
  of_memory("--embedding", flags->memory.embedding, 1, 4096, "Numbers of an embedding");
  of_memory("--hops", flags->memory.hops, 1, kMaxHops, "Looks at the memory");
  of_memory("--words", flags->memory.words, 1, 4096, "Words of a sentence");
  of_memory("--vocabulary", flags->memory.vocabulary, 2, 1 << 24, "Words there are, the empty one included");
  verb->add_flag("--cifg", flags->cifg, "lstm: input gate = 1 - forget gate");
  verb->add_flag("--peephole", flags->peephole, "lstm: gates see the cell");
  verb->add_flag("--layer-norm", flags->layer_norm, "lstm: layer norm inside the cell");
  verb->add_flag("--peers", flags->peers, "Also time other engines on the same shape, in turns with ours");
  verb->add_option("--peer", flags->peer_names, "Only these of them: " + join(peer_names(), ", "))
      ->delimiter(',')
      ->allow_extra_args(false);
  verb->add_option("--peer-python", flags->peer_python, "Python that has the peers' packages (tools/peers/README.md)")
      ->capture_default_str();
  verb->add_flag("--all-paths", flags->all_paths, "A row for every path this CPU can run");
  verb->add_flag("--pin", flags->pin, "Bind to one CPU (with one thread)");
  verb->add_option("--repetitions", flags->repetitions, "Of each row")
      ->check(whole_number(1, 100000))
      ->capture_default_str();
  verb->add_option("--seed", flags->seed, "Of weights and inputs")->check(seed_number())->capture_default_str();
  verb->add_option("--save", flags->save, "Also write NAME.json and NAME.md");
  verb->add_option("--plot", flags->plot, "Also draw the roofline and the ratios: a name that ends in .svg or .png");
  flags->shared.add_to(*verb);
  verb->callback([flags, verb] { run_bench(*flags, GivenFlags(*verb)); });
}

}  // namespace quaver
