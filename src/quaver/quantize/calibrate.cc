#include "quaver/quantize/calibrate.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <iomanip>
#include <limits>
#include <numeric>
#include <optional>
#include <utility>

#include "quaver/core/error.h"
#include "quaver/core/printable.h"
#include "quaver/core/text.h"
#include "quaver/quantize/fold.h"
#include "quaver/quantize/observers.h"

namespace quaver {
namespace {

struct NamedMethod {
  CalibrationMethod method;
  std::string_view name;
};
constexpr std::array<NamedMethod, 4> kMethods{{{CalibrationMethod::kMinMax, "minmax"},
                                               {CalibrationMethod::kPercentile, "percentile"},
                                               {CalibrationMethod::kEntropy, "entropy"},
                                               {CalibrationMethod::kMse, "mse"}}};

}  // namespace

std::string_view method_name(CalibrationMethod method) {
  return std::ranges::find(kMethods, method, &NamedMethod::method)->name;
}

CalibrationMethod method_from_name(std::string_view name) {
  const auto found = std::ranges::find(kMethods, name, &NamedMethod::name);
  if (found == kMethods.end())
    throw_usage(concat("unknown calibration method '", name, "'; expected minmax, percentile, entropy or mse"));
  return found->method;
}

// ---- statistics ------------------------------------------------------------------------------------------------

double RangeStatistics::max_abs() const { return std::max(std::abs(min), std::abs(max)); }

void RangeStatistics::add(std::span<const float> values, std::size_t step) {
  if (values.empty()) return;
  const auto [low, high] = std::ranges::minmax(values);
  const double batch_max_abs = std::max(std::abs(static_cast<double>(low)), std::abs(static_cast<double>(high)));
  min = count == 0 ? static_cast<double>(low) : std::min(min, static_cast<double>(low));
  max = count == 0 ? static_cast<double>(high) : std::max(max, static_cast<double>(high));
  count += values.size();
  // calibrate() says so at the end: this may be a step's noexcept inside.
  overflowed = overflowed || std::ranges::any_of(values, [](float value) { return !std::isfinite(value); });
  if (overflowed) return;
  if (step >= step_max_abs.size()) step_max_abs.resize(step + 1);
  step_max_abs[step] = std::max(step_max_abs[step], static_cast<float>(batch_max_abs));

  if (histogram.empty()) histogram.resize(kHistogramBins);
  if (bin_width == 0) {
    if (batch_max_abs == 0) {
      histogram[0] += values.size();
      return;
    }
    bin_width = batch_max_abs / kHistogramBins;
  }
  // A stream may start quietly. Beyond 16 times the first range bins are merged in pairs: memory stays bounded and the
  // resolution stays above 2048 bins for the range at hand.
  while (batch_max_abs / bin_width >= 16.0 * kHistogramBins) {
    const std::size_t half = (histogram.size() + 1) / 2;
    for (std::size_t i = 0; i < half; ++i) {
      const std::uint64_t odd = 2 * i + 1 < histogram.size() ? histogram[2 * i + 1] : 0;
      histogram[i] = histogram[2 * i] + odd;
    }
    histogram.resize(std::max(half, kHistogramBins));
    std::fill(histogram.begin() + static_cast<std::ptrdiff_t>(half), histogram.end(), 0);
    bin_width *= 2;
  }
  for (const float value : values) {
    const auto bin = static_cast<std::size_t>(std::abs(static_cast<double>(value)) / bin_width);
    if (bin >= histogram.size()) histogram.resize(bin + 1);
    ++histogram[bin];
  }
}

const RangeStatistics& Calibration::at(const std::string& point) const {
  const auto found = points.find(point);
  if (found == points.end())
    throw_bad_input(concat("calibration has no point '", point, "'; was it made for another model?"));
  return found->second;
}

void RangeObserver::at(std::string_view node, std::string_view direction, std::size_t step) {
  node_ = node;
  direction_ = direction;
  step_ = step;
}

void RangeObserver::real(std::string_view point, std::span<const float> values) {
  key_.assign(node_).append(".").append(point).append(direction_);
  calibration_.points[key_].add(values, step_);
  if (const auto found = normalized_.find(key_); found != normalized_.end()) {
    const NormalizedPoint& at = found->second;
    normalized_values_.clear();
    for (std::size_t c = 0; c < values.size(); ++c)
      normalized_values_.push_back(
          static_cast<float>((static_cast<double>(values[c]) - at.channels.offset_of(c % at.channels.scale.size())) /
                             at.channels.scale_of(c % at.channels.scale.size())));
    at.statistics->add(normalized_values_, step_);
  }
  if (const auto operand = columns_.find(key_); operand != columns_.end()) {
    // A matrix goes along the innermost axis of what it reads.
    for (std::size_t first = 0; first < values.size(); first += operand->second)
      calibration_.operands[key_].add(values.subspan(first, operand->second));
  }
}

void RangeObserver::gather_moments(const Node& node) {
  // A recurrent matrix multiplies the step before's output: the last output of a sequence counts too though nothing
  // reads it.
  for (const TensorSlot& slot : tensor_slots(node))
    for (const std::string& point : slot.operands) {
      columns_[node.name + "." + point] = static_cast<std::size_t>(slot.shape[1]);
      calibration_.operands[node.name + "." + point];
    }
}

void RangeObserver::normalize(const Model& model, const std::string& value, Folding folding) {
  ChannelStatistics& statistics = calibration_.channels.at(value);
  const Channels own = own_ranges(statistics, folding);
  if (model.find_input(value) != nullptr) {
    for (const Node& reader : model.nodes) {  // one of them is enough
      const auto slot = std::ranges::find(reader.inputs, value);
      if (slot == reader.inputs.end()) continue;
      const std::string point = input_format_name(static_cast<std::size_t>(slot - reader.inputs.begin()));
      normalized_[reader.name + "." + point + direction_suffixes(reader.operation).front()] = {own,
                                                                                               &statistics.normalized};
      return;
    }
  }
  std::size_t first = 0;
  const Node& node = model.node(value);
  const std::vector<std::string> suffixes = direction_suffixes(node.operation);
  for (const std::string& suffix : suffixes) {
    const std::size_t count = own.scale.size() / suffixes.size();
    normalized_[node.name + ".output" + suffix] = {own.part(first, count), &statistics.normalized};
    first += count;
  }
}

namespace {

std::size_t steps_of(std::span<const SequenceView> sequences) {
  std::size_t steps = 0;
  for (const SequenceView& sequence : sequences) steps += sequence.steps;
  return steps;
}

// Ranges of the channels of an input's real frames, as the user gives them.
ChannelStatistics frame_ranges(std::size_t input, std::size_t features, std::span<const SequenceView> sequences) {
  ChannelRanges ranges(features, steps_of(sequences));
  for (std::size_t i = 0; i < sequences.size(); ++i) {
    const std::span<const float> real = given(sequences[i], input).real;
    if (real.size() % features != 0) continue;  // run() will say so
    for (std::size_t t = 0; t < real.size() / features; ++t) ranges.add(real.subspan(t * features, features), i, t);
  }
  return ranges.statistics();
}

// The sequences with values of inputs beyond their ranges cut to them; only those that hold such values are copied.
class CutSequences {
 public:
  explicit CutSequences(std::span<const SequenceView> sequences) : views_(sequences.begin(), sequences.end()) {}
  void cut(std::size_t input, const ChannelStatistics& ranges) {
    for (const RangeCut& cut : ranges.cuts) {
      SequenceView& view = views_[cut.sequence];
      std::vector<float>& values = copies_[{cut.sequence, input}];
      if (values.empty()) {
        const std::span<const float> real = given(view, input).real;
        values.assign(real.begin(), real.end());
      }
      for (std::size_t i = cut.channel; i < values.size(); i += ranges.low.size())
        values[i] = std::clamp(values[i], static_cast<float>(ranges.low[cut.channel]),
                               static_cast<float>(ranges.high[cut.channel]));
      if (view.inputs.empty()) view.real = values;
      for (InputView& one : view.inputs)
        if (one.input == input) one.real = values;
    }
  }
  std::span<const SequenceView> views() const { return views_; }

 private:
  std::vector<SequenceView> views_;
  std::map<std::pair<std::size_t, std::size_t>, std::vector<float>> copies_;  // by sequence and input
};

// What the border makes of a frame before it is coded.
class Normalization {
 public:
  Normalization(const Model& model, const std::string& input)
      : mean_(values(model, input + ".mean")), inverse_(values(model, input + ".inverse_deviation")) {}
  double operator()(std::size_t channel, double x) const {
    return mean_.empty() ? x : (x - static_cast<double>(mean_[channel])) * static_cast<double>(inverse_[channel]);
  }

 private:
  static std::vector<float> values(const Model& model, const std::string& name) {
    const Tensor* tensor = model.find_tensor(name);
    if (tensor == nullptr) return {};
    return {tensor->as<float>().begin(), tensor->as<float>().end()};
  }
  std::vector<float> mean_, inverse_;
};

// Ranges of the columns of an embedding: any row may be asked for.
ChannelStatistics table_ranges(const Tensor& table) {
  const MatrixView<const float> rows = table.matrix<float>();
  ChannelStatistics statistics;
  for (std::size_t c = 0; c < rows.cols(); ++c) {
    float low = rows(0, c), high = rows(0, c);
    for (std::size_t row = 1; row < rows.rows(); ++row) {
      low = std::min(low, rows(row, c));
      high = std::max(high, rows(row, c));
    }
    statistics.low.push_back(static_cast<double>(low));
    statistics.high.push_back(static_cast<double>(high));
    statistics.mean.push_back(0.5 * (statistics.low.back() + statistics.high.back()));  // without headroom any would do
  }
  return statistics;
}

// Ranges of the channels that nodes hand on, as "NODE.output" reports them.
class OutputRanges final : public Observer {
 public:
  OutputRanges(const Model& model, const std::map<std::string, Folding>& foldable, std::size_t steps) {
    for (const auto& [value, folding] : foldable)
      if (model.find_input(value) == nullptr && !row_of(model.node(value).operation).reads_ids())
        ranges_.try_emplace(value, static_cast<std::size_t>(model.value(value).size()), steps);
  }
  bool empty() const { return ranges_.empty(); }
  void next_sequence() { ++sequence_; }
  void add_to(std::map<std::string, ChannelStatistics>& channels) const {
    for (const auto& [value, ranges] : ranges_) channels[value] = ranges.statistics();
  }

  void at(std::string_view node, std::string_view direction, std::size_t step) override {
    found_ = ranges_.find(std::string(node));
    reverse_ = !direction.empty();
    step_ = step;
  }
  void real(std::string_view point, std::span<const float> values) override {
    if (found_ != ranges_.end() && point == "output")
      found_->second.add(values, sequence_, step_, reverse_ ? found_->second.size() - values.size() : 0);
  }
  void codes(std::string_view, std::span<const std::int8_t>, double, std::int32_t) override {}
  void codes(std::string_view, std::span<const std::int16_t>, double) override {}

 private:
  std::map<std::string, ChannelRanges> ranges_;
  std::map<std::string, ChannelRanges>::iterator found_ = ranges_.end();
  bool reverse_ = false;
  std::size_t sequence_ = 0, step_ = 0;
};

}  // namespace

Calibration calibrate(const Model& model, std::span<const SequenceView> sequences, const CalibrateOptions& options) {
  if (sequences.empty())
    throw_bad_input(
        "calibration has no data: expected at least one sequence; pass --calib with sequences the model will see");
  if (!is_float_scheme(model.scheme))
    throw_bad_input(
        concat("model '", printable(model.name), "' has scheme ", model.scheme, ", calibration needs the float model"));
  if (!(options.percentile > 50.0 && options.percentile <= 100.0))
    throw_usage(concat("percentile ", options.percentile, " is outside (50, 100]"));
  Calibration calibration;
  calibration.method = options.method;
  calibration.percentile = options.percentile;
  const std::map<std::string, Folding> foldable = foldable_values(model);
  CutSequences cut(sequences);
  for (std::size_t i = 0; i < model.inputs.size(); ++i) {
    const ModelInput& given_input = model.inputs[i];
    if (!is_float(given_input.value.format)) continue;
    ChannelStatistics& input = calibration.channels[given_input.name];
    input = frame_ranges(i, static_cast<std::size_t>(given_input.value.shape.features()), sequences);
    cut.cut(i, input);
    const Normalization normalized(model, given_input.name);
    for (std::size_t c = 0; c < input.low.size(); ++c) {
      input.low[c] = normalized(c, input.low[c]);
      input.high[c] = normalized(c, input.high[c]);
      input.mean[c] = normalized(c, input.mean[c]);
    }
  }
  sequences = cut.views();
  Session session(model);
  const auto run_all = [&](Observer& observer, auto after) {
    for (std::size_t i = 0; i < sequences.size(); ++i) {
      try {
        session.run(sequences[i], &observer);
      } catch (const Error& error) {
        throw Error(error.kind(), concat("calibration sequence ", i, ": ", error.what()));
      }
      after(i);
    }
  };
  if (OutputRanges outputs(model, foldable, steps_of(sequences)); !outputs.empty()) {
    run_all(outputs, [&](std::size_t) { outputs.next_sequence(); });
    outputs.add_to(calibration.channels);
  }
  for (const auto& [value, folding] : foldable)
    if (!calibration.channels.contains(value)) calibration.channels[value] = table_ranges(model.tensor(value + ".W"));
  RangeObserver observer(calibration);
  if (options.moments)
    for (const Node& node : model.nodes) observer.gather_moments(node);
  for (const auto& [value, folding] : foldable) observer.normalize(model, value, folding);
  run_all(observer, [&](std::size_t i) {
    ++calibration.sequences;
    calibration.steps += sequences[i].steps;
    if (options.progress) options.progress(i + 1, sequences.size());
  });
  for (const auto& [point, statistics] : calibration.points)
    if (statistics.overflowed)
      throw_bad_input(
          concat("calibration: '", point, "' became infinite or not a number; the float model overflows on this data"));
  return calibration;
}

// ---- thresholds ------------------------------------------------------------------------------------------------

namespace {

std::size_t used_bins(const RangeStatistics& statistics) {
  std::size_t bins = statistics.histogram.size();
  while (bins > 0 && statistics.histogram[bins - 1] == 0) --bins;
  return bins;
}

double percentile_threshold(const RangeStatistics& statistics, double percentile) {
  const double wanted = percentile / 100.0 * static_cast<double>(statistics.count);
  double seen = 0;
  for (std::size_t i = 0; i < statistics.histogram.size(); ++i) {
    seen += static_cast<double>(statistics.histogram[i]);
    if (seen >= wanted) return std::min(static_cast<double>(i + 1) * statistics.bin_width, statistics.max_abs());
  }
  return statistics.max_abs();
}

// Kullback-Leibler divergence of the clipped histogram and its version with `levels` levels, for every clip; the
// smallest wins, the widest on ties. Bin 0 holds exact zeros (padding, relu) that would outweigh the rest: it takes the
// value of bin 1 first, as in the published procedure.
double entropy_threshold(const RangeStatistics& statistics, std::size_t levels) {
  const std::size_t bins = used_bins(statistics);
  if (bins <= levels) return statistics.max_abs();
  std::vector<double> histogram(statistics.histogram.begin(),
                                statistics.histogram.begin() + static_cast<std::ptrdiff_t>(bins));
  histogram[0] = histogram[1];
  const double total = std::accumulate(histogram.begin(), histogram.end(), 0.0);
  double inside = std::accumulate(histogram.begin(), histogram.begin() + static_cast<std::ptrdiff_t>(levels), 0.0);
  double best = std::numeric_limits<double>::infinity();
  std::size_t best_bins = bins;
  for (std::size_t i = levels; i <= bins; ++i) {
    if (i > levels) inside += histogram[i - 1];
    const double outliers = total - inside;
    double divergence = 0;
    double quantized_total = 0;  // group totals are spread over non-empty bins only: the total stays `inside`
    for (std::size_t g = 0; g < levels; ++g) {
      const std::size_t first = g * i / levels, last = (g + 1) * i / levels;
      double sum = 0;
      std::size_t filled = 0;
      for (std::size_t j = first; j < last; ++j) {
        sum += histogram[j];
        if (histogram[j] > 0) ++filled;
      }
      if (filled == 0) continue;
      quantized_total += sum;
      const double spread = sum / static_cast<double>(filled);
      for (std::size_t j = first; j < last; ++j) {
        if (histogram[j] <= 0) continue;
        const double reference = histogram[j] + (j == i - 1 ? outliers : 0);
        divergence += reference * std::log(reference / spread);
      }
    }
    if (quantized_total <= 0) continue;
    // An empty last bin that receives outliers has no counterpart to be compared with: clipping there loses them.
    if (histogram[i - 1] <= 0 && outliers > 0) continue;
    divergence = divergence / total + std::log(quantized_total / total);  // of the two normalised distributions
    if (divergence <= best) {
      best = divergence;
      best_bins = i;
    }
  }
  return std::min(static_cast<double>(best_bins) * statistics.bin_width, statistics.max_abs());
}

// Threshold with the smallest squared error of rounding to `levels` levels and clipping, over the histogram.
double mse_threshold(const RangeStatistics& statistics, std::size_t levels) {
  const std::size_t bins = used_bins(statistics);
  double best = std::numeric_limits<double>::infinity();
  double best_threshold = statistics.max_abs();
  constexpr std::size_t kCandidates = 256;
  for (std::size_t k = 1; k <= kCandidates; ++k) {
    const double threshold = statistics.max_abs() * static_cast<double>(k) / kCandidates;
    const double step = threshold / (static_cast<double>(levels) - 1);
    double error = 0;
    for (std::size_t i = 0; i < bins; ++i) {
      if (statistics.histogram[i] == 0) continue;
      const double x = (static_cast<double>(i) + 0.5) * statistics.bin_width;
      const double code = std::min(std::round(x / step), static_cast<double>(levels) - 1);
      error += static_cast<double>(statistics.histogram[i]) * (x - code * step) * (x - code * step);
    }
    if (error <= best) {
      best = error;
      best_threshold = threshold;
    }
  }
  return best_threshold;
}

}  // namespace

double choose_max_abs(const RangeStatistics& statistics, CalibrationMethod method, double percentile, int bits) {
  if (statistics.max_abs() == 0) return 0;
  const std::size_t levels = std::size_t{1} << (bits - 1);
  switch (method) {
    case CalibrationMethod::kMinMax: return statistics.max_abs();
    case CalibrationMethod::kPercentile: return percentile_threshold(statistics, percentile);
    case CalibrationMethod::kEntropy: return entropy_threshold(statistics, levels);
    case CalibrationMethod::kMse: return mse_threshold(statistics, levels);
  }
  return statistics.max_abs();
}

Interval choose_interval(const RangeStatistics& statistics, CalibrationMethod method, double percentile) {
  const double threshold = choose_max_abs(statistics, method, percentile);
  return {std::max(statistics.min, -threshold), std::min(statistics.max, threshold)};
}

// ---- growth ----------------------------------------------------------------------------------------------------

std::vector<Warning> growth_warnings(const Calibration& calibration) {
  // An open forget gate lets c add up to 1 a step. We warn where the largest |c| still climbs in the last quarter of
  // the steps: longer sequences than these will leave the calibrated range. Growth starts where |c| first leaves the
  // range of the first quarter.
  constexpr std::size_t kShortest = 16;   // steps: below that there is no trend to see
  constexpr double kStillClimbing = 1.1;  // 10 % above what was there before
  std::vector<Warning> warnings;
  for (const auto& [point, statistics] : calibration.points) {
    if (!point.ends_with(".cell") && !point.ends_with(".cell_reverse")) continue;
    const std::vector<float>& steps = statistics.step_max_abs;
    if (steps.size() < kShortest) continue;
    const auto peak = [&](std::size_t first, std::size_t last) {
      return static_cast<double>(*std::max_element(steps.begin() + static_cast<std::ptrdiff_t>(first),
                                                   steps.begin() + static_cast<std::ptrdiff_t>(last)));
    };
    const std::size_t first_quarter = steps.size() / 4, last_quarter = steps.size() - steps.size() / 4;
    const double early = peak(0, first_quarter), before = peak(0, last_quarter), end = peak(last_quarter, steps.size());
    if (early <= 0 || end < kStillClimbing * before) continue;
    const auto leaves = std::ranges::find_if(steps, [&](float c) { return static_cast<double>(c) > early; });
    std::ostringstream text;
    text << std::setprecision(3) << "cell state '" << point << "' keeps growing from step " << leaves - steps.begin()
         << " on: |c| stays below " << early << " in the first quarter, " << before
         << " in the first three, and reaches " << end << " in the last of " << steps.size()
         << " steps; longer sequences may saturate. Calibrate on longer sequences or train with a cell clip";
    const std::size_t dot = point.find('.');
    warnings.push_back({"growing_state", point.substr(0, dot), point.substr(dot + 1), end, before, text.str()});
  }
  return warnings;
}

}  // namespace quaver
