// Steps of recurrent layers with random weights, or of a model file.
#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <type_traits>
#include <utility>

#include "quaver/bench/calls.h"
#include "quaver/bench/peers/peer.h"
#include "quaver/bench/plot.h"
#include "quaver/bench/race.h"
#include "quaver/bench/random_model.h"
#include "quaver/core/error.h"
#include "quaver/core/text.h"
#include "quaver/engine/sequence/session.h"
#include "quaver/io/model_file/model_file.h"
#include "quaver/model/formats/scheme.h"
#include "quaver/report/machine/roofline.h"
#include "quaver/report/machine/timing.h"
#include "quaver/report/show/table.h"

namespace quaver {
namespace {

constexpr double kRaceSeconds = 20;
constexpr std::size_t kLoads = 21;

// One step of many streams, or many steps of one sequence, or of many: every combination that means something.
std::vector<BenchShape> with_counts(BenchShape shape, const BenchRequest& request) {
  std::vector<BenchShape> shapes;
  for (const std::size_t batch : request.batch) {
    for (const std::size_t steps : request.steps) {
      shape.batch = batch, shape.steps = steps, shape.streams = 1;
      shapes.push_back(shape);
    }
  }
  shape.batch = shape.steps = 1;
  for (const std::size_t streams : request.streams) {
    shape.streams = streams;
    if (streams > 1) shapes.push_back(shape);
  }
  return shapes;
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
void require_fitting(const std::vector<BenchShape>& shapes, std::size_t projection) {
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
      if (has_field(cell, "projection_size")) require("weights", projection * (shape.hidden + gates * shape.hidden));
    }
    const std::size_t frames = shape.batch * shape.steps * shape.streams;
    require("frames", frames);
    require("numbers in frames", frames * (shape.input + shape.hidden));
  }
}

// From the file to the first step: what a program that starts pays before it can do anything.
Timing load_time(const std::filesystem::path& path) {
  const std::vector<Contestant> loads{{"load", clocked([&](std::size_t calls) {
                                         for (std::size_t i = 0; i < calls; ++i) Session(load(path)).initial_state();
                                       })}};
  return measure(loads, {.repetitions = kLoads, .repetition_seconds = 0, .warm_up_seconds = 0}).front();
}

class SequenceBench {
 public:
  SequenceBench(const BenchRequest& request, Listener& listener)
      : request_(request),
        listener_(listener),
        options_{.isas = raced_paths(request),
                 .frames = {},
                 .seed = request.seed,
                 .timing = {.repetitions = request.repetitions, .race_seconds = kRaceSeconds}} {
    for (const std::string& name : request.frames) options_.frames.push_back(frames_from_name(name));
    if (request.with_peers())
      peers_.emplace(PeerOptions{.names = request.peers, .python = request.peer_python, .folder = {}});
  }

  BenchReport run() {
    if (request_.model.empty())
      run_shapes();
    else
      run_model();
    const std::string scheme = request_.model.empty() ? request_.schemes.front() : report_.rows.front().scheme;
    report_.ratios = peer_ratios(report_.rows, scheme, chosen_isa());
    report_.own_ratios = own_ratios(report_.rows, scheme, chosen_isa());
    BenchReport whole{.of_kind = std::move(report_), .roofline = roofline_};
    if (peers_) whole.isa_limits = peers_->isa_limits();
    return whole;
  }

 private:
  void run_shapes() {
    roofline_ = measure_roofline();
    const std::vector<BenchShape> shapes = shapes_of(request_);
    for (std::size_t i = 0; i < shapes.size(); ++i) {
      const BenchShape& shape = shapes[i];
      if (shapes.size() > 1)
        listener_.stage(concat(i + 1, " of ", shapes.size(), ": ", shape.cell, " hidden ", shape.hidden, " input ",
                               shape.input, " batch ", shape.batch, " streams ", shape.streams, " steps ",
                               shape.steps));
      race(shape);
    }
  }

  void run_model() {
    const Model model = load(request_.model);
    if (model.inputs.size() > 1)
      throw_bad_input(concat(request_.model.string(), " has ", model.inputs.size(),
                             " inputs, expected one: bench draws frames for a single input"));
    const std::vector<BenchShape> shapes = with_counts(shape_of(model), request_);
    require_fitting(shapes, request_.projection.value_or(0));
    if (!request_.plot.empty() && Session(model).weight_bytes() == 0)
      throw_bad_input(concat(request_.model.string(), ": no node has weights, over whose bytes --plot would draw it"));
    roofline_ = measure_roofline();
    for (const BenchShape& shape : shapes) {
      Race race(options_);
      for (const std::size_t threads : thread_counts()) race.add(model, row_of(shape, threads));
      std::ranges::move(race.finish(), std::back_inserter(report_.rows));
    }
    report_.loading = load_time(request_.model);
  }

  // One thread as well as many, in turns: that is the comparison that matters.
  std::vector<std::size_t> thread_counts() const {
    const std::size_t most = *request_.threads;
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
      if (request_.plain_cells())
        row.input_share = static_cast<double>(shape.input) / static_cast<double>(shape.input + shape.hidden);
      for (const std::string& scheme : request_.schemes) race.add(model_of(shape, scheme), row);
    }
    if (peers_ && request_.plain_cells()) race.add_peers(row_of(shape, thread_counts().back()), *peers_);
    std::ranges::move(race.finish(), std::back_inserter(report_.rows));
    if (!peers_) return;
    for (const std::string& line : peers_->news()) listener_.warn(line);
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
                               .projection = request_.projection.value_or(0),
                               .cifg = request_.cifg,
                               .peephole = request_.peephole,
                               .layer_norm = request_.layer_norm,
                               .linear_before_reset = shape.reset != "before",
                               .scheme = scheme,
                               .seed = request_.seed};
    return models_.emplace(scheme, random_model(options)).first->second;
  }

  const BenchRequest& request_;
  Listener& listener_;
  RaceOptions options_;
  std::optional<Peers> peers_;
  std::string models_of_;
  std::map<std::string, Model> models_;  // by scheme
  Roofline roofline_;
  SequenceBenchReport report_;
};

}  // namespace

std::vector<BenchShape> shapes_of(const BenchRequest& request) {
  std::vector<BenchShape> shapes;
  for (const std::string& preset : request.presets)
    std::ranges::copy(preset_shapes(preset), std::back_inserter(shapes));
  if (!request.presets.empty()) return shapes;
  for (const std::string& cell : request.cells) {
    const bool has_reset = has_field(operation_from_name(cell), "linear_before_reset");
    for (const std::string& reset : has_reset ? request.resets : std::vector<std::string>{""}) {
      for (const std::size_t hidden : request.hidden) {
        const BenchShape shape{
            .cell = cell, .reset = reset, .input = *request.input == 0 ? hidden : *request.input, .hidden = hidden};
        std::ranges::copy(with_counts(shape, request), std::back_inserter(shapes));
      }
    }
  }
  return shapes;
}

void check_sequences(const BenchRequest& request) {
  for (const std::string& reset : request.resets) require_known("reset", reset, {"after", "before"});
  for (const std::string& scheme : request.schemes) require_known("scheme", scheme, scheme_names());
  for (const std::string& name : request.frames) frames_from_name(name);
  if (request.model.empty()) require_fitting(shapes_of(request), request.projection.value_or(0));
  if (!request.plot.empty()) require_plot(request.plot);
}

BenchReport bench_sequences(const BenchRequest& request, Listener& listener) {
  return SequenceBench(request, listener).run();
}

}  // namespace quaver
