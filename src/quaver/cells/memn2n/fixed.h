// fixed.h - the memory network in Q-MANN's fixed point, code by code; training and running both compute with this.
//
// The statements of ref.h in the same order. Embeddings, similarity, read, H and the sum are integer codes; the softmax
// and the answer layer are float, as in the released program, or integer too (MemoryScheme::integer_only): then run()
// and answer_word() execute no float operation.
//
//   m_ij = Q(sum_w Q(A_wj x_w))    x_w: how often word w comes (or its encoding weight)    format of the hop       (F1)
//   s_i  = Q(sum_j Q(Q(u_j) Q(m_ij)))              or the weighted Hamming similarity (M5)                         (F2)
//   p    = softmax(s) beside empty facts of similarity 0                                                           (N3)
//   o_j  = Q(sum_i Q(Q(c_ij) Q(p_i)))                                                                              (F3)
//   u'_j = Q(Q(sum_k Q(H_jk Q(u_k))) + o_j)        adjacent: Q(Q(u_j) + o_j)                                       (F4)
//   scores = sum_j Q(W_wj) u_j, exact                   integer_only; W in the scheme's format                     (F5)
// Q: (M1)-(M3) of fixed/sign_magnitude.h. Where no hop is named, the format is the scheme's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "quaver/cells/memn2n/params.h"
#include "quaver/cells/memn2n/ref.h"
#include "quaver/cells/memn2n/scheme.h"
#include "quaver/kernels/softmax/softmax.h"

namespace quaver {

class MemN2NFixed {
 public:
  using Codes = std::vector<std::int16_t>;
  // Of the last run(): what the next layer sees. Codes count in units of 2^-fraction of their format.
  struct Hop {
    Codes m, c;                   // [facts, d], the hop's format
    Codes m_fine, u_fine;         // [facts, d], [d], Hamming: as the similarity reads them
    std::vector<std::int32_t> s;  // [facts], units of similarity_step()
    std::vector<float> p;         // [facts], float softmax only
    Codes p_q0_15;                // [facts], integer softmax only; empty in the first phase of a linear start
    Codes p_codes;                // [facts], the scheme's format: what the read multiplies with
    // p of all empty facts together, from whichever softmax there is; 0 in the first phase of a linear start.
    float nothing = 0;
    std::int16_t nothing_q0_15 = 0;
    Codes o;  // [d], what was read, the scheme's format
    Codes u;  // [d], what the hop reads, in `u_format`
    SignMagnitudeFormat u_format;
  };

  // Error (usage) for a scheme that is none, or is float.
  MemN2NFixed(const MemN2NShape& shape, const MemoryScheme& scheme);
  void set_parameters(std::span<const float> parameters);  // kept by the caller; coded anew

  // Up to the vector that W reads, answer() up to the scores. linear: p = s.
  void run(const MemoryQuestion& question, bool linear = false);
  MemoryAnswer answer(const MemoryQuestion& question, bool linear = false);

  // integer_only: the word of the highest score of (F5), the lowest of equals; number 0 is no answer.
  std::size_t answer_word(const MemoryQuestion& question);

  const Hop& hop(std::size_t hop) const { return hops_[hop]; }
  std::span<const std::int16_t> output() const { return u_; }  // [d], what W reads, codes of the scheme's format
  // integer_only, of the last run(): (F5), [vocabulary], in units of the square of the format's step.
  std::span<const std::int64_t> scores();
  // p of a hop in real units, from whichever softmax made it: for training and for people.
  std::vector<float> attention(std::size_t hop) const;
  double similarity_step() const;
  std::int32_t similarity_limit() const;  // |s| is at most this: there it saturates
  const MemoryScheme& scheme() const { return scheme_; }

  // For a runtime, which embeds a fact when it is told: the matrices, and (F1) in parts.
  struct CodedMatrix {
    Codes codes;                // [rows, d], as Q(matrix), or +-1
    std::int64_t mantissa = 0;  // one-bit weights: the mean magnitude is mantissa 2^-shift
    int shift = 0;
    SignMagnitudeFormat format;
    Codes l;  // encoding weights in this format, [J, d]; empty: all 1
  };
  const CodedMatrix& A(std::size_t hop) const { return A_[hop]; }
  const CodedMatrix& C(std::size_t hop) const { return C_[hop]; }
  const CodedMatrix& H(std::size_t hop) const { return H_[hop]; }  // layer-wise
  const CodedMatrix& B() const { return B_; }
  const CodedMatrix& W() const { return W_; }  // integer_only
  // Add the words', or the time word's, part of (F1) to sum [d]: at most 2^16 words.
  void add_words(const CodedMatrix& matrix, WordNumbers words, std::int32_t* sum) const;
  void add_age(const CodedMatrix& matrix, std::size_t age, std::int32_t* sum) const;
  // The code of such a sum in the matrix's format. shift: the matrix's; of a product with H less the bits by which the
  // other operand is coarser than the format.
  std::int32_t limited_sum(const CodedMatrix& matrix, std::int32_t sum, int shift) const;
  // The matrix at a place of memory_matrices(). one_bit: +-1 and the mean magnitude.
  CodedMatrix coded(std::size_t place, SignMagnitudeFormat format, std::span<const float> parameters,
                    bool one_bit) const;
  // (N3), and p as the read codes it: from hop.s to hop.p or hop.p_q0_15, and hop.p_codes.
  void attend(Hop& hop, bool linear) const;

 private:
  void add_row(const CodedMatrix& matrix, std::size_t row, const std::int16_t* weight, std::int32_t count,
               std::int32_t* sum) const;
  void embed(const CodedMatrix& matrix, WordNumbers words, const std::size_t* age, std::int16_t* out);
  void similarities(Hop& hop, SignMagnitudeFormat format);
  void next_u(std::size_t hop, std::size_t facts);

  MemN2NShape shape_;
  MemoryScheme scheme_;
  std::vector<MemoryMatrix> matrices_;
  MemoryRoles roles_;
  std::vector<float> l_;
  std::span<const float> parameters_;
  std::vector<CodedMatrix> A_, C_, H_;  // a hop
  CodedMatrix B_, W_;
  std::optional<SoftmaxRule> softmax_;  // integer_only
  std::vector<std::int64_t> scores_;
  std::vector<Hop> hops_;
  Codes u_;  // of the next hop
  std::vector<std::int32_t> sum_;
};

}  // namespace quaver
