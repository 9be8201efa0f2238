// fixed.h - the memory network in Q-MANN's fixed point, keeping all codes that a question passes through: what training
// computes forward with, what reports look at, and what runs words longer than the runtime's bytes.
//
// The steps are those of fixed_steps.h on rows of 16 bits (kernels/sign_magnitude), padded with zeros to whole vectors.
// H lies transposed so that its sums run down columns, hops whose matrix and format are the same share an embedding,
// and a sentence is embedded once between two settings of the parameters (MemoryQuestion::sentences); its time word is
// added for each question. With MemoryScheme::integer_only, run() and answer_word() execute no float operation.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "quaver/cells/memn2n/fixed_codes.h"
#include "quaver/cells/memn2n/params.h"
#include "quaver/cells/memn2n/ref.h"
#include "quaver/cells/memn2n/scheme.h"
#include "quaver/cells/memn2n/sentence_slots.h"
#include "quaver/kernels/softmax/softmax.h"

namespace quaver {

class MemN2NFixed {
 public:
  using Rows = FixedCodes::Rows;  // [.., stride]

  // Error (usage) for a scheme that is none, or is float.
  MemN2NFixed(const MemN2NShape& shape, const MemoryScheme& scheme);
  void set_parameters(std::span<const float> parameters);

  // Up to the scores; linear: p = s.
  void run(const MemoryQuestion& question, bool linear = false);
  MemoryAnswer answer(const MemoryQuestion& question, bool linear = false);
  // integer_only: the word of the highest score of (F5), the lowest of equals; number 0 is no answer.
  std::size_t answer_word(const MemoryQuestion& question);

  const FixedCodes& codes() const { return codes_; }

  // ---- of the last run(); codes count in units of 2^-fraction of their format ----

  // What one of codes().embeddings() made of the facts: [facts, stride].
  struct Facts {
    const std::int16_t* codes;       // in its own format
    const std::int16_t* base_codes;  // in the scheme's format; of an m under Hamming: null
    const std::int16_t* fine_codes;  // as the Hamming similarity reads them; of a c: null
  };
  Facts facts(std::size_t embedding) const;

  struct Hop {
    Rows u;                       // [stride], what the hop is asked with, codes().u_format()
    Rows u_fine;                  // [stride], Hamming: as the similarity reads it
    std::vector<std::int32_t> s;  // [facts], units of codes().similarity_step()
    std::vector<float> p;         // [facts], float softmax only
    // [facts], integer softmax only; empty in the first phase of a linear start.
    std::vector<std::int16_t> p_q0_15;
    std::vector<std::int16_t> p_codes;  // [facts], the scheme's format: what the read multiplies with
    // p of all empty facts together, from whichever softmax there is; 0 in the first phase of a linear start.
    float nothing = 0;
    std::int16_t nothing_q0_15 = 0;
    Rows o;  // [stride], what was read, the scheme's format
  };
  const Hop& hop(std::size_t hop) const { return hops_[hop]; }
  const Rows& output() const { return output_; }  // [stride], what W reads, the scheme's format
  // p of a hop in real units, from whichever softmax made it: for training and for people.
  void attention(std::size_t hop, std::vector<float>& p) const;
  // integer_only: (F5), [vocabulary], units of codes().score_step().
  std::span<const std::int64_t> scores() const { return scores_; }
  void real_scores(std::span<float> scores) const;  // [vocabulary], of either answer layer

 private:
  class Question;

  struct EmbeddedFacts {
    bool is_m = false, is_c = false;
    Rows time;                              // [memory, stride], the time words' part of a sum
    AlignedVector<std::int32_t> sentences;  // [slots, stride], sums over words
    Rows facts, base, fine;                 // [facts, stride]
  };
  void set_time(const FixedCodes::Matrix& matrix, Rows& time);
  void limit_sums(const FixedCodes::Matrix& matrix, const std::int32_t* sums, const std::int16_t* addend,
                  std::int16_t* codes) const;
  void embed_facts(const MemoryQuestion& question);

  FixedCodes codes_;
  std::vector<EmbeddedFacts> embedded_;  // of each embedding
  std::vector<Rows> H_transposed_;       // a hop
  std::optional<SoftmaxRule> softmax_;   // integer_only
  SentenceSlots slots_;
  std::vector<std::size_t> slot_of_fact_;
  std::vector<Hop> hops_;
  Rows output_;
  std::vector<std::int64_t> scores_;
  FixedCodes::FloatScores float_scores_;
  // Of one step, kept to save allocations: [stride].
  Rows x_, zeros_;
  AlignedVector<std::int32_t> sums_, state_sums_;
};

}  // namespace quaver
