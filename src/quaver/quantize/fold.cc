#include "quaver/quantize/fold.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

#include "quaver/core/error.h"
#include "quaver/core/text.h"
#include "quaver/model/formats/scheme.h"
#include "quaver/quantize/operations/row.h"

namespace quaver {
namespace {

constexpr double kFewestCodes = 16;    // that a feature's own range spans, however little it weighs
constexpr double kWorthwhile = 0.9;    // of the error without: else the model stays as it is
constexpr double kWeightsCount = 0.1;  // of the weights' error: compensated rounding leaves a sixth, open gates less

// s_c ~ range_c^range / largest weight_c^weight: from a range of its own for every channel to one for all; in between,
// channels that count little leave steps to those that count much, in the codes as in the weights.
struct Balance {
  double range, weight;
};
constexpr std::array<Balance, 5> kBalances{{{1, 0}, {0.75, 0.25}, {0.5, 0.5}, {0.5, 0}, {0, 0}}};
// Where new data goes far beyond what was seen, ranges of single channels are hardly known: they share room then.
constexpr double kSteadyRange = 0.15, kBalanced = 0.5;

// Whether all that a node does with what it reads is to multiply it by a matrix.
bool multiplies_its_input(const Node& node) {
  return std::ranges::any_of(tensor_slots(node), [](const TensorSlot& slot) {
    return std::ranges::any_of(slot.operands, [](const std::string& point) { return point.starts_with("input"); });
  });
}

// Whether a value can be divided by a scale a channel where it is made, and moved by an offset.
std::optional<Folding> folding_of_producer(const Model& model, const std::string& value) {
  if (const ModelInput* input = model.find_input(value))
    return is_float(input->value.format) ? std::optional(Folding::kScaleAndOffset) : std::nullopt;
  const Node& node = model.node(value);
  if (node.outputs.size() > 1 || node.outputs[0].shape.axes() != 1) return std::nullopt;  // others repeat its codes
  return quantize_row(node.operation).folding(node);
}

// A matrix that multiplies the channels [first, first + columns) of a value.
struct Reader {
  const Node* node;
  std::string suffix;
  std::string tensor, operand;  // full names
  std::size_t first = 0;
  bool biased = false;  // its bias takes what the weights' errors come to on the mean operand
};

std::vector<Reader> matrix_readers(const Model& model, const std::string& value) {
  std::vector<Reader> readers;
  for (const Node& node : model.nodes) {
    std::size_t first = 0;
    for (const std::string& suffix : direction_suffixes(node.operation)) {
      if (std::ranges::count(node.inputs, value) > 0)
        readers.push_back({&node, suffix, node.name + ".W" + suffix, node.name + ".input" + suffix, 0, true});
      // Its own R too reads what a recurrent node gives.
      if (node.name != value || !is_recurrent(node.operation)) continue;
      readers.push_back({&node, suffix, node.name + ".R" + suffix, node.name + ".output" + suffix, first, false});
      first += static_cast<std::size_t>(model.tensor(readers.back().tensor).row_size());
    }
  }
  return readers;
}

// Estimates the squared error of the readers' sums that a choice of channels leaves: of the operand's codes, uniform
// within their step, and of the weights'.
class ErrorEstimate {
 public:
  ErrorEstimate(const Model& model, const std::string& value, const Calibration& calibration)
      : statistics_(calibration.channels.at(value)) {
    for (const Reader& reader : matrix_readers(model, value)) {
      const WeightFormat* format = weight_format_of(find_scheme(reader.node->scheme)->weights);
      const double limit = format == nullptr ? kI8Limit : format->limit;
      matrices_.push_back({reader, model.tensor(reader.tensor).matrix<float>(), limit, {}});
      const auto moment = calibration.operands.find(reader.operand);
      if (moment != calibration.operands.end() && moment->second.count() > 0) matrices_.back().moment = &moment->second;
    }
    largest_weights_.assign(statistics_.low.size(), 0);
    for (const Matrix& matrix : matrices_)
      for (std::size_t row = 0; row < matrix.weights.rows(); ++row)
        for (std::size_t c = 0; c < matrix.weights.cols(); ++c) {
          double& largest = largest_weights_[matrix.reader.first + c];
          largest = std::max(largest, std::abs(static_cast<double>(matrix.weights(row, c))));
        }
  }

  const std::vector<double>& largest_weights() const { return largest_weights_; }

  // step: of the codes, in units of the scaled channels.
  double operator()(const Channels& channels, double step) const {
    double error = 0;
    for (const Matrix& matrix : matrices_) {
      const std::size_t cols = matrix.weights.cols();
      double energy = 0;
      for (std::size_t c = 0; c < cols; ++c)
        energy += matrix.reader.biased ? variance(matrix, channels, c) : mean_square(matrix, channels, c);
      double sums = 0;
      for (std::size_t row = 0; row < matrix.weights.rows(); ++row) {
        double squares = 0, largest = 0;
        for (std::size_t c = 0; c < cols; ++c) {
          const double weight =
              std::abs(static_cast<double>(matrix.weights(row, c))) * channels.scale_of(matrix.reader.first + c);
          squares += weight * weight;
          if (!statistics_.constant(matrix.reader.first + c)) largest = std::max(largest, weight);
        }
        const double weight_step = largest / matrix.limit;
        sums += step * step * squares + kWeightsCount * weight_step * weight_step * energy;
      }
      error += sums;
    }
    return error;
  }

 private:
  struct Matrix {
    Reader reader;
    MatrixView<const float> weights;
    double limit = kI8Limit;
    const SecondMoment* moment = nullptr;
  };

  // Of a channel as it is coded.
  double mean_square(const Matrix& matrix, const Channels& channels, std::size_t column) const {
    const std::size_t c = matrix.reader.first + column;
    const double offset = channels.offset_of(c), scale = channels.scale_of(c);
    if (matrix.moment != nullptr) {
      const double mean = matrix.moment->mean(column), square = matrix.moment->mean_square(column);
      return std::max(0.0, square - 2 * offset * mean + offset * offset) / (scale * scale);
    }
    const double middle = 0.5 * (statistics_.low[c] + statistics_.high[c]) - offset;  // as if it were uniform
    const double half = 0.5 * (statistics_.high[c] - statistics_.low[c]);
    return (middle * middle + half * half / 3) / (scale * scale);
  }

  double variance(const Matrix& matrix, const Channels& channels, std::size_t column) const {
    const std::size_t c = matrix.reader.first + column;
    const double scale = channels.scale_of(c), half = 0.5 * (statistics_.high[c] - statistics_.low[c]);
    if (matrix.moment == nullptr) return half * half / 3 / (scale * scale);
    const double mean = matrix.moment->mean(column);
    return std::max(0.0, matrix.moment->mean_square(column) - mean * mean) / (scale * scale);
  }

  const ChannelStatistics& statistics_;
  std::vector<Matrix> matrices_;
  std::vector<double> largest_weights_;
};

// W diag(s).
void scale_columns(Tensor& tensor, const Channels& channels, std::size_t first) {
  const auto cols = static_cast<std::size_t>(tensor.row_size());
  const std::span<float> values = tensor.as_mutable<float>();
  for (std::size_t i = 0; i < values.size(); ++i)
    values[i] = static_cast<float>(static_cast<double>(values[i]) * channels.scale_of(first + i % cols));
}

std::vector<double> times_offset(const Tensor& weights, const Channels& channels) {
  const MatrixView<const float> W = weights.matrix<float>();
  std::vector<double> sums;
  for (std::size_t row = 0; row < W.rows(); ++row) {
    double sum = 0;
    for (std::size_t c = 0; c < W.cols(); ++c) sum += static_cast<double>(W(row, c)) * channels.offset_of(c);
    sums.push_back(sum);
  }
  return sums;
}

}  // namespace

std::map<std::string, Folding> foldable_values(const Model& model) {
  std::map<std::string, Folding> foldable;
  const auto consider = [&](const std::string& value) {
    std::optional<Folding> folding = folding_of_producer(model, value);
    bool read = false;
    for (const Node& node : model.nodes) {
      if (std::ranges::count(node.inputs, value) == 0) continue;
      read = true;
      if (!multiplies_its_input(node)) folding.reset();
    }
    if (read && folding) foldable.emplace(value, *folding);
  };
  for (const ModelInput& input : model.inputs) consider(input.name);
  for (const Node& node : model.nodes) consider(node.name);
  return foldable;
}

Channels choose_channels(const Model& model, const std::string& value, Folding folding, const Calibration& calibration,
                         double steps) {
  const auto found = calibration.channels.find(value);
  const auto features = static_cast<std::size_t>(model.value(value).shape.features());
  if (found == calibration.channels.end() || found->second.low.size() != features)
    throw_bad_input(concat("calibration has no ranges of the ", features, " channels of '", value,
                           "'; was it made for another model?"));
  const ChannelStatistics& statistics = found->second;
  bool all_constant = true;
  for (std::size_t c = 0; c < features; ++c) all_constant = all_constant && statistics.constant(c);
  if (all_constant) return {};

  const ErrorEstimate error(model, value, calibration);
  const RangeStatistics& normalized = statistics.normalized;
  if (normalized.max_abs() == 0) return {};
  const Interval own_interval = channel_interval(calibration, value);
  const double own_step = (own_interval.high - own_interval.low) / steps;
  const double share = choose_max_abs(normalized, calibration.method, calibration.percentile) / normalized.max_abs();
  const Channels own = own_ranges(statistics, folding);
  const double low = std::min(0.0, std::ranges::min(statistics.low)),
               high = std::max(0.0, std::ranges::max(statistics.high));
  double least = kWorthwhile * error({}, share * (high - low) / steps);
  Channels best;
  for (const Balance& balance : kBalances) {
    if (balance.range > std::max(kBalanced, 1 / statistics.headroom() + kSteadyRange)) continue;
    std::vector<double> wanted(features);
    double widest = 0;  // the channel that fills the codes
    for (std::size_t c = 0; c < features; ++c) {
      const auto range = static_cast<double>(own.scale[c]);
      const double weight = error.largest_weights()[c];
      wanted[c] = std::pow(range, balance.range) * (weight > 0 ? std::pow(weight, -balance.weight) : 1);
      if (!statistics.constant(c)) widest = std::max(widest, range / wanted[c]);
    }
    Channels channels = own;
    const double most = steps / (kFewestCodes * statistics.headroom());
    for (std::size_t c = 0; c < features; ++c) {
      const auto range = static_cast<double>(own.scale[c]);
      channels.scale[c] = static_cast<float>(std::clamp(wanted[c] * widest, range, range * most));
      if (!channels.offset.empty())
        channels.offset[c] = static_cast<float>(offset_of_wider(statistics, c, own, channels.scale_of(c)));
    }
    const double left = error(channels, own_step);
    if (left >= least) continue;
    least = left;
    best = std::move(channels);
  }
  return best;
}

Interval channel_interval(const Calibration& calibration, const std::string& value) {
  const RangeStatistics& normalized = calibration.channels.at(value).normalized;
  const double share = choose_max_abs(normalized, calibration.method, calibration.percentile) / normalized.max_abs();
  return {normalized.min < 0 ? -share : 0, normalized.max > 0 ? share : 0};
}

void fold(Model& model, const std::string& value, const Channels& channels) {
  const auto features = static_cast<std::int64_t>(channels.scale.size());
  for (const Reader& reader : matrix_readers(model, value)) {
    Tensor& weights = model.tensors.at(reader.tensor);
    if (!channels.offset.empty()) {
      const std::vector<double> moved = times_offset(weights, channels);
      const std::string bias =
          concat(reader.node->name, ".", quantize_row(reader.node->operation).offset_bias(*reader.node), reader.suffix);
      if (!model.tensors.contains(bias)) model.tensors[bias] = Tensor::zeros(NumberType::kF32, {weights.rows()});
      const std::span<float> b = model.tensors.at(bias).as_mutable<float>();
      for (std::size_t row = 0; row < b.size(); ++row)
        b[row] = static_cast<float>(static_cast<double>(b[row]) + moved[row]);
    }
    scale_columns(weights, channels, reader.first);
  }
  if (const Node* node = model.maker(value)) quantize_row(node->operation).normalize(model, *node, channels);
  model.tensors[value + ".scale"] = Tensor::from<float>({features}, channels.scale);
  if (!channels.offset.empty()) model.tensors[value + ".offset"] = Tensor::from<float>({features}, channels.offset);
}

}  // namespace quaver
