// site.h - a node in one pass through a network that learns. Internal; includes libtorch.
#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/ops/cat.h>

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "quaver/model/model.h"
#include "quaver/train/recurrent/packing.h"

namespace quaver {

// By direction ("", "_reverse"), each in the order of the model's tensor slots.
using DirectionTensors = std::map<std::string, std::vector<at::Tensor>>;

struct TrainSite {
  const Node& node;
  const Node* maker;  // of what it reads; null: an input of the model
  const DirectionTensors& tensors;
  const std::shared_ptr<const Packing>& packing;  // of what has time
};

// one(reverse, tensors) of each direction that runs, their features side by side.
template <typename One>
at::Tensor each_direction(const TrainSite& site, const One& one) {
  std::vector<at::Tensor> outputs;
  for (const std::string& direction : direction_suffixes(site.node.operation))
    outputs.push_back(one(direction == "_reverse", site.tensors.at(direction)));
  return outputs.size() == 1 ? outputs[0] : at::cat(outputs, 1);
}

}  // namespace quaver
