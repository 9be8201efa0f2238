#include "quaver/train/recurrent/operations/row.h"
#include "quaver/train/recurrent/operations/site.h"

namespace quaver {
namespace {

class TrainEmbedding final : public TrainRow {
 public:
  std::string_view operation() const override { return EmbeddingAttributes::kName; }
  at::Tensor forward(const TrainSite& site, const at::Tensor& ids) const override {
    return site.tensors.at("")[0].index_select(0, ids);
  }
};

}  // namespace

const TrainRow& train_embedding() {
  static const TrainEmbedding kRow;
  return kRow;
}

}  // namespace quaver
