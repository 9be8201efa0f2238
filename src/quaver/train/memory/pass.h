// pass.h - one question forward and backward through a memory network, fused, in plain C++. Internal to this floor.
//
// The same equations as cells/memn2n/ref.h, arranged for speed: a sentence is embedded once a matrix for all questions
// between two settings of the parameters (its time word is added for each question), and its gradients are collected
// until take_gradient() brings them to the rows of its words. Needs no libtorch: the network is so small that the calls
// of a tensor library would cost more than its arithmetic; kernels/rows and kernels/sign_magnitude do it.
//
// Under a fixed-point scheme forward is cells/memn2n/fixed.h; backward is straight through its truncations, without a
// mask for what saturates, and its products take the float weights (Q-MANN's program). Under a scaled scheme forward is
// cells/memn2n/scaled.h; backward is straight through too, and its products take what the codes stand for.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "quaver/cells/memn2n/fixed.h"
#include "quaver/cells/memn2n/params.h"
#include "quaver/cells/memn2n/scaled.h"
#include "quaver/cells/memn2n/scheme.h"
#include "quaver/cells/memn2n/sentence_slots.h"
#include "quaver/core/aligned.h"
#include "quaver/kernels/rows/rows.h"
#include "quaver/train/memory/gradient_rules.h"

namespace quaver {

// Of the answer, by the softmax over `scores` [vocabulary], which become the probabilities; number 0 is no answer.
// Answer 0, which the vocabulary does not hold, counts as an impossible one: a fixed 100 nats, probability 0.
struct AnswerLoss {
  double loss = 0;  // cross entropy, nats
  double probability = 0;
};
AnswerLoss answer_loss(std::span<float> scores, std::int32_t answer);

class MemoryPass {
 public:
  explicit MemoryPass(const MemN2NShape& shape, const MemoryScheme& scheme = {}, const GradientRules& rules = {});

  MemoryPass(const MemoryPass&) = delete;  // it points into itself
  MemoryPass& operator=(const MemoryPass&) = delete;

  // Scaled schemes: before the first set_parameters(), and before another one when scales have changed.
  void set_scales(const MemoryScales& scales);
  // Before the first forward() and whenever a parameter has changed: fixed-point and scaled schemes code them.
  void set_parameters(std::span<const float> parameters);

  struct Outcome {
    double loss = 0;         // cross entropy of the answer, nats
    double probability = 0;  // of the answer
    std::size_t word = 0;    // of the highest score, the lowest of equals
  };
  // linear: without the memory softmax. answer: 0 when the vocabulary does not hold it.
  Outcome forward(const MemoryQuestion& question, std::int32_t answer, bool linear);

  // Collects the gradient of the last forward(). Nothing for answer 0.
  void backward(const MemoryQuestion& question);
  // What was collected since the last call, [parameter_count].
  void take_gradient(std::span<float> gradient);

  const MemN2NShape& shape() const { return shape_; }
  std::span<const MemoryMatrix> matrices() const { return matrices_; }
  const MemoryRoles& roles() const { return roles_; }

 private:
  using Floats = AlignedVector<float>;  // rows of stride_ floats, shape.d of them and zeros
  // Of one matrix. `sentences` and `facts`: of those that embed facts.
  struct Matrix {
    Floats values, gradient;      // [rows, stride]
    Floats sentences, facts;      // float: [slots, stride] sums over words; [facts, stride]
    Floats d_facts, d_sentences;  // gradients of them; slots of gradient_slots_
  };
  bool embeds_facts(std::size_t place) const { return place < embedding_; }
  void run_hops(const MemoryQuestion& question, bool linear);
  void run_fixed_hops(const MemoryQuestion& question, bool linear);
  void run_scaled_hops(const MemoryQuestion& question);
  void read_backward(std::size_t hop, std::size_t facts, float* d_c);
  void similarity_backward(std::size_t hop, std::size_t facts, float* d_m);
  template <typename Visit>
  void for_each_row(WordNumbers words, const Visit& visit) const;
  const float* time_weights() const { return l_.empty() ? nullptr : &l_[shape_.sentence * stride_]; }

  MemN2NShape shape_;
  std::vector<MemoryMatrix> matrices_;
  MemoryRoles roles_;
  std::size_t stride_;
  std::size_t embedding_;  // matrices before this one embed facts
  const RowsPath* rows_;
  Floats l_;  // encoding weights, [J, stride], or empty where all are 1
  GradientRules rules_;
  MemoryScheme scheme_;
  std::optional<MemN2NFixed> fixed_;
  std::optional<MemN2NScaled> scaled_;
  std::vector<Matrix> parameters_;
  Floats W_transposed_, H_transposed_;                         // float: [d, words], [d, stride]: sums run down columns
  std::size_t words_;                                          // the vocabulary, padded
  SentenceSlots slots_;                                        // float: of Matrix::sentences
  SentenceSlots gradient_slots_;                               // of Matrix::d_sentences
  std::vector<std::vector<std::int32_t>> gradient_sentences_;  // the words of these slots
  std::vector<std::size_t> slot_of_fact_;
  // Of the last forward(), in real units: m_[hop], c_[hop] [facts, stride] (null where backward does without); p_[hop]
  // [facts]; u_[hop] [stride], the last one read by W.
  std::vector<Floats> decoded_;  // fixed point: an embedding each
  std::vector<const float*> m_, c_;
  std::vector<std::vector<float>> p_;
  std::vector<Floats> u_;
  Floats probabilities_;  // [words]
  std::int32_t answer_ = 0;
  bool linear_ = false;
  // Of backward(), kept to save allocations.
  Floats d_u_, d_o_;
  std::vector<float> d_p_;
  AlignedVector<std::int16_t> coded_, base_;
  std::vector<std::int32_t> sums_;
};

}  // namespace quaver
