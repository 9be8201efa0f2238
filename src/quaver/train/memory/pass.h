// pass.h - one question forward and backward through a memory network, fused, in plain C++. Internal to this floor.
//
// The same equations as cells/memn2n/ref.h, arranged for speed: facts are embedded once a matrix, not once a hop, and
// the gradients of a matrix are collected per fact before they go to its rows. Needs no libtorch: the network is so
// small that the calls of a tensor library would cost more than its arithmetic.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "quaver/cells/memn2n/params.h"

namespace quaver {

class MemoryPass {
 public:
  explicit MemoryPass(const MemN2NShape& shape);

  struct Outcome {
    double loss = 0;         // cross entropy of the answer, nats
    double probability = 0;  // of the answer
    std::size_t word = 0;    // of the highest score, the lowest of equals
  };
  // linear: without the memory softmax. answer: 0 when the vocabulary does not hold it; then loss and probability are
  // those of an impossible answer (a fixed 100 nats, 0).
  Outcome forward(std::span<const float> parameters, const MemoryQuestion& question, std::int32_t answer, bool linear);

  // Adds the gradient of the last forward() to `gradient` [parameter_count]. Nothing for answer 0.
  void backward(std::span<const float> parameters, const MemoryQuestion& question, std::span<float> gradient);

  const MemN2NShape& shape() const { return shape_; }
  std::span<const MemoryMatrix> matrices() const { return matrices_; }
  const MemoryRoles& roles() const { return roles_; }

 private:
  using Floats = std::vector<float>;
  void embed_facts(std::span<const float> parameters, const MemoryQuestion& question, std::size_t place);
  template <typename Visit>
  void for_each_row(WordNumbers words, const Visit& visit) const;
  template <typename Visit>
  void for_each_fact_row(const MemoryQuestion& question, std::size_t fact, const Visit& visit) const;

  MemN2NShape shape_;
  std::vector<MemoryMatrix> matrices_;
  MemoryRoles roles_;
  Floats l_;  // encoding weights, or empty where all are 1
  // Of the last forward(): embedded_[matrix] [facts, d]; p_[hop] [facts]; u_[hop] [d], the last one read by W.
  std::vector<Floats> embedded_, p_, u_;
  Floats probabilities_;  // [vocabulary]
  std::int32_t answer_ = 0;
  bool linear_ = false;
  // Of backward(), kept to save allocations.
  std::vector<Floats> d_embedded_;
  Floats d_u_, d_o_, d_p_;
};

}  // namespace quaver
