#include "quaver/quantize/quantize.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <set>

#include "quaver/cells/feedforward/nonlinearity.h"
#include "quaver/core/error.h"
#include "quaver/core/printable.h"
#include "quaver/core/text.h"
#include "quaver/engine/bind.h"
#include "quaver/fixed/quantization.h"
#include "quaver/model/scheme.h"
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

// ---- tensors ---------------------------------------------------------------------------------------------------

// Biases share the scale s_x s_W of their row; where a row's weights are tiny beside its bias, the row's scale is
// raised so that the bias code stays below this: int32 keeps room for the sum (A8 of docs/arithmetic.md:
// matvec_fits_i32).
constexpr double kLargestBiasCode = 1 << 28;

double max_abs(std::span<const float> values) {
  double largest = 0;
  for (const float value : values) largest = std::max(largest, std::abs(static_cast<double>(value)));
  return largest;
}

// i8 codes within -7..7 as i4.
Tensor packed_nibbles(const Tensor& codes) {
  Tensor packed = Tensor::from_nibbles(codes.shape, codes.as<std::int8_t>());
  packed.scales = codes.scales;
  return packed;
}

// Codes of `source` with the scales given (tensor.h's rule), limit 7 (i4), 127 (i8), 32767 (i16) or 2^31-1 (i32).
Tensor code_tensor(const Tensor& source, NumberType kind, std::vector<float> scales) {
  Tensor coded = Tensor::zeros(kind == NumberType::kI4 ? NumberType::kI8 : kind, source.shape);
  coded.scales = std::move(scales);
  const auto values = source.as<float>();
  const auto row_size = static_cast<std::size_t>(source.row_size());
  const auto fill = [&]<typename T>(std::span<T> codes, std::int32_t limit) {
    for (std::size_t i = 0; i < codes.size(); ++i) {
      const auto scale = static_cast<double>(coded.scale_of_row(static_cast<std::int64_t>(i / row_size)));
      codes[i] = static_cast<T>(quantize(static_cast<double>(values[i]), scale, 0, -limit, limit));
    }
  };
  switch (kind) {
    case NumberType::kI4: fill(coded.as_mutable<std::int8_t>(), kI4Limit); return packed_nibbles(coded);
    case NumberType::kI8: fill(coded.as_mutable<std::int8_t>(), kI8Limit); break;
    case NumberType::kI16: fill(coded.as_mutable<std::int16_t>(), kI16Limit); break;
    case NumberType::kI32: fill(coded.as_mutable<std::int32_t>(), std::numeric_limits<std::int32_t>::max()); break;
    default: break;  // f32, which is coded already
  }
  return coded;
}

// The nearest float at or above `scale` whose lower 16 bits are 0. A list with a scale a row is kept in two bytes each;
// codes get at most 1/128 coarser, 0.03 dB on average.
float round_up_to_bfloat16(float scale) {
  const auto bits = std::bit_cast<std::uint32_t>(scale);
  return std::bit_cast<float>((bits + 0xffffu) & 0xffff0000u);
}

// The scale with which codes of four bits lose least of a row, in squares: seven steps are so few that cutting its
// largest weights off a little often costs less than a coarser step for all.
double best_i4_scale(std::span<const float> values) {
  constexpr int kTrials = 16, kLeast = 8;  // sixteenths of the largest magnitude
  const double largest = max_abs(values);
  double best = largest / kI4Limit, least_loss = std::numeric_limits<double>::infinity();
  for (int trial = kLeast; trial <= kTrials && largest > 0; ++trial) {
    const double scale = largest * trial / (kTrials * kI4Limit);
    double loss = 0;
    for (const float value : values) {
      const double real = static_cast<double>(value);
      const double error = real - scale * quantize(real, scale, 0, -kI4Limit, kI4Limit);
      loss += error * error;
    }
    if (loss <= least_loss) {
      least_loss = loss;
      best = scale;
    }
  }
  return best;
}

// One scale for each of `groups` equal runs of rows: max |w| / limit.
std::vector<float> group_scales(const Tensor& weights, std::size_t groups, std::int32_t limit) {
  const auto values = weights.as<float>();
  const std::size_t run = values.size() / groups;
  std::vector<float> scales;
  for (std::size_t g = 0; g < groups; ++g)
    scales.push_back(symmetric_scale(max_abs(values.subspan(g * run, run)), limit));
  return scales;
}

// ---- one model -------------------------------------------------------------------------------------------------

class Quantizer {
 public:
  Quantizer(const Model& model, const Calibration& calibration, const QuantizeOptions& options)
      : source_(model), calibration_(calibration), options_(options) {}

  QuantizeResult run() {
    if (source_.scheme != "f32")
      throw_bad_input(concat("model '", printable(source_.name), "' has scheme ", source_.scheme,
                             " already; quantize the float model"));
    choose_schemes();
    result_.model = source_;
    Model& model = result_.model;
    model.scheme = options_.scheme;
    for (Node& node : model.nodes) node.scheme = schemes_.at(node.name);
    widen_edges();
    fold_channels();
    code_input();
    warn_features();
    for (Node& node : model.nodes)
      if (node.scheme == "f32")
        warn_island(node);
      else {
        quantize_node(node);
        warn_narrow_output(node);
      }
    warn_little_data();
    for (Warning& warning : growth_warnings(calibration_)) result_.warnings.push_back(std::move(warning));
    model.provenance["calibration"] =
        concat(method_name(calibration_.method), ", ", calibration_.sequences, " sequences, ", calibration_.steps,
               " steps; ", rounding_name(options_.rounding), " rounding");
    validate(model);
    return std::move(result_);
  }

 private:
  // -- schemes

  void choose_schemes() {
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
    for (const std::string& pattern : options_.ignore) rules.push_back({pattern, NamePattern(pattern), "f32"});
    for (const auto& [pattern, scheme] : options_.overrides) {
      check_scheme(scheme);
      rules.push_back({pattern, NamePattern(pattern), scheme});
    }
    std::vector<std::string> names;
    for (const Node& node : source_.nodes) {
      names.push_back(node.name);
      schemes_[node.name] = options_.scheme;
      const Rule* owner = nullptr;
      for (Rule& rule : rules) {
        if (!rule.pattern.found_in(node.name)) continue;
        if (owner == nullptr) {
          owner = &rule;
          rule.chosen = true;
          schemes_[node.name] = rule.scheme;
        } else if (rule.taken_by.empty()) {
          rule.matched_first = node.name;
          rule.taken_by = owner->text;
        }
      }
      if (schemes_[node.name] == "f32") {
        if (options_.scheme != "f32" && !options_.allow_float)
          throw_usage(
              concat("node '", node.name, "' would stay in float; pass --allow-float to run it as a float island"));
      } else if (const std::string reason = no_integer_form(node); !reason.empty()) {
        if (!options_.allow_float)
          throw_bad_input(concat("node '", node.name, "' has no integer form: ", reason,
                                 "; pass --allow-float to run it as a float island"));
        schemes_[node.name] = "f32";
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

  static std::string no_integer_form(const Node& node) {
    if (const auto* rnn = std::get_if<RnnAttributes>(&node.operation);
        rnn != nullptr && rnn->nonlinearity == Nonlinearity::kRelu)
      return "a relu state has no bound, so no fixed format";
    return "";
  }

  void warn_island(const Node& node) {
    if (options_.scheme != "f32")
      result_.warnings.push_back(
          {"float_island", node.name, "", {}, {}, concat("node '", node.name, "' stays a float island")});
  }

  // -- wide edges

  // Embeddings whose rows need codes of 16 bits, and whose readers take them (A45). What they drive reaches as far
  // beyond its usual range as their rows do: states (A46) and dense layers hand it on in 16 bits as well.
  void widen_edges() {
    for (const Node& node : result_.model.nodes) {
      if (!has_row_scales(node)) continue;
      const bool uneven = std::holds_alternative<EmbeddingAttributes>(node.operation)
                              ? narrow_rows(source_.tensor(node.name + ".W")).codes < kFewestRowCodes
                              : wide_.contains(node.inputs[0]) && can_hand_on_wide(node);
      if (uneven && read_wide(node.name)) wide_.insert(node.name);
    }
  }

  static bool can_hand_on_wide(const Node& node) {
    return hands_on_state(node) || std::holds_alternative<DenseAttributes>(node.operation) ||
           std::holds_alternative<PoolAttributes>(node.operation);
  }

  // The first node that reads the value, or a pool of it, and takes no 16 bits; "" for none.
  std::string narrow_reader(const std::string& value) const {
    for (const Node& node : result_.model.nodes) {
      if (node.inputs[0] != value) continue;
      const bool pool = std::holds_alternative<PoolAttributes>(node.operation);
      const std::string found = pool ? narrow_reader(node.name) : reads_wide(node) ? "" : node.name;
      if (!found.empty()) return found;
    }
    return "";
  }

  // Behind a wide edge 8 bits are few wherever they come first.
  void warn_narrow_output(const Node& node) {
    const bool narrows =
        input_format(result_.model, node).kind == NumberType::kI16 && node.outputs[0].format.kind == NumberType::kI8;
    if (!narrows) return;
    const std::string reader = narrow_reader(node.name);
    const std::string reason =
        can_hand_on_wide(node) ? concat("'", reader, "' can not read 16") : std::string("it has a projection");
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

  static bool hands_on_state(const Node& node) {
    const auto* lstm = std::get_if<LstmAttributes>(&node.operation);
    return is_recurrent(node.operation) && (lstm == nullptr || lstm->projection_size == 0);
  }

  bool read_wide(const std::string& value) const { return narrow_reader(value).empty(); }

  // A matrix that takes codes of 16 bits: in a gated cell any, else one whose sums are sure to fit int32.
  bool reads_wide(const Node& node) const {
    constexpr std::int64_t kMostFeatures = 448;  // 448 * 127 * 2^15 + kLargestBiasCode < 2^31
    if (!has_row_scales(node)) return false;
    const bool gated =
        std::holds_alternative<LstmAttributes>(node.operation) || std::holds_alternative<GruAttributes>(node.operation);
    const bool plain = std::holds_alternative<RnnAttributes>(node.operation) ||
                       std::holds_alternative<DenseAttributes>(node.operation);
    return gated || (plain && source_.value(node.inputs[0]).size() <= kMostFeatures);
  }

  static bool has_row_scales(const Node& node) { return find_scheme(node.scheme)->scale_a_row; }

  // -- channels

  // Values around which everything is coded with a scale a row get channels where that pays.
  void fold_channels() {
    Model& model = result_.model;
    for (const auto& [value, folding] : foldable_values(source_)) {
      const bool coded = std::ranges::all_of(model.nodes, [&, name = value](const Node& node) {
        return (node.inputs[0] != name && node.name != name) || has_row_scales(node);
      });
      // A dense layer's 16 bits have room for all its channels; the large rows' ranges would make the reader's columns
      // as uneven as they are.
      const bool wide_dense = wide_.contains(value) && value != "input" &&
                              std::holds_alternative<DenseAttributes>(model.node(value).operation);
      if (!coded || wide_dense) continue;
      const double steps = wide_.contains(value) ? 65535 : 255;
      Channels channels = choose_channels(model, value, folding, calibration_, steps);
      if (channels.empty()) continue;
      fold(model, value, channels);
      channels_.emplace(value, std::move(channels));
    }
  }

  const Channels* channels(const std::string& value) const {
    const auto found = channels_.find(value);
    return found == channels_.end() ? nullptr : &found->second;
  }

  // Of a value with channels: all of them share the codes of the widest. A range that is as wide on both sides has 0 in
  // its middle and a code for either end: features that know two values alone, as switches do, are coded exactly.
  Affine channel_affine(const std::string& value) const {
    const Interval interval = channel_interval(calibration_, value);
    if (interval.low == -interval.high) return {symmetric_scale(interval.high, kI8Limit), 0};
    return affine_i8(interval.low, interval.high);
  }

  void warn_little_data() {
    if (calibration_.steps >= kFewestSteps) return;
    result_.warnings.push_back(
        {"little_data", "input", "", static_cast<double>(calibration_.steps), kFewestSteps,
         concat("the calibration data has ", calibration_.steps, " steps in all, expected at least ", kFewestSteps,
                ": ranges that so few show are soon left. Calibrate on more")});
  }

  // What the input's features make worth a look: in the user's units.
  void warn_features() {
    const Format& format = result_.model.inputs[0].value.format;
    const auto found = calibration_.channels.find("input");
    if (format.kind != NumberType::kI8 || found == calibration_.channels.end()) return;
    const ChannelStatistics& statistics = found->second;
    const Channels* folded = channels("input");
    const Tensor* mean = source_.find_tensor("input.mean");
    const auto deviation = [&](std::size_t c) {
      return mean == nullptr ? 1.0 : 1 / static_cast<double>(source_.tensor("input.inverse_deviation").as<float>()[c]);
    };
    const auto user = [&](std::size_t c, double value) {
      return mean == nullptr ? value : static_cast<double>(mean->as<float>()[c]) + value * deviation(c);
    };
    for (const RangeCut& cut : statistics.cuts)
      result_.warnings.push_back({"range_cut", "input", concat("feature ", cut.channel), cut.extreme, cut.kept,
                                  concat("feature ", cut.channel, " reaches ", cut.extreme, " once (sequence ",
                                         cut.sequence, ", step ", cut.step, ") and else ends at ", cut.kept,
                                         ": it is cut there. Calibrate on more such data if it is ", "no spike")});
    for (const RangeCut& lone : statistics.lone)
      result_.warnings.push_back(
          {"lone_value", "input", concat("feature ", lone.channel), lone.extreme, lone.kept,
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
            {"constant_feature", "input", point, user(c, low), 127 * step * deviation(c),
             concat(point, " is ", user(c, low), " in all of the calibration data; of what it may be one day, ",
                    user(c, middle + (-128 - format.zero_point) * step), " to ",
                    user(c, middle + (127 - format.zero_point) * step),
                    " has codes. Calibrate on data in which it moves")});
      } else if ((high - low) / step < kFewestCodes) {
        result_.warnings.push_back(
            {"narrow_feature", "input", point, (high - low) / step, kFewestCodes,
             concat(point, " spans ", (high - low) / step, " codes of ", kFewestCodes, " expected: from ", user(c, low),
                    " to ", user(c, high),
                    " beside features far larger. Scale the features alike, or take int8 or int4, "
                    "which fold a scale a feature")});
      }
    }
  }

  // -- ranges

  // The points of a node's directions: "lstm0.output", "lstm0.output_reverse", as far as there are such.
  std::vector<const RangeStatistics*> points(const Node& node, const std::string& point) const {
    std::vector<const RangeStatistics*> found;
    for (const std::string& suffix : {std::string(), std::string("_reverse")})
      if (const auto at = calibration_.points.find(node.name + "." + point + suffix); at != calibration_.points.end())
        found.push_back(&at->second);
    if (found.empty()) calibration_.at(node.name + "." + point);  // throws with the name
    return found;
  }

  void refuse_zero_range(const std::string& point, double largest, std::uint64_t count) const {
    if (largest > 0) return;
    throw_bad_input(
        concat("calibration: '", point, "' is 0 in all ", count,
               " values, so it has no range to code; use data that reaches it, or keep the node in float with "
               "--ignore and --allow-float"));
  }

  Affine activation_affine(const Node& node, const std::string& point) const {
    const std::string& value = point == "input" ? node.inputs[0] : node.name;
    if (channels(value) != nullptr) return channel_affine(value);
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

  double largest(const std::string& point) const {
    const RangeStatistics& statistics = calibration_.at(point);
    refuse_zero_range(point, statistics.max_abs(), statistics.count);
    return statistics.max_abs();
  }

  Format format_i8(const Affine& affine) const { return {NumberType::kI8, affine.scale, affine.zero_point}; }

  // -- edges

  void code_input() {
    Model& model = result_.model;
    if (model.inputs[0].value.format.kind == NumberType::kI32) return;  // ids
    for (const Node& node : model.nodes) {
      if (node.inputs[0] != "input" || node.scheme == "f32") continue;
      model.inputs[0].value.format = format_i8(activation_affine(node, "input"));
      return;
    }
  }

  // The codes a node reads, of 8 bits where it does not take 16; sets its own "input" format when its edge has none.
  Affine read_input(Node& node) {
    const Format& edge = result_.model.value(node.inputs[0]).format;
    const bool wide = edge.kind == NumberType::kI16 && reads_wide(node);
    if (edge.kind != NumberType::kI8 && !wide) node.formats["input"] = format_i8(activation_affine(node, "input"));
    const Format format = input_format(result_.model, node);
    return {format.scale, format.zero_point};
  }

  // i16 where nothing but an output, softmax or argmax reads the scores: they keep what int8 would round away.
  bool feeds_scores_only(const Node& node) const {
    return std::ranges::none_of(source_.nodes, [&](const Node& reader) {
      return reader.inputs[0] == node.name && !std::holds_alternative<SoftmaxAttributes>(reader.operation) &&
             !std::holds_alternative<ArgmaxAttributes>(reader.operation);
    });
  }

  // The node hands on its state's int8 copy, or the state itself (A46). Returns the copy's format.
  Affine code_state(Node& node) const {
    const Format copy = state_format(node);
    node.outputs[0].format = copy;
    if (wide_.contains(node.name)) {
      node.formats["state"] = copy;
      node.outputs[0].format = {NumberType::kI16, 0x1p-15f, 0};
    }
    return {copy.scale, copy.zero_point};
  }

  // The int8 copy of a state in Q0.15. |h| <= 1 whatever the data, so a state that calibration leaves at 0
  // has a format all the same; codes finer than the state itself would gain nothing.
  Format state_format(const Node& node) const {
    constexpr float kFinest = 0x1p-14f;
    double largest = 0;
    for (const RangeStatistics* statistics : points(node, "output")) largest = std::max(largest, statistics->max_abs());
    if (largest == 0) return {NumberType::kI8, 0x1p-7f, 0};
    const Affine affine = activation_affine(node, "output");
    if (affine.scale >= kFinest) return format_i8(affine);
    const double low = static_cast<double>(affine.scale) * (-128 - affine.zero_point);
    return format_i8(affine_i8(low, low + 255 * static_cast<double>(kFinest)));
  }

  // LiteRT's recipe has an LSTM, whose bytes are kept; for other cells there is nothing to keep.
  static Sums sums_of(const Node& node) {
    const bool as_litert = node.scheme == "int8_per_tensor" && std::holds_alternative<LstmAttributes>(node.operation);
    return as_litert ? Sums::kHalves : Sums::kWhole;
  }

  // -- nodes

  void quantize_node(Node& node) {
    std::visit([&](const auto& attributes) { code(node, attributes); }, node.operation);
  }

  Tensor& tensor(const Node& node, const std::string& name) { return result_.model.tensors.at(node.name + "." + name); }

  // Weight scales of a matrix of `gates` stacked blocks, a row or a gate each; rows whose bias is large beside their
  // weights get a scale that the bias fits. `bias` may be null, or shorter: then it belongs to the last rows.
  std::vector<float> weight_scales(const Node& node, const Tensor& weights, std::size_t gates, const Tensor* bias,
                                   float input_scale) const {
    const bool per_row = node.scheme != "int8_per_tensor", four_bits = node.scheme == "int4";
    const auto rows = static_cast<std::size_t>(weights.rows());
    const std::size_t groups = per_row ? rows : gates;
    const auto values = weights.as<float>();
    const std::size_t run = values.size() / groups, rows_of_run = rows / groups;
    const std::size_t unbiased = bias == nullptr ? rows : rows - static_cast<std::size_t>(bias->rows());
    std::vector<float> scales;
    for (std::size_t g = 0; g < groups; ++g) {
      const auto group = values.subspan(g * run, run);
      double scale = four_bits ? best_i4_scale(group) : max_abs(group) / kI8Limit;
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

  // W (and b beside it at scale s_input s_W). Both tensors are coded in place. operands: the points that W multiplies,
  // one for each equal run of rows.
  void code_matrix(Node& node, const std::string& weights, const std::string& bias, std::size_t gates,
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
    const NumberType kind = node.scheme == "int4" ? NumberType::kI4 : NumberType::kI8;
    // Behind a wide edge the mean is that of its large rows, wherever they are frequent: what the bias took for them
    // would be off for all others.
    const bool of_large_rows =
        operands.front().starts_with("input") && input_format(result_.model, node).kind == NumberType::kI16;
    W = options_.rounding == Rounding::kNearest
            ? code_tensor(W, kind, scales)
            : code_compensated(node, W, kind, scales, operands, of_large_rows ? nullptr : b);
    if (b != nullptr) code_bias(*b, std::move(bias_scales));
  }

  // W without the columns of features that calibration saw constant: folded, they are as large as the feature's least
  // range, and would set the scales of rows in which they do nothing.
  Tensor moving_columns(const Node& node, const std::string& name, Tensor W) const {
    if (!name.starts_with("W") || name.starts_with("W_projection") || channels(node.inputs[0]) == nullptr) return W;
    const ChannelStatistics& statistics = calibration_.channels.at(node.inputs[0]);
    const auto cols = static_cast<std::size_t>(W.row_size());
    const std::span<float> values = W.as_mutable<float>();
    for (std::size_t i = 0; i < values.size(); ++i)
      if (statistics.constant(i % cols)) values[i] = 0;
    return W;
  }

  // bias, of the last rows or null: takes what the codes' errors come to on the mean operand, so that the codes need
  // only follow how operands differ from it.
  Tensor code_compensated(const Node& node, const Tensor& W, NumberType kind, std::vector<float> scales,
                          const std::vector<std::string>& operands, Tensor* bias) const {
    const std::int32_t limit = kind == NumberType::kI4 ? kI4Limit : kI8Limit;
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
      const auto codes = round_compensated(weights, row_scales, limit, biased ? moment.centered() : moment);
      std::ranges::copy(codes, coded.as_mutable<std::int8_t>().subspan(first * cols).begin());
      for (std::size_t row = 0; biased && row < rows; ++row) {
        double left = 0;
        for (std::size_t c = 0; c < cols; ++c)
          left +=
              (static_cast<double>(weights(row, c)) - static_cast<double>(row_scales[row]) * codes[row * cols + c]) *
              moment.mean(c);
        float& b = bias->as_mutable<float>()[first + row - unbiased];
        b = static_cast<float>(static_cast<double>(b) + left);
      }
    }
    return kind == NumberType::kI4 ? packed_nibbles(coded) : coded;
  }

  SecondMoment operand(const Node& node, const std::string& point, std::size_t size) const {
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
      return found->second.normalized(
          folded->part(point.ends_with("_reverse") ? folded->scale.size() - size : 0, size));
    return found->second;
  }

  // A bias counts in units of the sum it is added to, so it keeps no scales of its own.
  static void code_bias(Tensor& bias, std::vector<float> scales) {
    bias = code_tensor(bias, NumberType::kI32, std::move(scales));
    bias.scales.clear();
  }

  void code(Node& node, const LstmAttributes& attributes) {
    const Affine x = read_input(node);
    const Affine h = wide_.contains(node.name) ? code_state(node) : activation_affine(node, "output");
    if (!wide_.contains(node.name)) node.outputs[0].format = format_i8(h);
    node.sums = sums_of(node);
    const LstmShape shape = lstm_shape(attributes);
    const std::size_t gates = shape.gate_count();
    // Clamps in codes: around the zero point, i.e. around real 0; the saturation of int8 stays.
    const auto clamp_width = [](float clip, float scale, std::int32_t most) {
      return clip > 0
                 ? static_cast<std::int32_t>(std::min(
                       std::floor(static_cast<double>(clip) / static_cast<double>(scale)), static_cast<double>(most)))
                 : most;
    };
    const std::int32_t width = clamp_width(attributes.projection_clip, h.scale, 255);
    node.codes["output_low"] = std::max(-128, h.zero_point - width);
    node.codes["output_high"] = std::min(127, h.zero_point + width);

    // Both directions take the larger m: they share one clip code.
    double cell = 0;
    for (const std::string& suffix : direction_suffixes(attributes.direction))
      cell = std::max(cell, largest(node.name + ".cell" + suffix));
    if (cell > std::ldexp(1.0, kMaxCellIntegerBits))
      result_.warnings.push_back({"cell_range", node.name, "cell", cell, std::ldexp(1.0, kMaxCellIntegerBits),
                                  concat("cell state of '", node.name, "' reaches ", cell, ", its format ends at ",
                                         std::ldexp(1.0, kMaxCellIntegerBits), " and saturates there")});
    const float cell_scale = std::ldexp(1.0f, power_of_two_integer_bits(cell) - 15);
    node.codes["cell_clip"] =
        attributes.clip > 0 ? std::max(1, clamp_width(attributes.clip, cell_scale, kI16Limit)) : 0;

    for (const std::string& suffix : direction_suffixes(attributes.direction)) {
      node.formats["cell" + suffix] = {NumberType::kI16, cell_scale, 0};
      // Before the norm there is a bias only where the input's offset left one.
      const bool moved = result_.model.tensors.contains(node.name + ".b_input" + suffix);
      const std::string bias = !attributes.layer_norm ? "b" : moved ? "b_input" : "";
      code_matrix(node, "W" + suffix, bias.empty() ? "" : bias + suffix, gates, x.scale, {"input" + suffix});
      code_matrix(node, "R" + suffix, "", gates, h.scale, {"output" + suffix});
      if (attributes.peephole) {
        Tensor& P = tensor(node, "P" + suffix);
        P = code_tensor(P, NumberType::kI16, group_scales(P, shape.peephole_count(), kI16Limit));
      }
      if (attributes.layer_norm) {
        Tensor& L = tensor(node, "L" + suffix);
        std::vector<float> scales = group_scales(L, gates, kI16Limit);
        L = code_tensor(L, NumberType::kI16, scales);
        for (float& scale : scales) scale *= 0x1p-10f;
        code_bias(tensor(node, "b" + suffix), std::move(scales));
        for (std::size_t g = 0; g < gates; ++g) {
          const std::string point = "gate_" + std::string(lstm_gate_letter(shape, g)) + suffix;
          node.formats[point] = {NumberType::kI16, symmetric_scale(largest(node.name + "." + point), kI16Limit), 0};
        }
      }
      if (shape.projection) {
        const RangeStatistics& hidden = calibration_.at(node.name + ".hidden" + suffix);
        const double threshold = choose_max_abs(hidden, calibration_.method, calibration_.percentile);
        refuse_zero_range(node.name + ".hidden" + suffix, threshold, hidden.count);
        const float scale = symmetric_scale(threshold, kI8Limit);
        node.formats["hidden" + suffix] = {NumberType::kI8, scale, 0};
        code_matrix(node, "W_projection" + suffix, "b_projection" + suffix, 1, scale, {"hidden" + suffix});
      }
    }
  }

  void code(Node& node, const GruAttributes& attributes) {
    const Affine x = read_input(node);
    const Affine h = code_state(node);
    node.sums = sums_of(node);
    for (const std::string& suffix : direction_suffixes(attributes.direction)) {
      if (attributes.linear_before_reset) code_candidate(node, suffix);
      fold_recurrent_bias(node, suffix, static_cast<std::size_t>(attributes.hidden_size));
      code_matrix(node, "W" + suffix, "b" + suffix, 3, x.scale, {"input" + suffix});
      const std::string state = "output" + suffix;
      const std::string candidate = attributes.linear_before_reset ? state : "reset" + suffix;
      code_matrix(node, "R" + suffix, "b_recurrent" + suffix, 3, h.scale, {state, state, candidate});
    }
  }

  // R h + b' of the candidate before r scales it: Qm.(15-m).
  void code_candidate(Node& node, const std::string& suffix) {
    constexpr int kLeastBits = 3, kMostBits = 7;
    const double largest = calibration_.at(node.name + ".recurrent_h" + suffix).max_abs();
    int integer_bits = kLeastBits;
    while (integer_bits < kMostBits && largest > std::ldexp(1.0, integer_bits)) ++integer_bits;
    if (largest > std::ldexp(1.0, integer_bits))
      result_.warnings.push_back({"candidate_range", node.name, "recurrent_h" + suffix, largest,
                                  std::ldexp(1.0, kMostBits),
                                  concat("the candidate's recurrent half of '", node.name, "' reaches ", largest,
                                         ", its format ends at ", std::ldexp(1.0, kMostBits), " and saturates there")});
    node.formats["candidate_recurrent" + suffix] = {NumberType::kI16, std::ldexp(1.0f, integer_bits - 15), 0};
  }

  // z and r add both halves at once, so their recurrent biases join b; the candidate's stays: reset multiplies it.
  void fold_recurrent_bias(const Node& node, const std::string& suffix, std::size_t units) {
    Tensor& recurrent = tensor(node, "b_recurrent" + suffix);
    const std::span<float> b = tensor(node, "b" + suffix).as_mutable<float>();
    const std::span<const float> from = recurrent.as<float>();
    for (std::size_t row = 0; row < 2 * units; ++row) b[row] += from[row];
    const std::span<const float> candidate = from.last(units);
    const std::vector<float> kept(candidate.begin(), candidate.end());
    recurrent = Tensor::from<float>({static_cast<std::int64_t>(units)}, kept);
  }

  void code(Node& node, const RnnAttributes& attributes) {
    const Affine x = read_input(node);
    const Affine h = code_state(node);
    node.sums = sums_of(node);
    for (const std::string& suffix : direction_suffixes(attributes.direction)) {
      code_matrix(node, "W" + suffix, "b" + suffix, 1, x.scale, {"input" + suffix});
      code_matrix(node, "R" + suffix, "", 1, h.scale, {"output" + suffix});
    }
  }

  void code(Node& node, const DenseAttributes&) {
    const Affine x = read_input(node);
    if (wide_.contains(node.name) && !feeds_scores_only(node)) {
      node.outputs[0].format = {NumberType::kI16, symmetric_scale(largest(node.name + ".output"), kI16Limit), 0};
    } else if (feeds_scores_only(node)) {
      const double scores = largest(node.name + ".output");
      // Scores may go beyond the calibrated range on new data: a factor two keeps their order there.
      node.outputs[0].format = {NumberType::kI16, symmetric_scale(2 * scores, kI16Limit), 0};
    } else {
      node.outputs[0].format = format_i8(activation_affine(node, "output"));
    }
    code_matrix(node, "W", "b", 1, x.scale, {"input"});
  }

  void code(Node& node, const EmbeddingAttributes&) {
    Tensor& table = tensor(node, "W");
    const bool wide = wide_.contains(node.name);
    warn_rows(node, table, wide ? kI16Limit : kI8Limit);
    const float scale = symmetric_scale(max_abs(table.as<float>()), wide ? kI16Limit : kI8Limit);
    const NumberType kind = wide ? NumberType::kI16 : NumberType::kI8;
    node.outputs[0].format = {kind, scale, 0};
    table = code_tensor(table, kind, {scale});
  }

  struct NarrowRows {
    double codes = 0;         // root mean square in int8, of the row that a quarter of the rows do not reach
    std::size_t largest = 0;  // the row that sets the scale
  };

  // One format serves all rows of an embedding: a row far larger than the others takes their codes. Rows of zeros, as
  // padding is, need none.
  static NarrowRows narrow_rows(const Tensor& table) {
    const MatrixView<const float> rows = table.matrix<float>();
    std::vector<double> sizes;
    double largest = 0;
    std::size_t widest = 0;
    for (std::size_t row = 0; row < rows.rows(); ++row) {
      const double most = max_abs(rows.row(row));
      if (most > largest) widest = row;
      largest = std::max(largest, most);
      double squares = 0;
      for (const float value : rows.row(row)) squares += static_cast<double>(value) * static_cast<double>(value);
      if (squares > 0) sizes.push_back(std::sqrt(squares / static_cast<double>(rows.cols())));
    }
    if (sizes.empty()) return {kI8Limit, widest};
    const auto quarter = sizes.begin() + static_cast<std::ptrdiff_t>(sizes.size() / 4);
    std::ranges::nth_element(sizes, quarter);
    return {*quarter / largest * kI8Limit, widest};
  }

  // limit: the largest code of the table.
  void warn_rows(const Node& node, const Tensor& table, std::int32_t limit) {
    const NarrowRows narrow = narrow_rows(source_.tensor(node.name + ".W"));
    // Folded, all features of a row may be large. A table that 16 bits were wanted for and refused is judged as it was.
    const double codes =
        (limit == kI8Limit ? narrow.codes : std::max(narrow.codes, narrow_rows(table).codes)) / kI8Limit * limit;
    if (codes >= kFewestRowCodes) return;
    result_.warnings.push_back(
        {"narrow_rows", node.name, concat("row ", narrow.largest), codes, kFewestRowCodes,
         concat("a quarter of the rows of '", node.name, "' reach ", codes,
                " codes or fewer in their root mean square, ", "expected ", kFewestRowCodes, ": row ", narrow.largest,
                " is far larger and sets the scale. Shrink that row",
                limit == kI16Limit ? ""
                                   : ", or give the node and all that read it the scheme int8, under which such tables "
                                     "have 16 bits (not before an RNN or a dense layer of more than 448 features)",
                ", or keep the node and all that read it in float with --ignore and --allow-float")});
  }

  void code(Node& node, const ActivationAttributes& attributes) {
    const Affine x = read_input(node);
    const Affine y = activation_affine(node, "output");
    node.outputs[0].format = format_i8(y);
    const auto table = activation_table(attributes.function, x, y);
    result_.model.tensors[node.name + ".table"] = Tensor::from<std::int8_t>({256}, table);
  }

  void code(Node& node, const PoolAttributes&) {
    if (is_float(result_.model.value(node.inputs[0]).format)) read_input(node);
    node.outputs[0].format = input_format(result_.model, node);
  }

  void code(Node& node, const SoftmaxAttributes&) {
    const Format& edge = result_.model.value(node.inputs[0]).format;
    // int8 logits widen exactly: code - zero point at the same scale.
    if (edge.kind == NumberType::kI8) node.formats["input"] = {NumberType::kI16, edge.scale, 0};
    if (is_float(edge))
      node.formats["input"] = {NumberType::kI16, symmetric_scale(largest(node.name + ".input"), kI16Limit), 0};
    node.outputs[0].format = {NumberType::kI16, 0x1p-15f, 0};
  }

  void code(Node&, const ArgmaxAttributes&) {}  // compares codes of any format

  static constexpr std::size_t kFewestSteps = 16;
  static constexpr double kFewestCodes = 16;     // that a feature should span
  static constexpr double kFewestRowCodes = 16;  // root mean square of an embedding's rows: fewer, and they get 16 bits
  static constexpr int kMaxCellIntegerBits = 6;

  const Model& source_;
  const Calibration& calibration_;
  const QuantizeOptions& options_;
  std::map<std::string, std::string> schemes_;
  std::map<std::string, Channels> channels_;  // of values that were folded
  std::set<std::string> wide_;                // values with codes of 16 bits
  QuantizeResult result_;
};

}  // namespace

std::string_view rounding_name(Rounding rounding) { return rounding == Rounding::kNearest ? "nearest" : "compensated"; }

Rounding rounding_from_name(std::string_view name) {
  for (const Rounding rounding : {Rounding::kNearest, Rounding::kCompensated})
    if (name == rounding_name(rounding)) return rounding;
  throw_usage(concat("unknown rounding '", name, "'; expected nearest or compensated"));
}

QuantizeResult quantize(const Model& model, const Calibration& calibration, const QuantizeOptions& options) {
  return Quantizer(model, calibration, options).run();
}

}  // namespace quaver
