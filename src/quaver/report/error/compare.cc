#include "quaver/report/error/compare.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "quaver/core/error.h"
#include "quaver/core/text.h"
#include "quaver/report/show/table.h"

namespace quaver {
namespace {

constexpr std::size_t kChunkSteps = 256;
constexpr double kPartingFactor = 3;
constexpr std::size_t kDriftEarly = 100, kDriftLate = 1000, kDriftHalfWindow = 10;

// Everything known about one point so far.
struct PointSums {
  ErrorSums all, last;
  ErrorSums current;  // the newest step of the running sequence
  std::uint64_t saturated = 0;
  std::uint64_t current_saturated = 0;
  std::vector<ErrorSums> steps;
  std::uint64_t same_largest = 0, largest_count = 0;
  bool vector = false;  // one value a sequence: only the newest counts
};

template <typename Code>
bool at_end(Code code) {
  return code == std::numeric_limits<Code>::min() || code == std::numeric_limits<Code>::max();
}

template <typename Code>
std::uint64_t count_at_ends(std::span<const Code> codes) {
  return static_cast<std::uint64_t>(std::ranges::count_if(codes, at_end<Code>));
}

struct PointName {
  std::string node, point, direction;
  auto operator<=>(const PointName&) const = default;
  std::string text() const { return node + "." + point + direction; }
};

// An observer that sees real numbers, whatever the cell holds, and knows the full name of every point.
class RealObserver : public Observer {
 public:
  void at(std::string_view node, std::string_view direction, std::size_t step) final {
    node_ = node;
    direction_ = direction;
    step_ = step;
  }
  void real(std::string_view point, std::span<const float> values) final { take(named(point), values, saturated_); }
  void codes(std::string_view point, std::span<const std::int8_t> codes, double scale, std::int32_t zero_point) final {
    decode(point, codes, scale, zero_point);
  }
  void codes(std::string_view point, std::span<const std::int16_t> codes, double scale) final {
    decode(point, codes, scale, 0);
  }
  void channel_codes(std::string_view point, std::span<const std::int8_t> codes, double scale, std::int32_t zero_point,
                     std::span<const float> scales, std::span<const float> offsets) final {
    saturated_ = count_at_ends(codes);
    Observer::channel_codes(point, codes, scale, zero_point, scales, offsets);
    saturated_ = 0;
  }

 protected:
  virtual void take(const PointName& name, std::span<const float> values, std::uint64_t saturated) = 0;
  std::size_t step() const { return step_; }

 private:
  template <typename Code>
  void decode(std::string_view point, std::span<const Code> codes, double scale, std::int32_t zero_point) {
    values_.clear();
    for (const Code code : codes)
      values_.push_back(static_cast<float>(scale * (static_cast<double>(code) - zero_point)));
    take(named(point), values_, count_at_ends(codes));
  }
  const PointName& named(std::string_view point) {
    name_.node = node_;
    name_.point = point;
    name_.direction = direction_;
    return name_;
  }

  std::string node_, direction_;
  PointName name_;
  std::size_t step_ = 0;
  std::uint64_t saturated_ = 0;  // of the codes that became the real values to come
  std::vector<float> values_;
};

// Keeps what the first model says during one chunk.
class Recorder final : public RealObserver {
 public:
  const std::vector<PointName>& order() const { return order_; }
  // What was said at this point the `arrival`-th time in this chunk; empty when it was not.
  std::span<const float> find(const PointName& name, std::size_t arrival) const {
    const auto record = records_.find(name);
    if (record == records_.end() || arrival >= record->second.arrivals) return {};
    const std::size_t size = record->second.values.size() / record->second.arrivals;
    return std::span(record->second.values).subspan(arrival * size, size);
  }
  void forget() {
    for (auto& [name, record] : records_) record = {};
  }

 private:
  struct Record {
    std::vector<float> values;  // all arrivals at one point have the same size
    std::size_t arrivals = 0;
  };
  void take(const PointName& name, std::span<const float> values, std::uint64_t) override {
    const auto [record, is_new] = records_.try_emplace(name);
    if (is_new) order_.push_back(name);
    record->second.values.insert(record->second.values.end(), values.begin(), values.end());
    ++record->second.arrivals;
  }

  std::map<PointName, Record> records_;
  std::vector<PointName> order_;  // of first arrival
};

// Points that have one value a sequence: all of a node that reads one, and what a pool gives.
bool is_vector_point(const Model& model, const PointName& name) {
  const Node& node = model.node(name.node);
  if (name.point == "output") return !node.outputs[0].has_time;
  return std::ranges::none_of(node.inputs, [&](const std::string& input) { return model.value(input).has_time; });
}

// Holds the second model against the recording.
class Comparer final : public RealObserver {
 public:
  Comparer(const Recorder& recorder, const Model& model) : recorder_(recorder), model_(model) {}

  void begin_chunk(std::size_t first_step) {
    first_step_ = first_step;
    arrivals_.clear();
  }
  void end_sequence() {
    for (auto& [name, point] : points_) {
      point.last.add(point.current);
      if (point.vector) {
        point.all.add(point.current);
        point.saturated += point.current_saturated;
      }
      point.current = {};
      point.current_saturated = 0;
    }
  }
  const PointSums* find(const PointName& name) const {
    const auto found = points_.find(name);
    return found == points_.end() ? nullptr : &found->second;
  }

 private:
  void take(const PointName& name, std::span<const float> values, std::uint64_t saturated) override {
    const std::size_t arrival = arrivals_[name]++;
    const std::span<const float> reference = recorder_.find(name, arrival);
    if (reference.size() != values.size()) return;
    const auto [found, is_new] = points_.try_emplace(name);
    PointSums& point = found->second;
    if (is_new) point.vector = is_vector_point(model_, name);
    point.current = {};
    for (std::size_t j = 0; j < values.size(); ++j) point.current.add(reference[j], values[j]);
    point.current_saturated = saturated;
    if (point.vector) return;
    point.all.add(point.current);
    point.saturated += saturated;
    // A reverse half arrives last step first and is never cut into chunks.
    const std::size_t step = name.direction.empty() ? first_step_ + arrival : this->step();
    if (point.steps.size() <= step) point.steps.resize(step + 1);
    point.steps[step].add(point.current);
  }

  const Recorder& recorder_;
  const Model& model_;
  std::map<PointName, PointSums> points_;
  std::map<PointName, std::size_t> arrivals_;
  std::size_t first_step_ = 0;
};

std::uint64_t saturated_codes(const Result& result) {
  const auto as = [&]<typename Code>(Code) {
    return count_at_ends(
        std::span(reinterpret_cast<const Code*>(result.bytes.data()), result.bytes.size() / sizeof(Code)));
  };
  if (result.value.format.kind == NumberType::kI8) return as(std::int8_t{});
  if (result.value.format.kind == NumberType::kI16) return as(std::int16_t{});
  return 0;
}

void compare_results(const Result& reference, const Result& quantized, std::size_t first_step, PointSums& point) {
  const std::vector<float> f = reference.real(), q = quantized.real();
  const std::size_t features = f.size() / reference.steps;
  const bool indices = reference.value.format.kind == NumberType::kI32;
  const bool vector = !reference.value.has_time;
  for (std::size_t t = 0; t < reference.steps; ++t) {
    const auto f_t = std::span(f).subspan(t * features, features), q_t = std::span(q).subspan(t * features, features);
    point.current = {};
    for (std::size_t j = 0; j < features; ++j) point.current.add(f_t[j], q_t[j]);
    point.all.add(point.current);
    if (features > 1 || indices) {
      const auto largest = [](std::span<const float> x) { return std::ranges::max_element(x) - x.begin(); };
      const bool same = indices ? std::ranges::equal(f_t, q_t) : largest(f_t) == largest(q_t);
      point.same_largest += same ? 1u : 0u;
      ++point.largest_count;
    }
    if (vector) continue;
    const std::size_t step = first_step + t;
    if (point.steps.size() <= step) point.steps.resize(step + 1);
    point.steps[step].add(point.current);
  }
  point.saturated += saturated_codes(quantized);
}

ErrorSums around(const std::vector<ErrorSums>& steps, std::size_t middle) {
  ErrorSums sums;
  for (std::size_t t = middle - kDriftHalfWindow; t <= std::min(middle + kDriftHalfWindow, steps.size() - 1); ++t)
    sums.add(steps[t]);
  return sums;
}

std::optional<std::size_t> first_part(const std::vector<ErrorSums>& steps) {
  std::vector<double> errors;
  for (const ErrorSums& step : steps) errors.push_back(step.rmse());
  if (errors.empty()) return std::nullopt;
  std::vector<double> sorted = errors;
  const auto middle = sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() / 2);
  std::ranges::nth_element(sorted, middle);
  const double limit = kPartingFactor * *middle;
  if (limit == 0) return std::nullopt;
  const auto found = std::ranges::find_if(errors, [&](double error) { return error > limit; });
  if (found == errors.end()) return std::nullopt;
  return static_cast<std::size_t>(found - errors.begin());
}

PointError summarize(std::string name, const PointSums& sums) {
  PointError point;
  point.name = std::move(name);
  point.count = sums.all.count;
  point.max_abs = sums.all.max_abs;
  point.rmse = sums.all.rmse();
  point.sqnr_db = sums.all.sqnr_db();
  point.sqnr_last_db = sums.last.sqnr_db();
  point.saturated = sums.saturated;
  if (sums.largest_count > 0)
    point.agreement = 100 * static_cast<double>(sums.same_largest) / static_cast<double>(sums.largest_count);
  point.first_part = first_part(sums.steps);
  if (sums.steps.size() > kDriftLate) {
    Drift drift{around(sums.steps, kDriftEarly).rmse(), around(sums.steps, kDriftLate).rmse(), 1};
    if (drift.rmse_100 > 0) drift.ratio = drift.rmse_1000 / drift.rmse_100;
    point.drift = drift;
  }
  const std::size_t width = (sums.steps.size() + kMaxCurve - 1) / kMaxCurve;
  for (std::size_t begin = 0; begin < sums.steps.size(); begin += width) {
    const std::size_t end = std::min(begin + width, sums.steps.size());
    ErrorSums window;
    for (std::size_t t = begin; t < end; ++t) window.add(sums.steps[t]);
    point.steps.push_back({begin, end - begin, window.rmse(), window.max_abs});
  }
  return point;
}

void require_same_network(const Model& reference, const Model& quantized) {
  const auto refuse = [](const std::string& what) {
    throw_bad_input(what + "; compare takes a model and what 'quaver quantize' made of it");
  };
  if (reference.inputs.size() != quantized.inputs.size())
    refuse(concat("the first model has ", reference.inputs.size(), " inputs, the second ", quantized.inputs.size()));
  for (std::size_t i = 0; i < reference.inputs.size(); ++i) {
    const ModelInput &first = reference.inputs[i], &second = quantized.inputs[i];
    const auto ids = [](const ModelInput& input) { return input.value.format.kind == NumberType::kI32; };
    if (ids(first) != ids(second))
      refuse(concat("the first model reads ", ids(first) ? "ids" : "real features", ", the second ",
                    ids(second) ? "ids" : "real features"));
    if (first.name != second.name || first.value.has_time != second.value.has_time)
      refuse(concat("the first model reads '", first.name, "', the second '", second.name, "', or their time differs"));
    if (first.value.shape != second.value.shape)
      refuse(concat("the first model reads ", shape_text(first.value.shape.sizes()), " features a step, the second ",
                    shape_text(second.value.shape.sizes())));
  }
  if (reference.nodes.size() != quantized.nodes.size())
    refuse(concat("the first model has ", reference.nodes.size(), " nodes, the second ", quantized.nodes.size()));
  for (std::size_t i = 0; i < reference.nodes.size(); ++i) {
    const Node &first = reference.nodes[i], &second = quantized.nodes[i];
    if (first.name != second.name || first.operation != second.operation || first.inputs != second.inputs ||
        first.outputs.size() != second.outputs.size() || first.outputs[0].size() != second.outputs[0].size())
      refuse(concat("node ", i, " is '", first.name, "' (", operation_name(first.operation), ", ",
                    first.outputs[0].size(), " features) in the first model and '", second.name, "' (",
                    operation_name(second.operation), ", ", second.outputs[0].size(),
                    " features) in the second, or its attributes differ"));
  }
  if (reference.outputs != quantized.outputs)
    refuse(concat("the first model gives ", join(reference.outputs, ", "), ", the second ",
                  join(quantized.outputs, ", ")));
}

class Pair {
 public:
  Pair(const Model& reference, const Model& quantized, Isa isa)
      : first_(reference, {.threads = 1, .isa = isa}),
        second_(quantized, {.threads = 1, .isa = isa}),
        comparer_(recorder_, quantized),
        outputs_(reference.outputs.size()) {}

  void run(const SequenceView& sequence) {
    if (first_.streams() && sequence.steps > 0) {
      State first_state = first_.initial_state(), second_state = second_.initial_state();
      for (std::size_t begin = 0; begin < sequence.steps; begin += kChunkSteps) {
        const SequenceView chunk =
            part_of(sequence, begin, std::min(kChunkSteps, sequence.steps - begin), first_.model());
        recorder_.forget();
        comparer_.begin_chunk(begin);
        const std::vector<Result> first = first_.run(chunk, first_state, &recorder_);
        compare_outputs(first, second_.run(chunk, second_state, &comparer_), begin,
                        begin + chunk.steps == sequence.steps);
      }
    } else {
      recorder_.forget();
      comparer_.begin_chunk(0);
      const std::vector<Result> first = first_.run(sequence, &recorder_);
      compare_outputs(first, second_.run(sequence, &comparer_), 0, true);
    }
    comparer_.end_sequence();
  }

  const Recorder& recorder() const { return recorder_; }
  const Comparer& comparer() const { return comparer_; }
  const std::vector<PointSums>& outputs() const { return outputs_; }

 private:
  void compare_outputs(const std::vector<Result>& first, const std::vector<Result>& second, std::size_t first_step,
                       bool last_chunk) {
    for (std::size_t i = 0; i < outputs_.size(); ++i) {
      if (!first[i].value.has_time && !last_chunk) continue;
      compare_results(first[i], second[i], first_step, outputs_[i]);
      if (last_chunk) outputs_[i].last.add(outputs_[i].current);
    }
  }

  Session first_, second_;
  Recorder recorder_;
  Comparer comparer_;
  std::vector<PointSums> outputs_;
};

// Keys of one list entry.
nlohmann::ordered_json to_json(const PointError& point) {
  nlohmann::ordered_json json = {
      {"name", point.name},       {"max_abs", point.max_abs},           {"rmse", point.rmse},
      {"sqnr_db", point.sqnr_db}, {"sqnr_last_db", point.sqnr_last_db}, {"saturated", point.saturated},
      {"count", point.count}};
  if (point.agreement) json["agreement"] = *point.agreement;
  if (point.first_part) json["first_part"] = *point.first_part;
  if (point.drift)
    json["drift"] = {
        {"rmse_100", point.drift->rmse_100}, {"rmse_1000", point.drift->rmse_1000}, {"ratio", point.drift->ratio}};
  nlohmann::ordered_json steps = nlohmann::ordered_json::array();
  for (const StepError& step : point.steps)
    steps.push_back({{"step", step.step}, {"width", step.width}, {"rmse", step.rmse}, {"max_abs", step.max_abs}});
  json["steps"] = std::move(steps);
  return json;
}

nlohmann::ordered_json to_json(const std::vector<PointError>& points) {
  nlohmann::ordered_json json = nlohmann::ordered_json::array();
  for (const PointError& point : points) json.push_back(to_json(point));
  return json;
}

// The rmse of every layer at a few steps: does the error grow along the sequence?
std::string step_table(const std::vector<PointError>& points) {
  constexpr std::size_t kShownSteps = 8;
  std::vector<const PointError*> sequences;
  for (const PointError& point : points)
    if (point.steps.size() > 1) sequences.push_back(&point);
  if (sequences.empty()) return "";
  const std::vector<StepError>& curve = sequences.front()->steps;
  std::vector<std::size_t> shown;
  for (std::size_t i = 0; i < std::min(kShownSteps, curve.size()); ++i)
    shown.push_back(i * (curve.size() - 1) / (std::min(kShownSteps, curve.size()) - 1));
  std::vector<Column> columns{{"rmse at step", Align::kLeft}};
  for (const std::size_t index : shown) columns.push_back({std::to_string(curve[index].step)});
  Table table(std::move(columns));
  for (const PointError* point : sequences) {
    std::vector<std::string> row{point->name};
    for (const std::size_t index : shown)
      row.push_back(index < point->steps.size() ? significant_text(point->steps[index].rmse, 3) : "-");
    table.add_row(std::move(row));
  }
  return table.text() + '\n';
}

std::string decibels(double value) { return value >= kEqualDb ? "equal" : fixed_text(value, 1); }

}  // namespace

Comparison compare(const Model& reference, const Model& quantized, std::span<const SequenceView> sequences,
                   const CompareOptions& options) {
  require_same_network(reference, quantized);
  if (sequences.empty()) throw_bad_input("compare was given no sequence, expected at least one");
  Pair pair(reference, quantized, options.isa);
  Comparison comparison;
  for (const SequenceView& sequence : sequences) {
    pair.run(sequence);
    ++comparison.sequences;
    comparison.steps += sequence.steps;
    if (options.progress) options.progress(comparison.sequences, sequences.size());
  }

  for (std::size_t i = 0; i < reference.outputs.size(); ++i)
    comparison.outputs.push_back(summarize(reference.outputs[i], pair.outputs()[i]));
  std::map<std::string, PointError> hidden;
  for (const PointName& name : pair.recorder().order()) {
    const PointSums* sums = pair.comparer().find(name);
    if (sums == nullptr) continue;
    const Node& node = reference.node(name.node);
    const PointError point = summarize(name.text(), *sums);
    if (point.first_part && (!comparison.first_part || *point.first_part < comparison.first_part->step))
      comparison.first_part = FirstPart{point.name, *point.first_part};
    if (is_recurrent(node.operation) && (name.point == "state" || name.point == "output"))
      hidden.try_emplace(name.node + name.direction, point);  // a state is reported before the output
    if (name.point == "output") {
      comparison.layers.push_back(point);
      comparison.layers.back().name = name.node + name.direction;
    } else if (name.point != "input") {
      comparison.gates.push_back(point);
    } else if (comparison.layers.empty() && name.direction.empty()) {
      comparison.layers.push_back(point);
      comparison.layers.back().name = "input";
    }
  }
  for (const Node& node : reference.nodes) {
    for (const std::string suffix : {"", "_reverse"}) {
      const auto found = hidden.find(node.name + suffix);
      if (found != hidden.end()) comparison.last_hidden.push_back(std::move(found->second));
    }
  }
  return comparison;
}

nlohmann::ordered_json to_json(const Comparison& comparison) {
  nlohmann::ordered_json json = {{"sequences", comparison.sequences},
                                 {"steps", comparison.steps},
                                 {"outputs", to_json(comparison.outputs)},
                                 {"layers", to_json(comparison.layers)},
                                 {"gates", to_json(comparison.gates)}};
  nlohmann::ordered_json hidden = nlohmann::ordered_json::array();
  for (const PointError& point : comparison.last_hidden)
    hidden.push_back({{"name", point.name}, {"sqnr_last_db", point.sqnr_last_db}, {"sqnr_db", point.sqnr_db}});
  json["last_hidden"] = std::move(hidden);
  json["first_part"] = nullptr;
  if (comparison.first_part)
    json["first_part"] = {{"point", comparison.first_part->point}, {"step", comparison.first_part->step}};
  return json;
}

std::string to_text(const Comparison& comparison) {
  Table table({{"", Align::kLeft},
               {"point", Align::kLeft},
               {"max abs"},
               {"rmse"},
               {"SQNR dB"},
               {"last step dB"},
               {"saturated"},
               {"of"},
               {"parts at step"}});
  const auto add = [&](const char* kind, const std::vector<PointError>& points) {
    for (const PointError& point : points) {
      table.add_row({&point == points.data() ? kind : "", point.name, significant_text(point.max_abs, 3),
                     significant_text(point.rmse, 3), decibels(point.sqnr_db), decibels(point.sqnr_last_db),
                     count_text(point.saturated), count_text(point.count),
                     point.first_part ? std::to_string(*point.first_part) : "-"});
    }
  };
  add("outputs", comparison.outputs);
  add("layers", comparison.layers);
  add("gates", comparison.gates);
  std::string text = table.text() + '\n' + step_table(comparison.layers);
  text += fmt::format("compared    {} sequences, {} steps\n", comparison.sequences, comparison.steps);
  for (const PointError& point : comparison.outputs)
    if (point.agreement)
      text += fmt::format("agreement   {}: same largest value in {:.2f} %\n", point.name, *point.agreement);
  for (const PointError& point : comparison.last_hidden)
    text += fmt::format("last hidden {}: {} dB\n", point.name, decibels(point.sqnr_last_db));
  for (const PointError& point : comparison.last_hidden) {
    if (!point.drift) continue;
    text += fmt::format("drift       {}: rmse {:.3g} at step 100, {:.3g} at step 1000, ratio {:.2f}\n", point.name,
                        point.drift->rmse_100, point.drift->rmse_1000, point.drift->ratio);
  }
  if (comparison.first_part)
    text += fmt::format("first part  {} at step {}\n", comparison.first_part->point, comparison.first_part->step);
  return text;
}

}  // namespace quaver
