// memory_costs.h - what a question to a memory network costs: operations by part, bytes moved. docs/energy.md argues
// each rule.
//
// Our rules count what the integer form executes, and for float what its equations (cells/memn2n/ref.h) execute: every
// value once, however often it is used. So facts are embedded once for each distinct pair of matrix and format (2 pairs
// layer-wise, hops + 1 adjacent; formats by hop need more), and nothing is counted for words that are absent.
//   a product of codes    a multiplication at the codes' width, a shift and a comparison (truncate, limit); its sum as
//                         wide as it must be (sum_width); each limited result one comparison
//   scaled integers       products and sums are exact: nothing to cut or limit. Each tensor is requantized once: a
//                         32-bit multiplication (none with scales that are powers of two) and two additions, a limit
//   Hamming similarity    an element: difference (add), limit (compare), limit - Delta (add), sum (add)
//   1-bit operands        an addition an element; against 1-bit weights a bit each of logic and popcount
//   softmax               float: a comparison, a subtraction, an exp, an addition and a division a fact. Integer: a
//                         comparison, a subtraction, an addition and a division of 16 additions; the exponential is
//                         looked up (free), as the engine does
//   encoding weights l    with position encoding a product a word, else none (a bag's count of a word is 1)
//   answer                the scores' MACs and a comparison a word; no softmax: the answer is the largest score
//
// The paper's rules (as reconstructed from its claim; Park et al. 2018 do not print them) count everything at the width
// of the weights, without softmax, limits, wide sums or formats by hop: an addition an embedded word (a fact's time
// word is one) and number, a MAC with position encoding, facts once for A and once for C (adjacent: for each of the
// hops + 1 matrices); then the MACs of similarity, read, H and answer. A similarity that needs no product (Hamming, or
// a 1-bit query) counts an addition an element, and so does any product with a 1-bit operand.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "quaver/cells/memn2n/params.h"
#include "quaver/cells/memn2n/scheme.h"
#include "quaver/report/cost/energy.h"

namespace quaver {

// What was asked, summed over `questions`.
struct QuestionSizes {
  std::uint64_t questions = 1;
  std::uint64_t facts = 0;           // that the memory held when each question was asked
  std::uint64_t fact_words = 0;      // words of these, time words not among them
  std::uint64_t question_words = 0;  // of the questions
  bool operator==(const QuestionSizes&) const = default;

  double mean_facts() const;       // a question
  double mean_fact_words() const;  // a fact; 0 without facts
  double mean_question_words() const;
};
// Of real questions: words that the vocabulary holds are counted, absent ones (number 0) are not.
QuestionSizes question_sizes(std::span<const MemoryQuestion> questions);

// Of one part of the network, summed over the questions.
struct MemoryPart {
  std::string name;  // "facts", "question", "similarity", "softmax", "read", "controller", "answer"
  OperationCounts operations;
  Traffic traffic;
};
std::vector<MemoryPart> memory_costs(const MemN2NShape& shape, const MemoryScheme& scheme, const QuestionSizes& sizes);

// By the paper's rules: operations at the weights' width, i8 or f32.
OperationCounts memory_costs_by_the_paper(const MemN2NShape& shape, const MemoryScheme& scheme,
                                          const QuestionSizes& sizes);

// Energy of a scheme and of float for the same questions, by both rules. pJ a question; gains are 1 where nothing
// costs.
struct MemoryEnergy {
  double pj = 0, f32_pj = 0;              // our rules
  double paper_pj = 0, paper_f32_pj = 0;  // the paper's
  double gain() const { return pj > 0 ? f32_pj / pj : 1; }
  double paper_gain() const { return paper_pj > 0 ? paper_f32_pj / paper_pj : 1; }
};
MemoryEnergy memory_energy(const MemN2NShape& shape, const MemoryScheme& scheme, const QuestionSizes& sizes,
                           const EnergyTable& table = horowitz_2014());

// Bytes of one fact in memory: its numbers for addressing and reading in every distinct form.
std::uint64_t bytes_of_a_fact(const MemN2NShape& shape, const MemoryScheme& scheme);
// Bytes of all weights as the scheme reads them, a copy for every format they are used in: codes of 1 or 2 bytes,
// packed bits of 1-bit weights, floats. Encoding weights are computed, not stored.
std::uint64_t bytes_of_weights(const MemN2NShape& shape, const MemoryScheme& scheme);

}  // namespace quaver
