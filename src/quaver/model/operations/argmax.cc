#include "quaver/model/operations/argmax.h"

#include "quaver/model/operations/row.h"

namespace quaver {
namespace {

class ArgmaxRow final : public OperationRowOf<ArgmaxAttributes> {
 public:
  bool gives_scores() const override { return true; }
  bool gives_index() const override { return true; }

  void check_formats(const Site&) const override {}  // compares codes of any format

 protected:
  std::vector<Value> outputs(const ArgmaxAttributes&, std::span<const Value* const> inputs) const override {
    return {{.shape = inputs[0]->shape.with_features(1),
             .has_time = inputs[0]->has_time,
             .format = {NumberType::kI32, 1.0f, 0}}};
  }
};

}  // namespace

const OperationRow& ArgmaxAttributes::row() {
  static const ArgmaxRow kRow;
  return kRow;
}

}  // namespace quaver
