#include "quaver/quantize/operations/row.h"
#include "quaver/quantize/quantizer.h"

namespace quaver {
namespace {

class QuantizePoolRow final : public QuantizeRow {
 public:
  void code(Quantizer& quantizer, Node& node) const override {
    if (is_float(quantizer.edge(node, 0))) quantizer.read_input(node);
    node.outputs[0].format = quantizer.read_format(node);
  }

  bool hands_on_wide(const Node&) const override { return true; }
  bool passes_on() const override { return true; }
};

}  // namespace

const QuantizeRow& quantize_pool() {
  static const QuantizePoolRow kRow;
  return kRow;
}

}  // namespace quaver
