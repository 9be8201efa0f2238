#include "quaver/train/recurrent/operations/row.h"
#include "quaver/train/recurrent/operations/site.h"
#include "quaver/train/recurrent/recurrent_functions.h"

namespace quaver {
namespace {

class TrainGru final : public TrainRow {
 public:
  std::string_view operation() const override { return GruAttributes::kName; }

  at::Tensor forward(const TrainSite& site, const at::Tensor& x) const override {
    const auto& gru = std::get<GruAttributes>(site.node.operation);
    return each_direction(site, [&](bool reverse, const std::vector<at::Tensor>& tensors) {
      return gru_function({.shape = gru.shape(), .reverse = reverse}, site.packing, x, tensors);
    });
  }

  std::optional<Operation> layer(const TrainOptions& options, std::int64_t inputs) const override {
    return GruAttributes{.input_size = inputs,
                         .hidden_size = static_cast<std::int64_t>(options.hidden),
                         .linear_before_reset = options.linear_before_reset,
                         .direction = options.direction};
  }
};

}  // namespace

const TrainRow& train_gru() {
  static const TrainGru kRow;
  return kRow;
}

}  // namespace quaver
