// pass.h - one question forward and backward through a memory network, fused, in plain C++. Internal to this floor.
//
// The same equations as cells/memn2n/ref.h, arranged for speed: facts are embedded once a matrix, not once a hop, and
// the gradients of a matrix are collected per fact before they go to its rows. Needs no libtorch: the network is so
// small that the calls of a tensor library would cost more than its arithmetic.
//
// Under a fixed-point scheme forward is cells/memn2n/fixed.h, the code that also runs; backward is straight through its
// truncations, without a mask for what saturates, and its products take the float weights (Q-MANN's program).
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "quaver/cells/memn2n/fixed.h"
#include "quaver/cells/memn2n/params.h"
#include "quaver/cells/memn2n/scheme.h"
#include "quaver/train/memory/gradient_rules.h"

namespace quaver {

class MemoryPass {
 public:
  explicit MemoryPass(const MemN2NShape& shape, const MemoryScheme& scheme = {}, const GradientRules& rules = {});

  MemoryPass(const MemoryPass&) = delete;  // it points into itself
  MemoryPass& operator=(const MemoryPass&) = delete;

  // Before the first forward() and whenever a parameter has changed: fixed-point schemes code them.
  void set_parameters(std::span<const float> parameters);

  struct Outcome {
    double loss = 0;         // cross entropy of the answer, nats
    double probability = 0;  // of the answer
    std::size_t word = 0;    // of the highest score, the lowest of equals
  };
  // linear: without the memory softmax. answer: 0 when the vocabulary does not hold it; then loss and probability are
  // those of an impossible answer (a fixed 100 nats, 0).
  Outcome forward(const MemoryQuestion& question, std::int32_t answer, bool linear);

  // Adds the gradient of the last forward() to `gradient` [parameter_count]. Nothing for answer 0.
  void backward(const MemoryQuestion& question, std::span<float> gradient);

  const MemN2NShape& shape() const { return shape_; }
  std::span<const MemoryMatrix> matrices() const { return matrices_; }
  const MemoryRoles& roles() const { return roles_; }

 private:
  using Floats = std::vector<float>;
  void embed_facts(const MemoryQuestion& question, std::size_t place);
  void run_hops(const MemoryQuestion& question, bool linear);
  void run_fixed_hops(const MemoryQuestion& question, bool linear);
  // Adds the gradients of (N4) to d_p_ and d_c.
  void read_backward(std::size_t hop, std::size_t facts, float* d_c);
  // Adds the gradients of (N2) to d_m and d_u_.
  void similarity_backward(std::size_t hop, std::size_t fact, float d_s, float* d_m);
  template <typename Visit>
  void for_each_row(WordNumbers words, const Visit& visit) const;
  template <typename Visit>
  void for_each_fact_row(const MemoryQuestion& question, std::size_t fact, const Visit& visit) const;

  MemN2NShape shape_;
  std::vector<MemoryMatrix> matrices_;
  MemoryRoles roles_;
  Floats l_;  // encoding weights, or empty where all are 1
  std::span<const float> parameters_;
  GradientRules rules_;
  std::optional<MemN2NFixed> fixed_;
  // Of the last forward(), in real units: m_[hop] and c_[hop] [facts, d] point into embedded_, which has one array a
  // matrix in float and one a hop and side in fixed point; p_[hop] [facts]; u_[hop] [d], the last one read by W.
  std::vector<Floats> embedded_, p_, u_;
  std::vector<const Floats*> m_, c_;
  Floats probabilities_;  // [vocabulary]
  std::int32_t answer_ = 0;
  bool linear_ = false;
  // Of backward(), kept to save allocations.
  std::vector<Floats> d_embedded_;
  Floats d_u_, d_o_, d_p_;
  MemN2NFixed::Codes coded_;
};

}  // namespace quaver
