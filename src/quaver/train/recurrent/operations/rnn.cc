#include "quaver/core/error.h"
#include "quaver/core/text.h"
#include "quaver/train/recurrent/operations/row.h"
#include "quaver/train/recurrent/operations/site.h"
#include "quaver/train/recurrent/recurrent_functions.h"

namespace quaver {
namespace {

class TrainRnn final : public TrainRow {
 public:
  std::string_view operation() const override { return RnnAttributes::kName; }

  at::Tensor forward(const TrainSite& site, const at::Tensor& x) const override {
    const auto& rnn = std::get<RnnAttributes>(site.node.operation);
    return each_direction(site, [&](bool reverse, const std::vector<at::Tensor>& tensors) {
      return rnn_function({.n_in = static_cast<std::size_t>(rnn.input_size),
                           .n = static_cast<std::size_t>(rnn.hidden_size),
                           .relu = rnn.nonlinearity == Nonlinearity::kRelu,
                           .reverse = reverse},
                          site.packing, x, tensors);
    });
  }

  std::optional<Operation> layer(const TrainOptions& options, std::int64_t inputs) const override {
    return RnnAttributes{.input_size = inputs,
                         .hidden_size = static_cast<std::int64_t>(options.hidden),
                         .nonlinearity = options.nonlinearity,
                         .direction = options.direction};
  }

  void check(const TrainOptions& options) const override {
    if (options.nonlinearity != Nonlinearity::kTanh && options.nonlinearity != Nonlinearity::kRelu)
      throw_usage(concat("nonlinearity is ", nonlinearity_name(options.nonlinearity), ", expected tanh or relu"));
  }
};

}  // namespace

const TrainRow& train_rnn() {
  static const TrainRnn kRow;
  return kRow;
}

}  // namespace quaver
