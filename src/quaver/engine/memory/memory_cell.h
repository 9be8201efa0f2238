// memory_cell.h - one memory network prepared to run: how facts become codes and codes an answer. Internal to this
// floor; memory_session.h is the door.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "quaver/cells/memn2n/fixed.h"
#include "quaver/cells/memn2n/params.h"
#include "quaver/cells/memn2n/ref.h"
#include "quaver/engine/memory/code_store.h"
#include "quaver/engine/memory/memory_state.h"
#include "quaver/engine/memory/sentence_list.h"
#include "quaver/kernels/dispatch/dispatch.h"
#include "quaver/model/memory/memory_network.h"

namespace quaver {

// Facts in consecutive slots, oldest first.
struct FactRange {
  const CodeStore* store = nullptr;
  std::size_t first = 0, count = 0;
};

// Facts that a hop reads, and their weights: the first `count` of each. Slots are counted from the range's first.
struct PickedFacts {
  std::vector<std::uint32_t> which;
  std::vector<std::int16_t> weights;
  std::size_t count = 0;

  // A fact of weight 0 is not kept.
  void add(std::size_t fact, std::int32_t weight) {
    if (count == which.size()) {
      which.resize(2 * count + kFactBlock);
      weights.resize(which.size());
    }
    which[count] = static_cast<std::uint32_t>(fact);
    weights[count] = static_cast<std::int16_t>(weight);
    count += weight == 0 ? 0 : 1;
  }
};

// Of one question; kept to save allocations. u and x have row_stride(d) codes, those beyond d are 0.
struct QuestionWork {
  explicit QuestionWork(std::size_t d)
      : query(d),
        read_sums(row_stride(d)),
        word_sums(row_stride(d)),
        u(row_stride(d)),
        x(row_stride(d)),
        codes(row_stride(d)) {}
  AddressQuery query;
  std::vector<std::int32_t> similarities, products, state_sums, read_sums;
  std::vector<std::span<const std::int32_t>> of_range;  // similarities of each range's facts
  std::vector<PickedFacts> picked;                      // of each range
  std::vector<std::int16_t> word_sums, u, x;
  std::vector<std::int8_t> codes;  // u where the query reads it in 8 bits
  std::vector<float> p;
  FixedCodes::FloatScores float_scores;
};

// Of one worker.
struct MemoryWorkspace {
  CodeStore recent;            // codes of the facts whose age still changes
  MemoryState::Value state{};  // of the memory that they are of
  std::vector<FactRange> ranges;
  std::vector<QuestionWork> questions;
  std::optional<MemN2NFixed> cell;  // where the cell itself runs
};

struct MemoryInput {
  const SentenceList& facts;
  std::span<const WordNumbers> questions;
};

class MemoryCell {
 public:
  // Error where the network does not validate.
  static std::shared_ptr<const MemoryCell> make(const MemoryNetwork& network, Isa isa);
  virtual ~MemoryCell() = default;

  const MemoryNetwork& network() const { return network_; }
  std::uint64_t fingerprint() const;  // made when it is first asked for
  Isa isa() const { return isa_; }
  // Facts whose codes depend on their age: 0 without temporal encoding.
  std::size_t ages() const { return network_.shape.temporal ? network_.shape.memory : 0; }

  virtual std::size_t longest_sentence() const { return kMaxSentence; }  // words
  virtual CodeLayout layout() const { return {}; }
  virtual std::size_t sum_bytes() const { return 0; }  // that embed() makes, a multiple of 4
  // The sum over words in every matrix and format: sums [sum_bytes()], aligned for int32.
  virtual void embed(WordNumbers /*words*/, std::byte* /*sums*/) const {}
  // Codes of `count` such facts, one after the other, to the slots from `slot` on. The first has this age, each other
  // is one younger; an age beyond the last counts as the last, by at most kFactBlock. Other facts of the last one's
  // block are only before them.
  virtual void put(const std::byte* /*sums*/, std::size_t /*count*/, std::size_t /*age*/, CodeStore& /*store*/,
                   std::size_t /*slot*/) const {}
  // The number of each question's word. workspace.ranges: all facts, oldest first. explained: of a single question, no
  // scores yet and room for each hop's attention; or null, then no float operation is executed where the network has
  // none.
  virtual void answer(const MemoryInput& input, MemoryWorkspace& workspace, std::span<std::int32_t> words,
                      MemoryAnswer* explained) const = 0;

 protected:
  MemoryCell(const MemoryNetwork& network, Isa isa);

 private:
  MemoryNetwork network_;
  mutable std::once_flag fingerprint_made_;
  mutable std::uint64_t fingerprint_ = 0;
  Isa isa_;
};

// Fixed-point networks that the kernels can run, of up to 8 bits; else null.
std::shared_ptr<const MemoryCell> make_fixed_memory_cell(const MemoryNetwork& network, Isa isa);
// Scaled networks; else null.
std::shared_ptr<const MemoryCell> make_scaled_memory_cell(const MemoryNetwork& network, Isa isa);

}  // namespace quaver
