// ref.h - the memory network in float, as docs/cells/memn2n.md writes it. Never tuned: training has its own.
//
//   m_i = sum_j l_j A x_ij + A t_i    c_i = sum_j l_j C x_ij + C t_i    u = sum_j l_j B q_j          (N1)
//   s_i = u . m_i                                                                                    (N2)
//   p = softmax(s)       beside empty facts with s = 0; first phase of a linear start: p = s         (N3)
//   o = sum_i p_i c_i                                                                                (N4)
//   u' = u + o           layer-wise: H u + o                                                         (N5)
//   scores = W u after the last hop                                                                  (N6)
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "quaver/cells/memn2n/params.h"

namespace quaver {

// The word of the highest score, the lowest of equals; number 0 is no answer.
std::size_t best_word(std::span<const float> scores);

struct MemoryAnswer {
  std::vector<float> scores{};                  // [vocabulary]
  std::vector<std::vector<float>> attention{};  // [hops][facts]: p of each hop
  std::vector<float> nothing{};                 // [hops]: p of all empty facts together
  std::size_t best() const { return best_word(scores); }
};

// Everything a question passes through: what fixed-point networks are held against.
struct MemoryTrace {
  struct Hop {
    std::vector<float> m, c;  // [facts, d]
    std::vector<float> s, p;  // [facts]
    float nothing = 0;        // p of all empty facts together
    std::vector<float> o;     // [d], what was read
    std::vector<float> u;     // [d], what the hop was asked with
  };
  std::vector<Hop> hops{};
  std::vector<float> u{};       // [d], what W reads
  std::vector<float> scores{};  // [vocabulary]
};

// (N3) in place, beside `empty` values of 0. Gives what these get together; 0 where there are none.
float memory_softmax(std::span<float> values, std::size_t empty = 0);

class MemN2NRef {
 public:
  // parameters: parameter_count(shape) floats, kept by the caller for as long as the value lives.
  MemN2NRef(const MemN2NShape& shape, std::span<const float> parameters);
  // linear: without the memory softmax. Words of the question below shape.vocabulary, as CodedStories makes them.
  MemoryAnswer answer(const MemoryQuestion& question, bool linear = false) const;
  MemoryTrace trace(const MemoryQuestion& question, bool linear = false) const;

 private:
  MatrixView<const float> matrix(std::size_t place) const;
  std::vector<float> embedded(std::size_t place, WordNumbers words) const;
  std::vector<float> embedded_facts(std::size_t place, const MemoryQuestion& question) const;

  MemN2NShape shape_;
  MemoryRoles roles_;
  std::vector<MemoryMatrix> matrices_;
  std::span<const float> parameters_;
  std::vector<float> l_;
};

}  // namespace quaver
