#include <algorithm>
#include <cmath>

#include "quaver/core/text.h"
#include "quaver/model/formats/scheme.h"
#include "quaver/quantize/operations/row.h"
#include "quaver/quantize/quantizer.h"

namespace quaver {
namespace {

constexpr int kMaxCellIntegerBits = 6;

class QuantizeLstmRow final : public QuantizeRow {
 public:
  void code(Quantizer& quantizer, Node& node) const override {
    const auto& attributes = std::get<LstmAttributes>(node.operation);
    const Affine x = quantizer.read_input(node);
    const Affine h = quantizer.is_wide(node) ? quantizer.code_state(node) : quantizer.output_affine(node);
    if (!quantizer.is_wide(node)) node.outputs[0].format = format_i8(h);
    node.sums = find_scheme(node.scheme)->cuts_halves ? Sums::kHalves : Sums::kWhole;
    const LstmShape shape = attributes.shape();
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
      cell = std::max(cell, quantizer.largest(node.name + ".cell" + suffix));
    if (cell > std::ldexp(1.0, kMaxCellIntegerBits))
      quantizer.warn({"cell_range", node.name, "cell", cell, std::ldexp(1.0, kMaxCellIntegerBits),
                      concat("cell state of '", node.name, "' reaches ", cell, ", its format ends at ",
                             std::ldexp(1.0, kMaxCellIntegerBits), " and saturates there")});
    const float cell_scale = std::ldexp(1.0f, power_of_two_integer_bits(cell) - 15);
    node.codes["cell_clip"] =
        attributes.clip > 0 ? std::max(1, clamp_width(attributes.clip, cell_scale, kI16Limit)) : 0;

    for (const std::string& suffix : direction_suffixes(attributes.direction)) {
      node.formats["cell" + suffix] = {NumberType::kI16, cell_scale, 0};
      // Before the norm there is a bias only where the input's offset left one.
      const bool moved = quantizer.has_tensor(node, "b_input" + suffix);
      const std::string bias = !attributes.layer_norm ? "b" : moved ? "b_input" : "";
      quantizer.code_matrix(node, "W" + suffix, bias.empty() ? "" : bias + suffix, gates, x.scale, {"input" + suffix});
      quantizer.code_matrix(node, "R" + suffix, "", gates, h.scale, {"output" + suffix});
      if (attributes.peephole) {
        Tensor& P = quantizer.tensor(node, "P" + suffix);
        P = code_tensor(P, NumberType::kI16, group_scales(P, shape.peephole_count(), kI16Limit));
      }
      if (attributes.layer_norm) {
        Tensor& L = quantizer.tensor(node, "L" + suffix);
        std::vector<float> scales = group_scales(L, gates, kI16Limit);
        L = code_tensor(L, NumberType::kI16, scales);
        for (float& scale : scales) scale *= 0x1p-10f;
        quantizer.code_bias(quantizer.tensor(node, "b" + suffix), std::move(scales));
        for (std::size_t g = 0; g < gates; ++g) {
          const std::string point = "gate_" + std::string(lstm_gate_letter(shape, g)) + suffix;
          node.formats[point] = {NumberType::kI16,
                                 symmetric_scale(quantizer.largest(node.name + "." + point), kI16Limit), 0};
        }
      }
      if (shape.projection) {
        const RangeStatistics& hidden = quantizer.calibration().at(node.name + ".hidden" + suffix);
        const double threshold =
            choose_max_abs(hidden, quantizer.calibration().method, quantizer.calibration().percentile);
        quantizer.refuse_zero_range(node.name + ".hidden" + suffix, threshold, hidden.count);
        const float scale = symmetric_scale(threshold, kI8Limit);
        node.formats["hidden" + suffix] = {NumberType::kI8, scale, 0};
        quantizer.code_matrix(node, "W_projection" + suffix, "b_projection" + suffix, 1, scale, {"hidden" + suffix});
      }
    }
  }

  // It starts from h = 0, and one clamp of codes serves all channels.
  std::optional<Folding> folding(const Node& node) const override {
    const auto& lstm = std::get<LstmAttributes>(node.operation);
    const bool free = lstm.projection_size > 0 && lstm.projection_clip == 0;
    return free ? std::optional(Folding::kScale) : std::nullopt;
  }
  void normalize(Model& model, const Node& node, const Channels& channels) const override {
    const auto& lstm = std::get<LstmAttributes>(node.operation);
    std::size_t first = 0;
    for (const std::string& suffix : direction_suffixes(lstm.direction)) {
      normalize_rows(model.tensors.at(node.name + ".W_projection" + suffix),
                     model.tensors.at(node.name + ".b_projection" + suffix), channels, first);
      first += static_cast<std::size_t>(lstm.output_size());
    }
  }
  // With layer norm b is added after it.
  std::string offset_bias(const Node& node) const override {
    return std::get<LstmAttributes>(node.operation).layer_norm ? "b_input" : "b";
  }

  bool reads_wide(std::int64_t) const override { return true; }
  bool hands_on_wide(const Node& node) const override {
    return std::get<LstmAttributes>(node.operation).projection_size == 0;
  }
  std::string narrow_reason(const Node&) const override { return "it has a projection"; }
};

}  // namespace

const QuantizeRow& quantize_lstm() {
  static const QuantizeLstmRow kRow;
  return kRow;
}

}  // namespace quaver
