#include "quaver/cells/feedforward/nonlinearity.h"
#include "quaver/quantize/operations/row.h"
#include "quaver/quantize/quantizer.h"

namespace quaver {
namespace {

class QuantizeActivationRow final : public QuantizeRow {
 public:
  void code(Quantizer& quantizer, Node& node) const override {
    const Affine x = quantizer.read_input(node), y = quantizer.output_affine(node);
    node.outputs[0].format = format_i8(y);
    const auto table = activation_table(std::get<ActivationAttributes>(node.operation).function, x, y);
    quantizer.set_tensor(node, "table", Tensor::from<std::int8_t>({256}, table));
  }
};

}  // namespace

const QuantizeRow& quantize_activation() {
  static const QuantizeActivationRow kRow;
  return kRow;
}

}  // namespace quaver
