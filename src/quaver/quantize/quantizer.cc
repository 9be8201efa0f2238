#include "quaver/quantize/quantizer.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "quaver/core/error.h"
#include "quaver/core/printable.h"
#include "quaver/core/text.h"
#include "quaver/model/formats/scheme.h"
#include "quaver/quantize/compensated_rounding.h"
#include "quaver/quantize/fold.h"
#include "quaver/quantize/name_pattern.h"

namespace quaver {
namespace {

void check_scheme(const std::string& scheme) {
  if (find_scheme(scheme) != nullptr) return;
  const std::vector<std::string> names = scheme_names();
  const std::string near = closest(scheme, names);
  throw_usage(concat("unknown scheme '", scheme, "'; expected one of ", join(names, ", "),
                     near.empty() ? "" : concat("; did you mean '", near, "'?")));
}

std::vector<std::string> schemes_with_row_scales() {
  std::vector<std::string> names;
  for (const Scheme& scheme : schemes())
    if (scheme.scale_a_row) names.emplace_back(scheme.name);
  return names;
}

constexpr std::size_t kFewestSteps = 16;
constexpr double kFewestCodes = 16;  // that a feature should span

// Biases share the scale s_x s_W of their row; where a row's weights are tiny beside its bias, the row's scale is
// raised so that the bias code stays below this: int32 keeps room for the sum (A8 of docs/arithmetic.md:
// matvec_fits_i32).
constexpr double kLargestBiasCode = 1 << 28;

// The nearest float at or above `scale` whose lower 16 bits are 0. A list with a scale a row is kept in two bytes each;
// codes get at most 1/128 coarser, 0.03 dB on average.
float round_up_to_bfloat16(float scale) {
  const auto bits = std::bit_cast<std::uint32_t>(scale);
  return std::bit_cast<float>((bits + 0xffffu) & 0xffff0000u);
}

// The scale with which codes of a few bits lose least of a row, in squares: there are so few steps (seven, of i4) that
// cutting its largest weights off a little often costs less than a coarser step for all.
double best_scale(std::span<const float> values, std::int32_t limit) {
  constexpr int kTrials = 16, kLeast = 8;  // sixteenths of the largest magnitude
  const double largest = max_abs(values);
  double best = largest / limit, least_loss = std::numeric_limits<double>::infinity();
  for (int trial = kLeast; trial <= kTrials && largest > 0; ++trial) {
    const double scale = largest * trial / (kTrials * limit);
    double loss = 0;
    for (const float value : values) {
      const double real = static_cast<double>(value);
      const double error = real - scale * quantize(real, scale, 0, -limit, limit);
      loss += error * error;
    }
    if (loss <= least_loss) {
      least_loss = loss;
      best = scale;
    }
  }
  return best;
}

// The same for codes of so few levels that the largest weight says little: from a start, codes to the nearest and the
// scale that suits them best, in turns (Lloyd 1982), which never loses more than before; of several starts the best.
double fitted_scale(std::span<const float> values, const WeightFormat& format) {
  constexpr int kStarts = 8, kMostTurns = 50;
  const double largest = max_abs(values);
  double best = largest > 0 ? largest : 1, least_loss = std::numeric_limits<double>::infinity();
  for (int start = 1; start <= kStarts && largest > 0; ++start) {
    double scale = largest * start / (kStarts * format.limit);
    for (int turn = 0; turn < kMostTurns; ++turn) {
      double product = 0, squares = 0, energy = 0;
      for (const float value : values) {
        const double real = static_cast<double>(value), code = format.nearest(real, scale);
        product += real * code;
        squares += code * code;
        energy += real * real;
      }
      if (squares == 0) break;  // all codes are 0: the start was too coarse
      const double fitted = product / squares, loss = energy - product * fitted;
      if (loss < least_loss) {
        least_loss = loss;
        best = fitted;
      }
      if (fitted == scale) break;
      scale = fitted;
    }
  }
  return best;
}

constexpr std::int32_t kFewLevels = 2;  // a format whose codes are no larger

}  // namespace

double max_abs(std::span<const float> values) {
  double largest = 0;
  for (const float value : values) largest = std::max(largest, std::abs(static_cast<double>(value)));
  return largest;
}

double weight_scale(std::span<const float> values, const WeightFormat& format) {
  if (format.limit <= kFewLevels) return fitted_scale(values, format);
  return format.is_packed() ? best_scale(values, format.limit) : max_abs(values) / format.limit;
}

Tensor code_tensor(const Tensor& source, NumberType kind, std::vector<float> scales) {
  const WeightFormat* format = weight_format_of(kind);
  Tensor coded = Tensor::zeros(format != nullptr ? NumberType::kI8 : kind, source.shape);
  coded.scales = std::move(scales);
  const auto values = source.as<float>();
  const auto row_size = static_cast<std::size_t>(source.row_size());
  const auto fill = [&]<typename T>(std::span<T> codes, const auto& code_of) {
    for (std::size_t i = 0; i < codes.size(); ++i) {
      const auto scale = static_cast<double>(coded.scale_of_row(static_cast<std::int64_t>(i / row_size)));
      codes[i] = static_cast<T>(code_of(static_cast<double>(values[i]), scale));
    }
  };
  const auto within = [](std::int32_t limit) {
    return [limit](double value, double scale) { return quantize(value, scale, 0, -limit, limit); };
  };
  if (format != nullptr) {
    fill(coded.as_mutable<std::int8_t>(), [&](double value, double scale) { return format->nearest(value, scale); });
    return coded.packed(kind);
  }
  if (kind == NumberType::kI16)
    fill(coded.as_mutable<std::int16_t>(), within(kI16Limit));
  else
    fill(coded.as_mutable<std::int32_t>(), within(std::numeric_limits<std::int32_t>::max()));
  return coded;
}

std::vector<float> group_scales(const Tensor& weights, std::size_t groups, std::int32_t limit) {
  const auto values = weights.as<float>();
  const std::size_t run = values.size() / groups;
  std::vector<float> scales;
  for (std::size_t g = 0; g < groups; ++g)
    scales.push_back(symmetric_scale(max_abs(values.subspan(g * run, run)), limit));
  return scales;
}

bool Quantizer::has_row_scales(const Node& node) { return find_scheme(node.scheme)->scale_a_row; }

Format Quantizer::score_format(const Node& node) const {
  return {NumberType::kI16, symmetric_scale(2 * largest(node.name + ".output"), kI16Limit), 0};
}

QuantizeResult Quantizer::run() {
  if (!is_float_scheme(source_.scheme))
    throw_bad_input(concat("model '", printable(source_.name), "' has scheme ", source_.scheme,
                           " already; quantize the float model"));
  choose_schemes();
  result_.model = source_;
  Model& model = result_.model;
  model.scheme = options_.scheme;
  for (Node& node : model.nodes) node.scheme = schemes_.at(node.name);
  widen_edges();
  fold_channels();
  code_inputs();
  for (const ModelInput& input : model.inputs) warn_features(input);
  for (Node& node : model.nodes) {
    if (runs_in_float(node)) {
      warn_island(node);
    } else {
      quantize_row(node.operation).code(*this, node);
      code_last(node);
      warn_narrow_output(node);
    }
  }
  warn_little_data();
  for (Warning& warning : growth_warnings(calibration_)) result_.warnings.push_back(std::move(warning));
  model.provenance["calibration"] =
      concat(method_name(calibration_.method), ", ", calibration_.sequences, " sequences, ", calibration_.steps,
             " steps; ", rounding_name(options_.rounding), " rounding");
  validate(model);
  return std::move(result_);
}

std::string Quantizer::scheme_of_place(const Node& node) const {
  const std::string_view ends = find_scheme(options_.scheme)->ends;
  const bool gives_output = std::ranges::find(source_.outputs, node.name) != source_.outputs.end();
  const bool is_end = std::holds_alternative<EmbeddingAttributes>(node.operation) ||
                      (std::holds_alternative<DenseAttributes>(node.operation) && gives_output);
  return std::string(is_end && !ends.empty() ? ends : options_.scheme);
}

void Quantizer::choose_schemes() {
  check_scheme(options_.scheme);
  struct Rule {
    std::string text;
    NamePattern pattern;
    std::string scheme;
    bool chosen = false;
    std::string matched_first = "";  // a node, and the rule that has it
    std::string taken_by = "";
  };
  std::vector<Rule> rules;  // the first that matches a node has it; ignored nodes first: they win
  for (const std::string& pattern : options_.ignore)
    rules.push_back({pattern, NamePattern(pattern), std::string(kFloatScheme)});
  for (const auto& [pattern, scheme] : options_.overrides) {
    check_scheme(scheme);
    rules.push_back({pattern, NamePattern(pattern), scheme});
  }
  std::vector<std::string> names;
  for (const Node& node : source_.nodes) {
    names.push_back(node.name);
    schemes_[node.name] = scheme_of_place(node);
    const Rule* owner = nullptr;
    for (Rule& rule : rules) {
      if (!rule.pattern.found_in(node.name)) continue;
      if (owner == nullptr) {
        owner = &rule;
        rule.chosen = true;
        schemes_[node.name] = rule.scheme;
        named_.insert(node.name);
      } else if (rule.taken_by.empty()) {
        rule.matched_first = node.name;
        rule.taken_by = owner->text;
      }
    }
    if (is_float_scheme(schemes_[node.name])) {
      if (!is_float_scheme(options_.scheme) && !options_.allow_float)
        throw_usage(
            concat("node '", node.name, "' would stay in float; pass --allow-float to run it as a float island"));
    } else if (const std::string reason = row_of(node.operation).no_integer_form(node.operation); !reason.empty()) {
      if (!options_.allow_float)
        throw_bad_input(concat("node '", node.name, "' has no integer form: ", reason,
                               "; pass --allow-float to run it as a float island"));
      schemes_[node.name] = kFloatScheme;
    }
  }
  for (const Rule& rule : rules) {
    if (rule.chosen) continue;
    if (rule.taken_by.empty())
      throw_usage(concat("'", rule.text, "' matches no node; the model has: ", join(names, ", ")));
    throw_usage(concat("'", rule.text,
                       "' has no effect: every node that it matches belongs to a rule that goes before ", "it ('",
                       rule.matched_first, "' to '", rule.taken_by, "'; those of --ignore go first)"));
  }
}

void Quantizer::warn_island(const Node& node) {
  if (!is_float_scheme(options_.scheme))
    result_.warnings.push_back(
        {"float_island", node.name, "", {}, {}, concat("node '", node.name, "' stays a float island")});
}

void Quantizer::widen_edges() {
  for (const Node& node : result_.model.nodes) {
    if (!has_row_scales(node)) continue;
    const QuantizeRow& row = quantize_row(node.operation);
    const bool uneven = row.starts_wide(*this, node) || (wide_.contains(node.inputs[0]) && row.hands_on_wide(node));
    if (uneven && narrow_reader(node.name).empty()) wide_.insert(node.name);
  }
}

std::string Quantizer::narrow_reader(const std::string& value) const {
  for (const Node& node : result_.model.nodes) {
    if (std::ranges::count(node.inputs, value) == 0) continue;
    const bool passes_on = quantize_row(node.operation).passes_on();
    const std::string found = passes_on ? narrow_reader(node.name) : reads_wide(node) ? "" : node.name;
    if (!found.empty()) return found;
  }
  return "";
}

void Quantizer::warn_narrow_output(const Node& node) {
  const bool narrows =
      input_format(result_.model, node).kind == NumberType::kI16 && node.outputs[0].format.kind == NumberType::kI8;
  if (!narrows) return;
  const QuantizeRow& row = quantize_row(node.operation);
  const std::string reader = narrow_reader(node.name);
  const std::string reason =
      row.hands_on_wide(node) ? concat("'", reader, "' can not read 16") : row.narrow_reason(node);
  result_.warnings.push_back(
      {"narrow_output",
       node.name,
       "output",
       {},
       {},
       concat("node '", node.name,
              "' reads 16 bits, as an embedding before it has rows far larger than others, and hands ", "on 8 (",
              reason, "): where such a row is read it sets the range, and the others keep few codes. Shrink ",
              "that row, or keep the node and all that read it in float with --ignore and --allow-float")});
}

bool Quantizer::reads_wide(const Node& node) const {
  return has_row_scales(node) &&
         quantize_row(node.operation).reads_wide(source_.value(node.inputs[0]).shape.features());
}

void Quantizer::fold_channels() {
  Model& model = result_.model;
  for (const auto& [value, folding] : foldable_values(source_)) {
    const bool coded = std::ranges::all_of(model.nodes, [&, name = value](const Node& node) {
      return (std::ranges::count(node.inputs, name) == 0 && node.name != name) || has_row_scales(node);
    });
    // A dense layer's 16 bits have room for all its channels; the large rows' ranges would make the reader's columns
    // as uneven as they are.
    const Node* maker = model.maker(value);
    const bool wide_dense = wide_.contains(value) && maker != nullptr && !is_recurrent(maker->operation) &&
                            !row_of(maker->operation).reads_ids();
    if (!coded || wide_dense) continue;
    const double steps = wide_.contains(value) ? 65535 : 255;
    Channels channels = choose_channels(model, value, folding, calibration_, steps);
    if (channels.empty()) continue;
    fold(model, value, channels);
    channels_.emplace(value, std::move(channels));
  }
}

const Channels* Quantizer::channels(const std::string& value) const {
  const auto found = channels_.find(value);
  return found == channels_.end() ? nullptr : &found->second;
}

Affine Quantizer::channel_affine(const std::string& value) const {
  const Interval interval = channel_interval(calibration_, value);
  if (interval.low == -interval.high) return {symmetric_scale(interval.high, kI8Limit), 0};
  return affine_i8(interval.low, interval.high);
}

void Quantizer::warn_little_data() {
  if (calibration_.steps >= kFewestSteps) return;
  result_.warnings.push_back(
      {"little_data", "input", "", static_cast<double>(calibration_.steps), kFewestSteps,
       concat("the calibration data has ", calibration_.steps, " steps in all, expected at least ", kFewestSteps,
              ": ranges that so few show are soon left. Calibrate on more")});
}

void Quantizer::warn_features(const ModelInput& input) {
  const Format& format = input.value.format;
  const auto found = calibration_.channels.find(input.name);
  if (format.kind != NumberType::kI8 || found == calibration_.channels.end()) return;
  const ChannelStatistics& statistics = found->second;
  const Channels* folded = channels(input.name);
  const Tensor* mean = source_.find_tensor(input.name + ".mean");
  const auto deviation = [&](std::size_t c) {
    return mean == nullptr ? 1.0
                           : 1 / static_cast<double>(source_.tensor(input.name + ".inverse_deviation").as<float>()[c]);
  };
  const auto user = [&](std::size_t c, double value) {
    return mean == nullptr ? value : static_cast<double>(mean->as<float>()[c]) + value * deviation(c);
  };
  for (const RangeCut& cut : statistics.cuts)
    result_.warnings.push_back({"range_cut", input.name, concat("feature ", cut.channel), cut.extreme, cut.kept,
                                concat("feature ", cut.channel, " reaches ", cut.extreme, " once (sequence ",
                                       cut.sequence, ", step ", cut.step, ") and else ends at ", cut.kept,
                                       ": it is cut there. Calibrate on more such data if it is ", "no spike")});
  for (const RangeCut& lone : statistics.lone)
    result_.warnings.push_back(
        {"lone_value", input.name, concat("feature ", lone.channel), lone.extreme, lone.kept,
         concat("feature ", lone.channel, " reaches ", lone.extreme, " once (sequence ", lone.sequence, ", step ",
                lone.step, ") and else ends at ", lone.kept, ": that one value sets its range. Calibrate on more ",
                "data, or without it if it is a spike")});
  for (std::size_t c = 0; c < statistics.low.size(); ++c) {
    const double step =
        static_cast<double>(format.scale) * (folded == nullptr ? 1 : folded->scale_of(c));  // normalised units a code
    const double low = statistics.low[c], high = statistics.high[c];
    const std::string point = concat("feature ", c);
    if (statistics.constant(c)) {
      const double middle = folded == nullptr ? 0 : folded->offset_of(c);
      result_.warnings.push_back(
          {"constant_feature", input.name, point, user(c, low), 127 * step * deviation(c),
           concat(point, " is ", user(c, low), " in all of the calibration data; of what it may be one day, ",
                  user(c, middle + (-128 - format.zero_point) * step), " to ",
                  user(c, middle + (127 - format.zero_point) * step),
                  " has codes. Calibrate on data in which it moves")});
    } else if ((high - low) / step < kFewestCodes) {
      result_.warnings.push_back(
          {"narrow_feature", input.name, point, (high - low) / step, kFewestCodes,
           concat(point, " spans ", (high - low) / step, " codes of ", kFewestCodes, " expected: from ", user(c, low),
                  " to ", user(c, high), " beside features far larger. Scale the features alike, or take ",
                  join(schemes_with_row_scales(), " or "), ", which fold a scale a feature")});
    }
  }
}

std::vector<const RangeStatistics*> Quantizer::points(const Node& node, const std::string& point) const {
  std::vector<const RangeStatistics*> found;
  for (const std::string& suffix : {std::string(), std::string("_reverse")})
    if (const auto at = calibration_.points.find(node.name + "." + point + suffix); at != calibration_.points.end())
      found.push_back(&at->second);
  if (found.empty()) calibration_.at(node.name + "." + point);  // throws with the name
  return found;
}

void Quantizer::refuse_zero_range(const std::string& point, double largest, std::uint64_t count) const {
  if (largest > 0) return;
  throw_bad_input(
      concat("calibration: '", point, "' is 0 in all ", count,
             " values, so it has no range to code; use data that reaches it, or keep the node in float with "
             "--ignore and --allow-float"));
}

Affine Quantizer::input_affine(const Node& node, std::size_t slot) const {
  if (channels(node.inputs[slot]) != nullptr) return channel_affine(node.inputs[slot]);
  return range_affine(node, input_format_name(slot));
}

Affine Quantizer::output_affine(const Node& node) const {
  if (channels(node.name) != nullptr) return channel_affine(node.name);
  return range_affine(node, "output");
}

Affine Quantizer::range_affine(const Node& node, const std::string& point) const {
  Interval interval;
  std::uint64_t count = 0;
  for (const RangeStatistics* statistics : points(node, point)) {
    const Interval one = choose_interval(*statistics, calibration_.method, calibration_.percentile);
    interval.low = std::min(interval.low, one.low);
    interval.high = std::max(interval.high, one.high);
    count += statistics->count;
  }
  refuse_zero_range(node.name + "." + point, std::max(-interval.low, interval.high), count);
  return affine_i8(interval.low, interval.high);
}

double Quantizer::largest(const std::string& point) const {
  const RangeStatistics& statistics = calibration_.at(point);
  refuse_zero_range(point, statistics.max_abs(), statistics.count);
  return statistics.max_abs();
}

void Quantizer::code_inputs() {
  for (ModelInput& input : result_.model.inputs) {
    if (!is_float(input.value.format)) continue;  // ids
    for (const Node& node : result_.model.nodes) {
      const auto slot = std::ranges::find(node.inputs, input.name);
      if (slot == node.inputs.end() || runs_in_float(node)) continue;
      input.value.format = format_i8(input_affine(node, static_cast<std::size_t>(slot - node.inputs.begin())));
      break;
    }
  }
}

Affine Quantizer::read_input(Node& node) {
  const Format& edge = result_.model.value(node.inputs[0]).format;
  const bool wide = edge.kind == NumberType::kI16 && reads_wide(node);
  if (edge.kind != NumberType::kI8 && !wide) node.formats["input"] = format_i8(input_affine(node, 0));
  const Format format = input_format(result_.model, node);
  return {format.scale, format.zero_point};
}

const Format& Quantizer::edge(const Node& node, std::size_t slot) const {
  return result_.model.value(node.inputs[slot]).format;
}

void Quantizer::recode_input(Node& node, std::size_t slot, const Format& format) const {
  if (edge(node, slot) != format) node.formats[input_format_name(slot)] = format;
}

bool Quantizer::feeds_scores_only(const Node& node) const {
  return std::ranges::none_of(source_.nodes, [&](const Node& reader) {
    return std::ranges::count(reader.inputs, node.name) > 0 && !quantize_row(reader.operation).ranks_scores();
  });
}

Affine Quantizer::code_state(Node& node) const {
  const Format copy = state_format(node);
  node.outputs[0].format = copy;
  if (wide_.contains(node.name)) {
    node.formats["state"] = copy;
    node.outputs[0].format = {NumberType::kI16, 0x1p-15f, 0};
  }
  return {copy.scale, copy.zero_point};
}

Format Quantizer::state_format(const Node& node) const {
  constexpr float kFinest = 0x1p-14f;
  double largest = 0;
  for (const RangeStatistics* statistics : points(node, "output")) largest = std::max(largest, statistics->max_abs());
  if (largest == 0) return {NumberType::kI8, 0x1p-7f, 0};
  const Affine affine = output_affine(node);
  if (affine.scale >= kFinest) return format_i8(affine);
  const double low = static_cast<double>(affine.scale) * (-128 - affine.zero_point);
  return format_i8(affine_i8(low, low + 255 * static_cast<double>(kFinest)));
}

void Quantizer::code_last(Node& node) {
  for (std::size_t slot = 1; slot < node.outputs.size(); ++slot) {
    const auto cell =
        std::ranges::find_if(node.formats, [](const auto& entry) { return entry.first.starts_with("cell"); });
    node.outputs[slot].format = slot == 1 ? node.outputs[0].format : cell->second;
  }
}

std::vector<float> Quantizer::weight_scales(const Node& node, const Tensor& weights, std::size_t gates,
                                            const Tensor* bias, float input_scale) const {
  const bool per_row = has_row_scales(node);
  const WeightFormat& format = *weight_format_of(matrix_type(node));
  const auto rows = static_cast<std::size_t>(weights.rows());
  const std::size_t groups = per_row ? rows : gates;
  const auto values = weights.as<float>();
  const std::size_t run = values.size() / groups, rows_of_run = rows / groups;
  const std::size_t unbiased = bias == nullptr ? rows : rows - static_cast<std::size_t>(bias->rows());
  std::vector<float> scales;
  for (std::size_t g = 0; g < groups; ++g) {
    const auto group = values.subspan(g * run, run);
    double scale = weight_scale(group, format);
    if (bias != nullptr && g >= unbiased / rows_of_run) {
      const std::size_t first = g * rows_of_run - unbiased;
      const double largest_bias = max_abs(bias->as<float>().subspan(first, rows_of_run));
      scale = std::max(scale, largest_bias / (kLargestBiasCode * static_cast<double>(input_scale)));
    }
    const float usable = scale > 0 ? static_cast<float>(scale) : 1.0f;
    scales.push_back(per_row ? round_up_to_bfloat16(usable) : usable);
  }
  return scales;
}

void Quantizer::code_matrix(Node& node, const std::string& weights, const std::string& bias, std::size_t gates,
                            float input_scale, const std::vector<std::string>& operands) {
  Tensor& W = tensor(node, weights);
  Tensor* b = bias.empty() ? nullptr : &tensor(node, bias);
  const std::vector<float> scales = weight_scales(node, moving_columns(node, weights, W), gates, b, input_scale);
  std::vector<float> bias_scales;
  if (b != nullptr) {
    const auto rows = static_cast<std::size_t>(W.rows()), biased = static_cast<std::size_t>(b->rows());
    for (std::size_t row = rows - biased; row < rows; ++row)
      bias_scales.push_back(scales[row * scales.size() / rows] * input_scale);
  }
  const NumberType kind = matrix_type(node);
  // Behind a wide edge the mean is that of its large rows, wherever they are frequent: what the bias took for them
  // would be off for all others.
  const bool of_large_rows =
      operands.front().starts_with("input") && input_format(result_.model, node).kind == NumberType::kI16;
  W = options_.rounding == Rounding::kNearest
          ? code_tensor(W, kind, scales)
          : code_compensated(node, W, kind, scales, operands, of_large_rows ? nullptr : b);
  if (b != nullptr) code_bias(*b, std::move(bias_scales));
}

Tensor Quantizer::moving_columns(const Node& node, const std::string& name, Tensor W) const {
  if (!name.starts_with("W") || name.starts_with("W_projection") || channels(node.inputs[0]) == nullptr) return W;
  const ChannelStatistics& statistics = calibration_.channels.at(node.inputs[0]);
  const auto cols = static_cast<std::size_t>(W.row_size());
  const std::span<float> values = W.as_mutable<float>();
  for (std::size_t i = 0; i < values.size(); ++i)
    if (statistics.constant(i % cols)) values[i] = 0;
  return W;
}

Tensor Quantizer::code_compensated(const Node& node, const Tensor& W, NumberType kind, std::vector<float> scales,
                                   const std::vector<std::string>& operands, Tensor* bias) const {
  const WeightFormat& format = *weight_format_of(kind);
  Tensor coded = Tensor::zeros(NumberType::kI8, W.shape);
  coded.scales = std::move(scales);
  const auto cols = static_cast<std::size_t>(W.row_size());
  const std::size_t rows = static_cast<std::size_t>(W.rows()) / operands.size();
  const auto unbiased = static_cast<std::size_t>(bias == nullptr ? W.rows() : W.rows() - bias->rows());
  for (std::size_t part = 0; part < operands.size(); ++part) {
    const std::size_t first = part * rows;
    std::vector<float> row_scales;
    for (std::size_t row = first; row < first + rows; ++row)
      row_scales.push_back(coded.scale_of_row(static_cast<std::int64_t>(row)));
    const MatrixView<const float> weights(W.as<float>().data() + first * cols, rows, cols);
    const SecondMoment moment = operand(node, operands[part], cols);
    const bool is_state = operands[part].starts_with("output") || operands[part].starts_with("reset");
    const bool biased = first >= unbiased && !is_state;
    const auto codes = round_compensated(weights, row_scales, format, biased ? moment.centered() : moment);
    std::ranges::copy(codes, coded.as_mutable<std::int8_t>().subspan(first * cols).begin());
    for (std::size_t row = 0; biased && row < rows; ++row) {
      double left = 0;
      for (std::size_t c = 0; c < cols; ++c)
        left += (static_cast<double>(weights(row, c)) - static_cast<double>(row_scales[row]) * codes[row * cols + c]) *
                moment.mean(c);
      float& b = bias->as_mutable<float>()[first + row - unbiased];
      b = static_cast<float>(static_cast<double>(b) + left);
    }
  }
  return coded.packed(kind);
}

SecondMoment Quantizer::operand(const Node& node, const std::string& point, std::size_t size) const {
  const std::string name = node.name + "." + point;
  const auto found = calibration_.operands.find(name);
  if (found == calibration_.operands.end() || found->second.count() == 0)
    throw_usage(concat("calibration has no moments of '", name,
                       "', which compensated rounding needs; calibrate with moments, or round to nearest"));
  if (found->second.size() != size)
    throw_bad_input(concat("calibration has ", found->second.size(), " values of '", name, "', the model has ", size,
                           "; was it made for another model?"));
  if (const Channels* folded = channels(node.inputs[0]); folded != nullptr && point.starts_with("input"))
    return found->second.normalized(*folded);
  if (const Channels* folded = channels(node.name); folded != nullptr && point.starts_with("output"))
    return found->second.normalized(folded->part(point.ends_with("_reverse") ? folded->scale.size() - size : 0, size));
  return found->second;
}

void Quantizer::code_bias(Tensor& bias, std::vector<float> scales) {
  bias = code_tensor(bias, NumberType::kI32, std::move(scales));
  bias.scales.clear();
}

}  // namespace quaver
