#include "quaver/model/operations/dense.h"

#include "quaver/model/operations/row.h"

namespace quaver {
namespace {

class DenseRow final : public OperationRowOf<DenseAttributes> {
 public:
  bool gives_scores() const override { return true; }
  std::vector<TensorSlot> tensors(const Node& node) const override {
    const auto& dense = std::get<DenseAttributes>(node.operation);
    return {{node.name + ".W",
             {dense.units, dense.input_size},
             matrix_type(node),
             TensorRole::kMatrix,
             "",
             1,
             {"input"},
             TensorStart::kGlorot},
            {node.name + ".b", {dense.units}, bias_type(node), TensorRole::kBias}};
  }

  void check_formats(const Site& site) const override {
    expect_kind(site.read_name(), site.read_format(), {NumberType::kI8, NumberType::kI16});
    expect_kind(site.output_name(), site.node.outputs[0].format, {NumberType::kI8, NumberType::kI16});
  }

 protected:
  void check(const Site& site, const DenseAttributes& dense) const override {
    check_input_size(site, dense.input_size);
    check_size(site.node, "units", dense.units);
  }

  std::vector<Value> outputs(const DenseAttributes& dense, std::span<const Value* const> inputs) const override {
    return {{.shape = inputs[0]->shape.with_features(dense.units), .has_time = inputs[0]->has_time}};
  }

  std::string text(const DenseAttributes& dense) const override { return concat("dense ", dense.units); }
};

}  // namespace

const OperationRow& DenseAttributes::row() {
  static const DenseRow kRow;
  return kRow;
}

}  // namespace quaver
