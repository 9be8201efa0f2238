#include "quaver/model/operations/concat.h"

#include "quaver/model/operations/join.h"
#include "quaver/model/operations/row.h"

namespace quaver {
namespace {

class ConcatRow final : public OperationRowOf<ConcatAttributes> {
 public:
  std::size_t least_inputs() const override { return 2; }
  std::size_t most_inputs() const override { return kMostSlots; }

  void check_formats(const Site& site) const override {
    expect_kind(site.output_name(), site.node.outputs[0].format, {NumberType::kI8, NumberType::kI16});
    for (std::size_t slot = 0; slot < site.node.inputs.size(); ++slot)
      expect_format(site.read_name(slot), site.read_format(slot), site.node.outputs[0].format);
  }

 protected:
  void check(const Site& site, const ConcatAttributes&) const override {
    check_joined(site);
    for (std::size_t slot = 1; slot < site.inputs.size(); ++slot) {
      const Shape &first = site.input().shape, &other = site.input(slot).shape;
      if (other.with_features(1) != first.with_features(1))
        refuse(described(site.node), " puts values side by side that differ in their last axis alone, but its ",
               site.input_name(slot), " is ", shape_text(other.sizes()), " and its ", site.input_name(), " is ",
               shape_text(first.sizes()));
    }
  }

  std::vector<Value> outputs(const ConcatAttributes&, std::span<const Value* const> inputs) const override {
    std::int64_t features = 0;
    for (const Value* input : inputs) features += input->shape.features();
    return {{.shape = inputs[0]->shape.with_features(features), .has_time = joined_has_time(inputs)}};
  }
};

}  // namespace

const OperationRow& ConcatAttributes::row() {
  static const ConcatRow kRow;
  return kRow;
}

}  // namespace quaver
