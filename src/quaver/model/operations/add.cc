#include "quaver/model/operations/add.h"

#include "quaver/model/operations/join.h"
#include "quaver/model/operations/row.h"

namespace quaver {
namespace {

class AddRow final : public OperationRowOf<AddAttributes> {
 public:
  std::size_t least_inputs() const override { return 2; }
  std::size_t most_inputs() const override { return kMostSlots; }

  void check_formats(const Site& site) const override {
    for (std::size_t slot = 0; slot < site.node.inputs.size(); ++slot) {
      expect_kind(site.read_name(slot), site.read_format(slot), {NumberType::kI16});
      expect_format(site.read_name(slot), site.read_format(slot), site.read_format(0));
    }
    expect_kind(site.output_name(), site.node.outputs[0].format, {NumberType::kI8, NumberType::kI16});
  }

 protected:
  void check(const Site& site, const AddAttributes&) const override {
    check_joined(site);
    for (std::size_t slot = 1; slot < site.inputs.size(); ++slot)
      if (site.input(slot).shape != site.input().shape)
        refuse(described(site.node), " adds values of one shape, but its ", site.input_name(slot), " is ",
               shape_text(site.input(slot).shape.sizes()), " and its ", site.input_name(), " is ",
               shape_text(site.input().shape.sizes()));
  }

  std::vector<Value> outputs(const AddAttributes&, std::span<const Value* const> inputs) const override {
    return {{.shape = inputs[0]->shape, .has_time = joined_has_time(inputs)}};
  }
};

}  // namespace

const OperationRow& AddAttributes::row() {
  static const AddRow kRow;
  return kRow;
}

}  // namespace quaver
