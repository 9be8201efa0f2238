// fixed_forward.h - the forward pass of cells/memn2n/fixed.h arranged for training: the same codes, some ten times as
// fast. Internal to this floor.
//
// Rows are padded with zeros to whole vectors (kernels/sign_magnitude), H lies transposed so that its sums run down
// columns, hops whose matrix and format are the same share an embedding, and a sentence is embedded once between two
// settings of the parameters (MemoryQuestion::sentences); its time word is added for each question.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "quaver/cells/memn2n/fixed.h"
#include "quaver/core/aligned.h"
#include "quaver/kernels/sign_magnitude/sign_magnitude.h"
#include "quaver/train/memory/sentence_slots.h"

namespace quaver {

class FixedForward {
 public:
  using Rows = AlignedVector<std::int16_t>;  // [.., stride]

  // Error (usage) for a scheme that is none, or is float.
  FixedForward(const MemN2NShape& shape, const MemoryScheme& scheme);
  void set_parameters(std::span<const float> parameters);
  void run(const MemoryQuestion& question, bool linear);

  std::size_t stride() const { return stride_; }
  const MemoryScheme& scheme() const { return scheme_; }
  const SignMagnitudePath& kernels() const { return *kernels_; }
  std::int32_t similarity_limit() const { return plain_.similarity_limit(); }
  double similarity_step() const { return plain_.similarity_step(); }

  // ---- of the last run() ----

  // What one matrix in one format made of the facts.
  struct EmbeddedFacts {
    SignMagnitudeFormat format;
    const std::int16_t* codes;       // [facts, stride], in `format`
    const std::int16_t* base_codes;  // [facts, stride], in the scheme's format; of an m under Hamming: null
    const std::int16_t* fine_codes;  // [facts, stride], as the Hamming similarity reads them; of a c: null
  };
  std::size_t embedding_count() const { return embeddings_.size(); }
  EmbeddedFacts embedded(std::size_t embedding) const;

  struct Hop {
    std::size_t m = 0, c = 0;  // embeddings
    Rows u, u_fine;            // [stride]; u_fine: Hamming only
    SignMagnitudeFormat u_format;
    MemN2NFixed::Hop attention;  // s, p, p_q0_15, p_codes alone
  };
  const Hop& hop(std::size_t hop) const { return hops_[hop]; }
  void copy_attention(std::size_t hop, std::vector<float>& p) const;  // p in real units
  const Rows& output() const { return u_; }                           // [stride], what W reads, the scheme's format
  std::span<const std::int64_t> scores();  // integer_only: (F5), [vocabulary], units: the square of the format's step

 private:
  struct Matrix {
    Rows codes;
    MemN2NFixed::CodedMatrix rule;  // its format, and the mean of one-bit weights; no codes
    Rows weights;                   // [J, stride], encoding weights in this format; empty: all 1
  };
  struct Embedding {
    std::size_t place = 0;
    bool is_m = false, is_c = false;
    Matrix matrix;
    Rows time;                              // [memory, stride], products of the time rows
    AlignedVector<std::int32_t> sentences;  // [slots, stride], sums over words
    Rows facts, base, fine;                 // [facts, stride]
  };
  Matrix matrix_of(SignMagnitudeFormat format) const;
  std::size_t find_embedding(std::size_t place, SignMagnitudeFormat format);
  void code(std::size_t place, std::span<const float> parameters, bool one_bit, Matrix& matrix);
  void set_time_products(Embedding& embedding);
  ProductRule embedding_rule(SignMagnitudeFormat format) const;
  void add_words(const Matrix& matrix, WordNumbers words, std::int32_t* sums);
  void limit_sums(const Matrix& matrix, int shift, const std::int32_t* sums, const std::int16_t* addend,
                  std::int16_t* codes) const;
  void embed_facts(const MemoryQuestion& question);
  void set_signs(const Rows& codes);
  void similarities(Hop& hop, std::size_t facts);
  void next_u(Hop& hop, const Matrix* H, std::size_t facts);

  MemN2NShape shape_;
  MemoryScheme scheme_;
  MemN2NFixed plain_;  // never run: for the steps that have one form
  std::size_t stride_;
  const SignMagnitudePath* kernels_;
  std::vector<MemoryMatrix> matrices_;
  MemoryRoles roles_;
  std::vector<Embedding> embeddings_;
  std::vector<Matrix> H_;  // a hop, transposed
  Matrix B_, W_;
  SentenceSlots slots_;
  std::vector<std::size_t> slot_of_fact_;
  std::vector<Hop> hops_;
  Rows u_;  // of the next hop
  std::vector<std::int64_t> scores_;
  // Of one function, kept to save allocations: [stride].
  Rows x_, zeros_, read_;
  AlignedVector<float> row_;
  AlignedVector<std::int32_t> sums_;
};

}  // namespace quaver
