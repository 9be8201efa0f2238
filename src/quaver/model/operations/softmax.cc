#include "quaver/model/operations/softmax.h"

#include "quaver/model/operations/row.h"

namespace quaver {
namespace {

class SoftmaxRow final : public OperationRowOf<SoftmaxAttributes> {
 public:
  bool gives_scores() const override { return true; }
  void check_formats(const Site& site) const override {
    expect_kind(site.read_name(), site.read_format(), {NumberType::kI16});
    expect_format(site.output_name(), site.node.outputs[0].format, {NumberType::kI16, 0x1p-15f, 0});
  }

 protected:
  std::vector<Value> outputs(const SoftmaxAttributes&, std::span<const Value* const> inputs) const override {
    return {{.shape = inputs[0]->shape, .has_time = inputs[0]->has_time}};
  }
};

}  // namespace

const OperationRow& SoftmaxAttributes::row() {
  static const SoftmaxRow kRow;
  return kRow;
}

}  // namespace quaver
