// sentence_list.h - sentences of word numbers, one after the other in one array: a part of Memory.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace quaver {

inline constexpr std::size_t kMaxSentence = 65536;  // words of a fact or question: keeps every sum inside int32

// Oldest first. Adding and forgetting the oldest cost the same however many there are; erasing one costs those after
// it.
class SentenceList {
 public:
  SentenceList() = default;
  SentenceList(const SentenceList&) = default;
  SentenceList& operator=(const SentenceList&) = default;
  SentenceList(SentenceList&& other) noexcept { *this = std::move(other); }
  SentenceList& operator=(SentenceList&& other) noexcept {  // leaves the other empty
    words_ = std::exchange(other.words_, {});
    ends_ = std::exchange(other.ends_, {});
    first_ = std::exchange(other.first_, 0);
    return *this;
  }
  ~SentenceList() = default;

  std::size_t size() const { return ends_.size() - first_; }
  std::span<const std::int32_t> operator[](std::size_t i) const {
    const std::size_t begin = begin_of(first_ + i);
    return std::span(words_).subspan(begin, ends_[first_ + i] - begin);
  }
  // words may be one of this list's own.
  void push_back(std::span<const std::int32_t> words) {
    const std::size_t old = words_.size();
    const bool own = !words.empty() && words.data() >= words_.data() && words.data() < words_.data() + old;
    const std::size_t from = own ? static_cast<std::size_t>(words.data() - words_.data()) : 0;
    words_.resize(old + words.size());
    std::copy_n(own ? words_.data() + from : words.data(), words.size(), words_.data() + old);
    ends_.push_back(words_.size());
  }
  // What is behind is cut off when it is as much as what is left.
  void pop_front() {
    ++first_;
    if (2 * first_ < ends_.size()) return;
    const std::size_t gone = begin_of(first_);
    words_.erase(words_.begin(), words_.begin() + static_cast<std::ptrdiff_t>(gone));
    ends_.erase(ends_.begin(), ends_.begin() + static_cast<std::ptrdiff_t>(first_));
    for (std::size_t& end : ends_) end -= gone;
    first_ = 0;
  }
  void erase(std::size_t i) {
    const std::size_t begin = begin_of(first_ + i), count = ends_[first_ + i] - begin;
    words_.erase(words_.begin() + static_cast<std::ptrdiff_t>(begin),
                 words_.begin() + static_cast<std::ptrdiff_t>(begin + count));
    ends_.erase(ends_.begin() + static_cast<std::ptrdiff_t>(first_ + i));
    for (std::size_t j = first_ + i; j < ends_.size(); ++j) ends_[j] -= count;
  }
  void clear() {
    words_.clear();
    ends_.clear();
    first_ = 0;
  }
  bool operator==(const SentenceList& other) const {
    if (size() != other.size()) return false;
    for (std::size_t i = 0; i < size(); ++i)
      if (!std::ranges::equal((*this)[i], other[i])) return false;
    return true;
  }

 private:
  std::size_t begin_of(std::size_t place) const { return place == 0 ? 0 : ends_[place - 1]; }

  std::vector<std::int32_t> words_;
  std::vector<std::size_t> ends_;  // in words_; those before first_ are gone
  std::size_t first_ = 0;
};

}  // namespace quaver
