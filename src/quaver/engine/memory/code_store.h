// code_store.h - codes of embedded facts, as the kernels of kernels/address read them: a part of Memory.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "quaver/core/aligned.h"
#include "quaver/kernels/address/address.h"

namespace quaver {

// What a fact is embedded to: `m_sides` vectors that are compared with the query and `c_sides` that are read, [d] each.
struct CodeLayout {
  std::size_t d = 0, m_sides = 0, c_sides = 0;
};

// Facts by slot; a slot that was never put holds zeros.
class CodeStore {
 public:
  CodeStore() = default;
  explicit CodeStore(const CodeLayout& layout) : layout_(layout), m_(layout.m_sides), c_(layout.c_sides) {}

  std::size_t slots() const { return slots_; }
  // Room for slots 0 .. slots - 1, in whole blocks; what is there stays.
  void resize(std::size_t slots) {
    slots_ = fact_blocks(slots) * kFactBlock;
    for (auto& side : m_) side.resize(fact_blocks(slots) * block_bytes(layout_.d));
    for (auto& side : c_) side.resize(slots_ * row_stride(layout_.d));
  }
  // Where codes are put: from the block that holds `slot`, and the row of `slot`.
  std::int8_t* m_block(std::size_t side, std::size_t slot) {
    return m_[side].data() + slot / kFactBlock * block_bytes(layout_.d);
  }
  std::int8_t* c_row(std::size_t side, std::size_t slot) { return c_[side].data() + slot * row_stride(layout_.d); }
  void put_m(std::size_t side, std::size_t slot, const std::int8_t* codes) {
    pack_row(codes, layout_.d, slot, m_[side].data());
  }
  void put_c(std::size_t side, std::size_t slot, const std::int8_t* codes) {
    std::copy_n(codes, layout_.d, c_[side].data() + slot * row_stride(layout_.d));
  }
  void copy(std::size_t from, std::size_t to) {
    for (auto& side : m_) {
      const auto place = [&](std::size_t slot) {
        return side.data() + slot / kFactBlock * block_bytes(layout_.d) + slot % kFactBlock * kCodeGroup;
      };
      for (std::size_t group = 0; group < code_groups(layout_.d); ++group)
        std::copy_n(place(from) + group * kFactBlock * kCodeGroup, kCodeGroup,
                    place(to) + group * kFactBlock * kCodeGroup);
    }
    const std::size_t stride = row_stride(layout_.d);
    for (auto& side : c_) std::copy_n(side.data() + from * stride, stride, side.data() + to * stride);
  }

  // From the block that holds `slot`.
  const std::int8_t* m_block(std::size_t side, std::size_t slot) const {
    return m_[side].data() + slot / kFactBlock * block_bytes(layout_.d);
  }
  const std::int8_t* c_row(std::size_t side, std::size_t slot) const {
    return c_[side].data() + slot * row_stride(layout_.d);
  }
  std::size_t bytes() const {
    std::size_t sum = 0;
    for (const auto* sides : {&m_, &c_})
      for (const auto& side : *sides) sum += side.capacity();
    return sum;
  }

 private:
  CodeLayout layout_;
  std::size_t slots_ = 0;
  std::vector<AlignedVector<std::int8_t>> m_, c_;
};

}  // namespace quaver
