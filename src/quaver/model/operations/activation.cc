#include "quaver/model/operations/activation.h"

#include "quaver/model/operations/row.h"

namespace quaver {
namespace {

class ActivationRow final : public OperationRowOf<ActivationAttributes> {
 public:
  std::vector<TensorSlot> tensors(const Node& node) const override {
    if (runs_in_float(node)) return {};
    return {{node.name + ".table", {256}, NumberType::kI8, TensorRole::kTable}};
  }

  std::string variant(const Operation& operation) const override {
    return std::string(nonlinearity_name(std::get<ActivationAttributes>(operation).function));
  }

  void check_formats(const Site& site) const override {
    expect_kind(site.read_name(), site.read_format(), {NumberType::kI8});
    expect_kind(site.output_name(), site.node.outputs[0].format, {NumberType::kI8});
  }

 protected:
  std::vector<Value> outputs(const ActivationAttributes&, std::span<const Value* const> inputs) const override {
    return {{.shape = inputs[0]->shape, .has_time = inputs[0]->has_time}};
  }

  std::string text(const ActivationAttributes& activation) const override {
    return std::string(nonlinearity_name(activation.function));
  }
};

}  // namespace

const OperationRow& ActivationAttributes::row() {
  static const ActivationRow kRow;
  return kRow;
}

}  // namespace quaver
