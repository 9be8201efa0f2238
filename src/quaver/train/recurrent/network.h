// network.h - a float Model as something with gradients. The torch side of it is in network.cc. Internal to this floor.
//
// Runs a chain of the operations of operations/table.cc. All parameters lie one after the other in one array, their
// gradients in another, in the order of the model's tensor slots: what optimisers, checkpoints and "the best so far"
// need is a span. Handing over is a copy of that array into the tensors.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "quaver/core/random.h"
#include "quaver/model/model.h"
#include "quaver/train/recurrent/batches.h"

namespace quaver {

struct LossOptions {
  double label_smoothing = 0;
  double dropout = 0;  // of what the last node reads
};

class Network {
 public:
  // Error (bad input) that names the node that can not be trained, and why.
  Network(const Model& model, std::size_t threads);
  Network(Network&&) noexcept;
  ~Network();

  struct Parameter {
    std::string name;  // the model's tensor
    std::size_t offset = 0;
    std::size_t size = 0;
    bool matrix = false;
  };
  const std::vector<Parameter>& parameters() const;
  std::span<float> values();
  std::span<float> gradients();

  // Mean cross entropy of the batch; leaves its gradients in gradients().
  double loss_and_gradients(const Batch& batch, const LossOptions& options, Random random);
  // Logits of the batch, [sequences or rows, classes], in the packing's order.
  std::vector<float> scores(const Batch& batch);
  void store(Model& model) const;  // into the tensors of the model it was made from

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace quaver
