// memory_session.h - answers questions from a memory of facts, with the bits of the network that was trained.
//
//   auto session = quaver::MemorySession(network, {.capacity = 1000000});
//   auto memory = session.empty_memory();           // a value: copy, compare, save, restore
//   session.write(memory, fact);                    // embedded once, here
//   std::int32_t word = session.answer(memory, question);
//
// A fact is embedded when it is written: the sum over its words is kept. The time word's part changes with every new
// fact, but only for the `memory` facts whose age the network was trained with: their codes are made when they are
// read, and kept for the next question while the memory stays as it is. A fact beyond shares the last time word for
// good, so its codes are final, and made for a block of facts at a time: writing costs the same however many facts
// there are, and a question reads one byte a code and hop. `capacity` may exceed the network's own `memory`.
//
// Scaled networks and fixed-point ones of up to 8 bits run on codes with vector kernels (kernels/address); integer_only
// ones execute no float operation in answer(). All others, float ones too, run as their cell (cells/memn2n) on the kept
// words: right, but not fast. Both give what the cell gives for the same facts with ages limited to memory - 1.
// Threads: a MemorySession is one worker; copies share the network and may run at the same time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "quaver/cells/memn2n/params.h"
#include "quaver/cells/memn2n/ref.h"
#include "quaver/engine/memory/code_store.h"
#include "quaver/engine/memory/memory_state.h"
#include "quaver/engine/memory/sentence_list.h"
#include "quaver/kernels/dispatch/dispatch.h"
#include "quaver/model/memory/memory_network.h"

namespace quaver {

class MemoryCell;
struct MemoryWorkspace;

struct MemorySessionOptions {
  std::size_t capacity = 0;  // facts that a memory holds, at most 2^31; 0: as many as the network was trained with
  Isa isa = chosen_isa();
};

// What a network remembers: facts as word numbers, and their codes. One that was moved from has no facts and belongs to
// no network: every session refuses it.
class Memory {
 public:
  std::size_t size() const { return facts_.size(); }
  std::size_t capacity() const { return capacity_; }
  std::uint64_t dropped() const { return dropped_; }  // facts that made room for newer ones
  WordNumbers fact(std::size_t index) const;          // 0: the oldest. Error (usage) for an index that is none
  std::uint64_t fingerprint() const;                  // of the network it belongs to; 0 where it was moved from
  std::size_t bytes() const;                          // codes and sums that it holds
  bool operator==(const Memory& other) const;

 private:
  friend class MemorySession;
  Memory(std::shared_ptr<const MemoryCell> cell, std::size_t capacity);
  void write(WordNumbers fact);
  void forget_oldest();
  void forget(std::size_t index);
  void forget_all();
  std::size_t recent() const { return facts_.size() - settled_; }
  std::size_t slot(std::size_t settled_fact) const { return (first_slot_ + settled_fact) % slots_; }
  std::byte* sums(std::size_t recent_fact) { return sums_.data() + (first_sum_ + recent_fact) * sum_bytes_; }
  const std::byte* sums(std::size_t recent_fact) const {
    return sums_.data() + (first_sum_ + recent_fact) * sum_bytes_;
  }
  void settle_block();
  void pop_sums(std::size_t count);

  std::shared_ptr<const MemoryCell> cell_;
  std::size_t capacity_, sum_bytes_;
  std::uint64_t dropped_ = 0;
  MemoryState state_;
  SentenceList facts_;
  // The oldest `settled_` facts: codes that are final, in a ring of slots.
  CodeStore codes_;
  std::size_t slots_ = 0, first_slot_ = 0, settled_ = 0;
  // The others: sums over words, oldest first from number first_sum_ on.
  AlignedVector<std::byte> sums_;
  std::size_t first_sum_ = 0;
};

// Each call that takes a memory throws Error (bad input) for one of another network, or that was moved from. A session
// that was moved from can be assigned to, copied and destroyed; all else throws Error (usage).
class MemorySession {
 public:
  // Error (bad input) for a network that does not validate, (usage) for a capacity out of range.
  explicit MemorySession(const MemoryNetwork& network, const MemorySessionOptions& options = {});
  MemorySession(const MemorySession& other);  // shares the network, has working memory of its own
  MemorySession& operator=(const MemorySession& other);
  MemorySession(MemorySession&&) noexcept;
  MemorySession& operator=(MemorySession&&) noexcept;
  ~MemorySession();

  const MemoryNetwork& network() const;
  std::size_t capacity() const;
  Isa isa() const;
  bool on_codes() const;                 // runs on vector kernels, not as the cell
  bool integer_only() const;             // no float operation between words and answer
  std::size_t longest_sentence() const;  // words of a fact or question: kMaxSentence, 256 with one-bit weights on codes
  // Bytes of codes that one question reads a fact of a large memory; 0 where the cell runs.
  std::size_t bytes_per_fact() const;

  Memory empty_memory() const;
  // Numbers are those of network().words; 0, a word never seen, adds nothing. Error (bad input) for a number that is
  // none or a sentence longer than longest_sentence(). A full memory drops its oldest fact.
  void write(Memory& memory, WordNumbers fact) const;
  // As if the fact had never been written: ages close up. Oldest and recent facts (younger than the network's `memory`)
  // at once, others in time linear in the facts after them. Error (usage) for an index that is none.
  void forget(Memory& memory, std::size_t index) const;
  void forget_all(Memory& memory) const;

  // The number of the word with the highest score, the lowest of equals. Of an empty memory the question alone decides.
  std::int32_t answer(const Memory& memory, WordNumbers question);
  // Of many questions to one memory: recent facts are coded and others read once for several. words: one a question.
  void answer(const Memory& memory, std::span<const WordNumbers> questions, std::span<std::int32_t> words);
  // The same with all scores and p of every hop and fact, in real units: for people and losses, slower.
  std::int32_t answer(const Memory& memory, WordNumbers question, MemoryAnswer& explained);
  MemoryAnswer explain(const Memory& memory, WordNumbers question);

  // Bytes to keep (docs/file_format.md): word numbers, from which restore() makes the codes again. Error (bad input)
  // for bytes that are damaged or belong to another network; facts beyond the capacity are dropped, oldest first.
  std::string save(const Memory& memory) const;
  Memory restore(std::span<const std::byte> bytes) const;

 private:
  const MemoryCell& cell() const;  // Error where the session was moved from
  void check_memory(const Memory& memory) const;
  void check_other_memory(const Memory& memory) const;  // of another cell, which may be the same network's
  void check_words(WordNumbers words, const char* what) const;
  void run(const Memory& memory, std::span<const WordNumbers> questions, std::span<std::int32_t> words,
           MemoryAnswer* explained);

  std::shared_ptr<const MemoryCell> cell_;
  std::size_t capacity_;
  std::unique_ptr<MemoryWorkspace> workspace_;
};

}  // namespace quaver
