// fixed.h - the memory network in Q-MANN's fixed point, code by code; training and running both compute with this.
//
// The statements of ref.h in the same order. Embeddings, similarity, read, H and the sum are integer codes; the softmax
// and the answer layer are float, as in the released program.
//
//   m_ij = Q(sum_w Q(A_wj x_w))    x_w: how often word w comes (or its encoding weight)    format of the hop       (F1)
//   s_i  = Q(sum_j Q(Q(u_j) Q(m_ij)))              or the weighted Hamming similarity (M5)                         (F2)
//   o_j  = Q(sum_i Q(Q(c_ij) Q(p_i)))                                                                              (F3)
//   u'_j = Q(Q(sum_k Q(H_jk Q(u_k))) + o_j)        adjacent: Q(Q(u_j) + o_j)                                       (F4)
// Q: (M1)-(M3) of fixed/sign_magnitude.h. Where no hop is named, the format is the scheme's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "quaver/cells/memn2n/params.h"
#include "quaver/cells/memn2n/ref.h"
#include "quaver/cells/memn2n/scheme.h"

namespace quaver {

class MemN2NFixed {
 public:
  using Codes = std::vector<std::int16_t>;
  // Of the last run(): what the next layer sees. Codes count in units of 2^-fraction of their format.
  struct Hop {
    Codes m, c;                   // [facts, d], the hop's format
    Codes m_fine, u_fine;         // [facts, d], [d], Hamming: as the similarity reads them
    std::vector<std::int32_t> s;  // [facts], units of similarity_step()
    std::vector<float> p;         // [facts]
    Codes p_codes;                // [facts], the scheme's format
    Codes u;                      // [d], what the hop reads, in `u_format`
    SignMagnitudeFormat u_format;
  };

  // Error (usage) for a scheme that is none, or is float.
  MemN2NFixed(const MemN2NShape& shape, const MemoryScheme& scheme);
  void set_parameters(std::span<const float> parameters);  // kept by the caller; coded anew

  // Up to the vector that W reads, answer() up to the scores. linear: p = s.
  void run(const MemoryQuestion& question, bool linear = false);
  MemoryAnswer answer(const MemoryQuestion& question, bool linear = false);

  const Hop& hop(std::size_t hop) const { return hops_[hop]; }
  std::span<const float> output() const { return output_; }  // [d], real units
  double similarity_step() const;
  std::int32_t similarity_limit() const;  // |s| is at most this: there it saturates
  const MemoryScheme& scheme() const { return scheme_; }

 private:
  struct CodedMatrix {
    Codes codes;     // as Q(matrix), or +-1
    float mean = 0;  // one-bit weights: mean magnitude
    SignMagnitudeFormat format;
    Codes l;  // encoding weights in this format, [J, d]; empty: all 1
  };
  CodedMatrix coded(std::size_t place, SignMagnitudeFormat format, std::span<const float> parameters) const;
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
  CodedMatrix B_;
  std::vector<Hop> hops_;
  Codes u_;  // of the next hop
  std::vector<float> output_;
  std::vector<std::int32_t> sum_;
};

}  // namespace quaver
