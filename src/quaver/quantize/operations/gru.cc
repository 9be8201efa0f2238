#include <cmath>

#include "quaver/core/text.h"
#include "quaver/quantize/operations/row.h"
#include "quaver/quantize/quantizer.h"

namespace quaver {
namespace {

class QuantizeGruRow final : public QuantizeRow {
 public:
  void code(Quantizer& quantizer, Node& node) const override {
    const auto& attributes = std::get<GruAttributes>(node.operation);
    const Affine x = quantizer.read_input(node);
    const Affine h = quantizer.code_state(node);
    node.sums = Sums::kWhole;
    for (const std::string& suffix : direction_suffixes(attributes.direction)) {
      if (attributes.linear_before_reset) code_candidate(quantizer, node, suffix);
      fold_recurrent_bias(quantizer, node, suffix, static_cast<std::size_t>(attributes.hidden_size));
      quantizer.code_matrix(node, "W" + suffix, "b" + suffix, 3, x.scale, {"input" + suffix});
      const std::string state = "output" + suffix;
      const std::string candidate = attributes.linear_before_reset ? state : "reset" + suffix;
      quantizer.code_matrix(node, "R" + suffix, "b_recurrent" + suffix, 3, h.scale, {state, state, candidate});
    }
  }

  bool reads_wide(std::int64_t) const override { return true; }
  bool hands_on_wide(const Node&) const override { return true; }

 private:
  // R h + b' of the candidate before r scales it: Qm.(15-m).
  static void code_candidate(Quantizer& quantizer, Node& node, const std::string& suffix) {
    constexpr int kLeastBits = 3, kMostBits = 7;
    const double largest = quantizer.calibration().at(node.name + ".recurrent_h" + suffix).max_abs();
    int integer_bits = kLeastBits;
    while (integer_bits < kMostBits && largest > std::ldexp(1.0, integer_bits)) ++integer_bits;
    if (largest > std::ldexp(1.0, integer_bits))
      quantizer.warn({"candidate_range", node.name, "recurrent_h" + suffix, largest, std::ldexp(1.0, kMostBits),
                      concat("the candidate's recurrent half of '", node.name, "' reaches ", largest,
                             ", its format ends at ", std::ldexp(1.0, kMostBits), " and saturates there")});
    node.formats["candidate_recurrent" + suffix] = {NumberType::kI16, std::ldexp(1.0f, integer_bits - 15), 0};
  }

  // z and r add both halves at once, so their recurrent biases join b; the candidate's stays: reset multiplies it.
  static void fold_recurrent_bias(Quantizer& quantizer, const Node& node, const std::string& suffix,
                                  std::size_t units) {
    Tensor& recurrent = quantizer.tensor(node, "b_recurrent" + suffix);
    const std::span<float> b = quantizer.tensor(node, "b" + suffix).as_mutable<float>();
    const std::span<const float> from = recurrent.as<float>();
    for (std::size_t row = 0; row < 2 * units; ++row) b[row] += from[row];
    const std::span<const float> candidate = from.last(units);
    const std::vector<float> kept(candidate.begin(), candidate.end());
    recurrent = Tensor::from<float>({static_cast<std::int64_t>(units)}, kept);
  }
};

}  // namespace

const QuantizeRow& quantize_gru() {
  static const QuantizeGruRow kRow;
  return kRow;
}

}  // namespace quaver
