// sentence_slots.h - which row of a table holds what was made of which sentence. A part of the memory networks that
// train.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace quaver {

class SentenceSlots {
 public:
  struct Slot {
    std::size_t row;
    bool is_new;  // nothing is in that row yet
  };
  // A sentence's row: the same one until clear(). Rows are given out in order, 0 first.
  Slot of(std::uint32_t sentence) {
    if (sentence >= entries_.size()) entries_.resize(std::size_t{sentence} + 1);
    Entry& entry = entries_[sentence];
    const bool is_new = entry.round != round_;
    if (is_new) entry = {round_, rows_++};
    return {entry.row, is_new};
  }
  Slot unnumbered() { return {rows_++, true}; }
  std::size_t rows() const { return rows_; }  // given out
  void clear() {
    rows_ = 0;
    ++round_;
  }

 private:
  struct Entry {
    std::uint64_t round = 0;  // of clear() since which the row counts
    std::size_t row = 0;
  };
  std::vector<Entry> entries_;
  std::uint64_t round_ = 1;
  std::size_t rows_ = 0;
};

}  // namespace quaver
