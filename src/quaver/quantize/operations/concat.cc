#include "quaver/core/text.h"
#include "quaver/quantize/operations/row.h"
#include "quaver/quantize/quantizer.h"

namespace quaver {
namespace {

class QuantizeConcatRow final : public QuantizeRow {
 public:
  void code(Quantizer& quantizer, Node& node) const override {
    node.outputs[0].format =
        quantizer.feeds_scores_only(node) ? quantizer.score_format(node) : format_i8(quantizer.output_affine(node));
    for (std::size_t slot = 0; slot < node.inputs.size(); ++slot) {
      warn_narrow(quantizer, node, slot);
      quantizer.recode_input(node, slot, node.outputs[0].format);
    }
  }

 private:
  // One format serves all inputs: one far smaller than the others keeps few codes.
  static void warn_narrow(Quantizer& quantizer, const Node& node, std::size_t slot) {
    constexpr double kFewest = 16;
    const std::string point = input_format_name(slot);
    const RangeStatistics& range = quantizer.calibration().at(node.name + "." + point);
    const double codes = (range.max - range.min) / static_cast<double>(node.outputs[0].format.scale);
    if (codes >= kFewest) return;
    quantizer.warn({"narrow_join", node.name, point, codes, kFewest,
                    concat("'", node.inputs[slot], "' spans ", codes, " codes in '", node.name, "', expected ", kFewest,
                           ": the other inputs are far larger and set the scale. Keep the node and all that read it in "
                           "float with --ignore and --allow-float, or scale the input up before it is joined")});
  }
};

}  // namespace

const QuantizeRow& quantize_concat() {
  static const QuantizeConcatRow kRow;
  return kRow;
}

}  // namespace quaver
