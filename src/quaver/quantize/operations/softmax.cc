#include "quaver/quantize/operations/row.h"
#include "quaver/quantize/quantizer.h"

namespace quaver {
namespace {

class QuantizeSoftmaxRow final : public QuantizeRow {
 public:
  void code(Quantizer& quantizer, Node& node) const override {
    const Format& edge = quantizer.edge(node, 0);
    // int8 logits widen exactly: code - zero point at the same scale.
    if (edge.kind == NumberType::kI8) node.formats["input"] = {NumberType::kI16, edge.scale, 0};
    if (is_float(edge)) {
      const double largest = quantizer.largest(node.name + ".input");
      node.formats["input"] = {NumberType::kI16, symmetric_scale(largest, kI16Limit), 0};
    }
    node.outputs[0].format = {NumberType::kI16, 0x1p-15f, 0};
  }

  bool ranks_scores() const override { return true; }
};

}  // namespace

const QuantizeRow& quantize_softmax() {
  static const QuantizeSoftmaxRow kRow;
  return kRow;
}

}  // namespace quaver
