// memory_parts.h - what cells that run on stored codes share. Internal to this floor.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>

#include "quaver/core/aligned.h"
#include "quaver/engine/memory/memory_cell.h"
#include "quaver/kernels/address/address.h"
#include "quaver/kernels/softmax/softmax.h"

namespace quaver {

using FactRanges = std::span<const FactRange>;

inline constexpr std::size_t kMostTable = std::size_t{1} << 24;  // bytes of a table of words

// Rows of d codes within -128..127, each `stride` after the one before, as the kernels read them.
template <typename Codes>
AlignedVector<std::int8_t> packed_rows(const Codes& codes, std::size_t d, std::size_t stride) {
  const std::size_t rows = codes.size() / stride;
  AlignedVector<std::int8_t> packed(fact_blocks(rows) * block_bytes(d));
  std::vector<std::int8_t> row(d);
  for (std::size_t i = 0; i < rows; ++i) {
    std::transform(&codes[i * stride], &codes[i * stride] + d, row.begin(),
                   [](auto code) { return static_cast<std::int8_t>(code); });
    pack_row(row.data(), d, i, packed.data());
  }
  return packed;
}

inline std::size_t blocks_of(const FactRange& range) { return fact_blocks(range.first % kFactBlock + range.count); }

// Questions that share the reading, and the bytes of codes that they share at a time.
inline constexpr std::size_t kQuestionGroup = 8;
inline constexpr std::size_t kSharedPiece = 16384;

// Similarities of every question to every fact: kernel(codes, blocks, work, similarities) for each piece of the facts'
// codes. One question reads on and on; several read each piece while it is in the nearest cache.
template <typename Kernel>
void compare_with_facts(FactRanges ranges, std::size_t side, std::size_t d, std::span<QuestionWork> works,
                        const Kernel& kernel) {
  std::size_t all_blocks = 0;
  for (const FactRange& range : ranges) all_blocks += blocks_of(range);
  for (QuestionWork& work : works) {
    work.similarities.resize(all_blocks * kFactBlock);
    work.of_range.clear();
  }
  const std::size_t piece = works.size() == 1 ? all_blocks : std::max(kSharedPiece / block_bytes(d), std::size_t{1});
  std::size_t before = 0;  // similarities of earlier ranges
  for (const FactRange& range : ranges) {
    const std::int8_t* codes = range.store->m_block(side, range.first);
    const std::size_t blocks = blocks_of(range);
    for (std::size_t block = 0; block < blocks; block += piece)
      for (QuestionWork& work : works)
        kernel(codes + block * block_bytes(d), std::min(piece, blocks - block), work,
               work.similarities.data() + before + block * kFactBlock);
    for (QuestionWork& work : works)
      work.of_range.emplace_back(work.similarities.data() + before + range.first % kFactBlock, range.count);
    before += blocks * kFactBlock;
  }
}

inline std::size_t facts_of(FactRanges ranges) {
  std::size_t facts = 0;
  for (const FactRange& range : ranges) facts += range.count;
  return facts;
}

// The facts that have a weight, and the weights: weight_of(p in Q0.15), which falls with p. Where the network's softmax
// is of integers; similarities within -32768..32767, none above `largest`, those of the empty facts included.
// explained: what the hop is looked at with goes there; null: no float operation.
template <typename WeightOf>
void pick_facts(const SoftmaxTable& table, std::int32_t largest, const SoftmaxOthers& empty, const WeightOf& weight_of,
                QuestionWork& work, std::size_t hop, MemoryAnswer* explained) {
  constexpr std::size_t kFew = 2 * kFactBlock;  // each is asked for itself
  const std::int64_t of_nothing = table.sum_q0_31(empty, largest);
  std::int64_t sum = of_nothing;
  for (const auto similarities : work.of_range)
    sum += table.sum_q0_31(similarities.data(), similarities.size(), largest);
  const SoftmaxSum divisor(std::max<std::int64_t>(sum, 1));  // no fact: it divides nothing
  const auto p_of = [&](std::int32_t below) { return divisor.probability_q0_15(table.exponential_q0_31(below)); };
  // The furthest below the largest similarity that still has a weight.
  std::int32_t weighty = 0, weightless = static_cast<std::int32_t>(table.size());
  if (sum == 0 || weight_of(p_of(0)) == 0) weightless = 0;
  if (work.similarities.size() <= kFew) weighty = weightless;
  while (weightless - weighty > 1) {
    const std::int32_t middle = std::midpoint(weighty, weightless);
    (weight_of(p_of(middle)) > 0 ? weighty : weightless) = middle;
  }
  work.picked.resize(work.of_range.size());
  for (std::size_t range = 0; range < work.of_range.size(); ++range) {
    PickedFacts& picked = work.picked[range];
    const std::span<const std::int32_t> similarities = work.of_range[range];
    picked.count = 0;
    for (std::size_t i = 0; i < similarities.size() && weightless > 0; ++i) {
      if (largest - similarities[i] > weighty) continue;
      picked.add(i, weight_of(p_of(largest - similarities[i])));
    }
  }
  if (explained == nullptr) return;
  std::vector<float>& p = explained->attention[hop];
  p.clear();
  for (const auto similarities : work.of_range)
    for (const std::int32_t s : similarities) p.push_back(static_cast<float>(p_of(largest - s)) * 0x1p-15f);
  explained->nothing[hop] = sum == 0 ? 0.0f : static_cast<float>(softmax_probability_q0_15(of_nothing, sum)) * 0x1p-15f;
}

// What is read, to read_sums.
inline void read_facts(const AddressPath& path, FactRanges ranges, std::size_t side, const TruncationRule& rule,
                       QuestionWork& work) {
  std::ranges::fill(work.read_sums, 0);
  for (std::size_t range = 0; range < ranges.size(); ++range) {
    const PickedFacts& picked = work.picked[range];
    path.read(ranges[range].store->c_row(side, ranges[range].first), work.read_sums.size(), picked.which.data(),
              picked.weights.data(), picked.count, rule, work.read_sums.data());
  }
}

// The number of the highest score among words 1 .. vocabulary - 1, the lowest of equals.
inline std::int32_t best_of(const AddressPath& path, std::span<const std::int32_t> scores) {
  if (scores.size() < 2) return static_cast<std::int32_t>(scores.size());
  const std::int32_t best = path.largest(scores.data() + 1, scores.size() - 1);
  return static_cast<std::int32_t>(1 + path.find(scores.data() + 1, scores.size() - 1, best));
}

// The largest of a question's similarities; `least` where there is no fact.
inline std::int32_t largest_similarity(const AddressPath& path, const QuestionWork& work, std::int32_t least) {
  std::int32_t most = least;
  for (const auto similarities : work.of_range)
    if (!similarities.empty()) most = std::max(most, path.largest(similarities.data(), similarities.size()));
  return most;
}

}  // namespace quaver
