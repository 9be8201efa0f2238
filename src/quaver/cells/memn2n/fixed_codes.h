// fixed_codes.h - what Q-MANN's fixed point makes of a memory network's parameters: coded matrices, the formats of the
// edges between them, and the parts of (F1). Whoever computes with them does so by the steps of fixed_steps.h.
//
//   m_ij = Q(sum_w Q(A_wj x_w))    x_w: how often word w comes (or its encoding weight)    format of the hop       (F1)
// c and u likewise. Q: (M1)-(M3) of fixed/sign_magnitude.h. Where no hop is named, the format is the scheme's.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "quaver/cells/memn2n/params.h"
#include "quaver/cells/memn2n/scheme.h"
#include "quaver/core/aligned.h"
#include "quaver/kernels/rows/rows.h"
#include "quaver/kernels/sign_magnitude/sign_magnitude.h"

namespace quaver {

// (F1) What a sentence consists of: visit(row of the matrix, slot, count) of every word. By position each stands in its
// slot; in a bag, whose slots are all 0, a word that comes again stands once, with its count.
template <typename Visit>
void for_each_word(const MemN2NShape& shape, WordNumbers words, const Visit& visit) {
  const auto row = [](std::int32_t word) { return static_cast<std::size_t>(word); };
  if (shape.encoding == SentenceEncoding::kPosition) {
    for (std::size_t place = 0; place < words.size(); ++place)
      if (words[place] != 0) visit(row(words[place]), word_slot(shape, place), std::size_t{1});
    return;
  }
  // Almost no sentence has a word twice, so that is asked once, without a branch a pair.
  bool comes_again = false;
  for (std::size_t place = 1; place < words.size(); ++place)
    for (std::size_t before = 0; before < place; ++before) comes_again |= words[before] == words[place];
  for (std::size_t place = 0; place < words.size(); ++place) {
    const std::int32_t word = words[place];
    if (word == 0) continue;
    if (!comes_again) {
      visit(row(word), std::size_t{0}, std::size_t{1});
    } else if (const WordNumbers before = words.first(place); std::ranges::find(before, word) == before.end()) {
      visit(row(word), std::size_t{0}, static_cast<std::size_t>(std::ranges::count(words, word)));
    }
  }
}

class FixedCodes {
 public:
  using Rows = AlignedVector<std::int16_t>;  // [.., stride()], zeros beyond d

  struct Matrix {
    SignMagnitudeFormat format;
    Rows codes;                 // [rows, stride], Q(matrix), or +-1
    std::int64_t mantissa = 0;  // one-bit weights: the mean magnitude is mantissa 2^-shift
    int shift = 0;
    // Of what embeds, in this format: encoding weights, [J, stride]; in a bag one row, of a word that comes once.
    Rows l;
  };

  // Error (usage) for a scheme that is none, or not of fixed point.
  FixedCodes(const MemN2NShape& shape, const MemoryScheme& scheme);
  void set_parameters(std::span<const float> parameters);  // coded; not kept

  const MemN2NShape& shape() const { return shape_; }
  const MemoryScheme& scheme() const { return scheme_; }
  const SignMagnitudePath& kernels() const { return *kernels_; }
  std::size_t stride() const { return stride_; }

  bool is_hamming() const { return scheme_.similarity == MemorySimilarity::kHamming; }
  SignMagnitudeFormat base() const { return scheme_.format(); }
  // As the Hamming similarity reads its operands.
  SignMagnitudeFormat fine() const { return {scheme_.integer_bits, scheme_.fine_fraction()}; }
  // Of u, as a hop is asked with it.
  SignMagnitudeFormat u_format(std::size_t hop) const { return hop == 0 ? B_.format : base(); }
  int similarity_fraction() const;  // bits of s behind the point
  double similarity_step() const;
  std::int32_t similarity_limit() const;  // |s| is at most this: there it saturates
  double score_step() const;              // of (F5): the square of the format's

  // What embeds facts: each matrix in each format once. Of a hop's m and c: the places.
  std::span<const Matrix> embeddings() const { return embeddings_; }
  std::size_t m_of(std::size_t hop) const { return m_[hop]; }
  std::size_t c_of(std::size_t hop) const { return c_[hop]; }
  const Matrix& B() const { return B_; }
  const Matrix& W() const { return W_; }  // integer_only
  bool has_H() const { return roles_.has_H; }
  const Matrix& H(std::size_t hop) const { return H_[hop]; }

  // Add the words', or the time word's, part of (F1) to sum [stride]: at most 2^16 words.
  void add_words(const Matrix& matrix, WordNumbers words, std::int32_t* sum) const;
  void add_age(const Matrix& matrix, std::size_t age, std::int32_t* sum) const;
  // The code of such a sum in the matrix's format. shift: the matrix's; of a product with H less the bits by which the
  // other operand is coarser than the format.
  std::int32_t limited_sum(const Matrix& matrix, std::int32_t sum, int shift) const;
  // (N6) with the float W, where the scheme is not integer_only. Kept by the caller to save allocations.
  struct FloatScores {
    AlignedVector<float> u, words;  // [stride] in real units; [vocabulary] and zeros
  };
  void score_in_float(const std::int16_t* u, FloatScores& scores) const;

 private:
  Matrix matrix_in(SignMagnitudeFormat format) const;
  std::size_t embedding_in(std::size_t place, SignMagnitudeFormat format);
  void code(std::size_t place, std::span<const float> parameters, bool one_bit, Matrix& matrix);
  ProductRule product_with(const Matrix& matrix) const;

  MemN2NShape shape_;
  MemoryScheme scheme_;
  std::size_t stride_;
  const SignMagnitudePath* kernels_;
  const RowsPath* rows_;
  std::vector<MemoryMatrix> matrices_;
  MemoryRoles roles_;
  std::vector<Matrix> embeddings_;
  std::vector<std::size_t> places_;  // of the embeddings' matrices
  std::vector<std::size_t> m_, c_;   // a hop
  std::vector<Matrix> H_;            // a hop
  Matrix B_, W_;
  AlignedVector<float> W_transposed_;  // [d, vocabulary padded]: sums then run down columns
  std::vector<float> row_;             // of code(), [stride]
};

}  // namespace quaver
