#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <numeric>

#include "quaver/train/recurrent/operations/row.h"
#include "quaver/train/recurrent/operations/site.h"

namespace quaver {
namespace {

std::int64_t signed_size(std::size_t size) { return static_cast<std::int64_t>(size); }

// Row of step 0, 1, ... of every sequence, one sequence after the other, each filled up to the longest with its last.
at::Tensor rows_by_sequence(const Packing& packing) {
  at::Tensor index = at::empty({signed_size(packing.sequences()), signed_size(packing.steps())}, at::kLong);
  std::int64_t* rows = index.data_ptr<std::int64_t>();
  for (std::size_t s = 0; s < packing.sequences(); ++s)
    for (std::size_t t = 0; t < packing.steps(); ++t)
      rows[s * packing.steps() + t] = signed_size(packing.row(std::min(t, packing.lengths[s] - 1), s));
  return index;
}

at::Tensor maximum(const Packing& packing, const at::Tensor& x) {
  // A last step seen again changes no maximum.
  const at::Tensor index = rows_by_sequence(packing);
  return x.index_select(0, index.flatten()).view({signed_size(packing.sequences()), index.size(1), x.size(1)}).amax(1);
}

at::Tensor mean(const Packing& packing, const at::Tensor& x) {
  const std::int64_t sequences = signed_size(packing.sequences());
  at::Tensor sequence_of_row = at::empty({signed_size(packing.rows())}, at::kLong);
  at::Tensor inverse_length = at::empty({sequences, 1}, x.options());
  for (std::size_t t = 0; t < packing.steps(); ++t)
    std::iota(sequence_of_row.data_ptr<std::int64_t>() + packing.offsets[t],
              sequence_of_row.data_ptr<std::int64_t>() + packing.offsets[t + 1], std::int64_t{0});
  for (std::size_t s = 0; s < packing.sequences(); ++s)
    inverse_length.data_ptr<float>()[s] = 1.0f / static_cast<float>(packing.lengths[s]);
  return at::zeros({sequences, x.size(1)}, x.options()).index_add(0, sequence_of_row, x).mul(inverse_length);
}

at::Tensor first_step(const Packing& packing, const at::Tensor& x) {
  return x.narrow(0, 0, signed_size(packing.sequences()));
}

at::Tensor last_step(const Packing& packing, const at::Tensor& x) {
  at::Tensor rows = at::empty({signed_size(packing.sequences())}, at::kLong);
  for (std::size_t s = 0; s < packing.sequences(); ++s)
    rows.data_ptr<std::int64_t>()[s] = signed_size(packing.row(packing.lengths[s] - 1, s));
  return x.index_select(0, rows);
}

class TrainPool final : public TrainRow {
 public:
  std::string_view operation() const override { return PoolAttributes::kName; }
  at::Tensor forward(const TrainSite& site, const at::Tensor& x) const override {
    const Packing& packing = *site.packing;
    switch (std::get<PoolAttributes>(site.node.operation).pooling) {
      case Pooling::kMax: return maximum(packing, x);
      case Pooling::kMean: return mean(packing, x);
      case Pooling::kLast: return last_step(packing, x);
      case Pooling::kFinal: break;
    }
    // Each direction after its own last step: of the reverse one the first. validate() lets it follow none but a layer.
    const std::int64_t forward = forward_features(*site.maker);
    return at::cat(
        {last_step(packing, x.narrow(1, 0, forward)), first_step(packing, x.narrow(1, forward, x.size(1) - forward))},
        1);
  }
};

}  // namespace

const TrainRow& train_pool() {
  static const TrainPool kRow;
  return kRow;
}

}  // namespace quaver
