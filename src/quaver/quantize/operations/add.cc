#include <algorithm>
#include "quaver/quantize/operations/row.h"
#include "quaver/quantize/quantizer.h"

namespace quaver {
namespace {

class QuantizeAddRow final : public QuantizeRow {
 public:
  // (A47) The inputs share 16 bits over twice the range of the widest.
  void code(Quantizer& quantizer, Node& node) const override {
    double largest = 0;
    for (std::size_t slot = 0; slot < node.inputs.size(); ++slot)
      largest = std::max(largest, quantizer.calibration().at(node.name + "." + input_format_name(slot)).max_abs());
    quantizer.refuse_zero_range(node.name + ".input", largest, quantizer.calibration().at(node.name + ".input").count);
    const Format common{NumberType::kI16, symmetric_scale(kHeadroom * largest, kI16Limit), 0};
    for (std::size_t slot = 0; slot < node.inputs.size(); ++slot) quantizer.recode_input(node, slot, common);
    node.outputs[0].format =
        quantizer.feeds_scores_only(node) ? quantizer.score_format(node) : format_i8(quantizer.output_affine(node));
  }

 private:
  static constexpr double kHeadroom = 2;  // of values beyond their calibrated range, as codes of 8 bits may have them
};

}  // namespace

const QuantizeRow& quantize_add() {
  static const QuantizeAddRow kRow;
  return kRow;
}

}  // namespace quaver
