#include "quaver/core/error.h"
#include "quaver/core/text.h"
#include "quaver/train/recurrent/operations/row.h"
#include "quaver/train/recurrent/operations/site.h"
#include "quaver/train/recurrent/recurrent_functions.h"

namespace quaver {
namespace {

class TrainLstm final : public TrainRow {
 public:
  std::string_view operation() const override { return LstmAttributes::kName; }

  at::Tensor forward(const TrainSite& site, const at::Tensor& x) const override {
    const auto& lstm = std::get<LstmAttributes>(site.node.operation);
    return each_direction(site, [&](bool reverse, const std::vector<at::Tensor>& tensors) {
      return lstm_function(
          {.shape = lstm.shape(), .cell_clip = lstm.clip, .projection_clip = lstm.projection_clip, .reverse = reverse},
          site.packing, x, tensors);
    });
  }

  std::optional<Operation> layer(const TrainOptions& options, std::int64_t inputs) const override {
    return LstmAttributes{.input_size = inputs,
                          .hidden_size = static_cast<std::int64_t>(options.hidden),
                          .projection_size = static_cast<std::int64_t>(options.projection),
                          .input_forget = options.cifg,
                          .peephole = options.peephole,
                          .layer_norm = options.layer_norm,
                          .clip = static_cast<float>(options.clip),
                          .projection_clip = static_cast<float>(options.projection_clip),
                          .direction = options.direction};
  }

  std::vector<std::string_view> own_options(const TrainOptions& options) const override {
    std::vector<std::string_view> names;
    if (options.projection > 0) names.emplace_back("projection");
    if (options.cifg) names.emplace_back("cifg");
    if (options.peephole) names.emplace_back("peephole");
    if (options.layer_norm) names.emplace_back("layer_norm");
    if (options.clip > 0) names.emplace_back("clip");
    if (options.projection_clip > 0) names.emplace_back("projection_clip");
    return names;
  }

  void check(const TrainOptions& options) const override {
    if (options.projection_clip > 0 && options.projection == 0)
      throw_usage(concat("projection_clip is ", options.projection_clip, ", but there is no projection"));
  }
};

}  // namespace

const TrainRow& train_lstm() {
  static const TrainLstm kRow;
  return kRow;
}

}  // namespace quaver
