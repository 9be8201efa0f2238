#include "quaver/quantize/operations/row.h"
#include "quaver/quantize/quantizer.h"

namespace quaver {
namespace {

class QuantizeArgmaxRow final : public QuantizeRow {
 public:
  void code(Quantizer&, Node&) const override {}  // compares codes of any format

  bool ranks_scores() const override { return true; }
};

}  // namespace

const QuantizeRow& quantize_argmax() {
  static const QuantizeArgmaxRow kRow;
  return kRow;
}

}  // namespace quaver
