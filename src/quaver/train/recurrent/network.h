// network.h - a float Model as something with gradients. The torch side of it is in network.cc. Internal to this floor.
//
// Runs a chain of the operations of operations/table.cc over a shard, on the caller's thread. All parameters lie one
// after the other in one array, their gradients in another, in the order of the model's tensor slots: what optimisers,
// checkpoints and "the best so far" need is a span. Handing over is a copy of that array into the tensors.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "quaver/core/random.h"
#include "quaver/model/model.h"
#include "quaver/train/common/effective_weights.h"
#include "quaver/train/common/loss.h"
#include "quaver/train/recurrent/batches.h"

namespace quaver {

struct ShardLoss {
  const Loss& loss;
  LossOptions options{};
  float scale = 1;     // of the gradients: 1 / the batch's terms, so that the shards' add up to those of the mean
  double dropout = 0;  // of what the last node reads
};

class Network {
 public:
  // weights: of matrices; it outlives the network. Error (bad input) that names the node that can not be trained, and
  // why.
  explicit Network(const Model& model, const EffectiveWeights& weights = find_effective_weights(""));
  Network(Network&&) noexcept;
  ~Network();

  struct Parameter {
    std::string name;  // the model's tensor
    std::size_t offset = 0;
    std::size_t size = 0;
    std::size_t rows = 1;
    bool matrix = false;
  };
  const std::vector<Parameter>& parameters() const;
  std::span<float> values();  // that learn
  // Whenever they have changed: the weights that the calls below read.
  void update_weights();

  // Room for the gradients of so many shards at once. The calls below may run side by side for different places.
  void reserve(std::size_t shards);
  // The sum of the shard's loss; its gradients are then gradients(place). random: forked by example for dropout.
  double loss_and_gradients(std::size_t place, const Shard& shard, const ShardLoss& loss, const Random& random);
  std::span<float> gradients(std::size_t place);
  // What the network says of the shard, [sequences or rows, width], in the packing's order. Any number of calls may run
  // side by side.
  std::vector<float> outputs(const Shard& shard);

  void store(Model& model) const;  // the weights, into the tensors of the model it was made from

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace quaver
