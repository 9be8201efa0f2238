// blocks.h - numbers that come one by one, in blocks: who holds a gigabyte of them takes no more while they come, and
// nothing is copied. Internal to this floor.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

namespace quaver {

template <typename Number>
class Blocks {
 public:
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  Number operator[](std::size_t place) const { return blocks_[place / kBlock][place % kBlock]; }
  void push_back(Number number) {
    if (size_ % kBlock == 0) blocks_.push_back(std::make_unique_for_overwrite<Number[]>(kBlock));
    blocks_.back()[size_++ % kBlock] = number;
  }

 private:
  static constexpr std::size_t kBlock = 16384;  // a power of two: places are shifts

  std::vector<std::unique_ptr<Number[]>> blocks_;
  std::size_t size_ = 0;
};

}  // namespace quaver
