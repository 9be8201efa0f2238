#include <ATen/ops/addmm.h>

#include "quaver/train/recurrent/operations/row.h"
#include "quaver/train/recurrent/operations/site.h"

namespace quaver {
namespace {

class TrainDense final : public TrainRow {
 public:
  std::string_view operation() const override { return DenseAttributes::kName; }
  at::Tensor forward(const TrainSite& site, const at::Tensor& x) const override {
    const std::vector<at::Tensor>& tensors = site.tensors.at("");
    return at::addmm(tensors[1], x, tensors[0].t());
  }
};

}  // namespace

const TrainRow& train_dense() {
  static const TrainDense kRow;
  return kRow;
}

}  // namespace quaver
