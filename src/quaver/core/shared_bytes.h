// shared_bytes.h - bytes that values share until one of them writes: a copy, or a slice, costs a pointer.
//
// A value is a slice of one buffer, which lives as long as any of its slices. writable() gives a value bytes of its own
// unless it has them already, so that no value ever sees another one's writes: to who uses it, it is a plain vector.
// Threads: as with any value; different values may be used at once although they share a buffer.
#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include "quaver/core/aligned.h"

namespace quaver {

class SharedBytes {
 public:
  SharedBytes() = default;
  explicit SharedBytes(std::size_t size);  // zeros
  explicit SharedBytes(AlignedVector<std::byte> bytes);
  explicit SharedBytes(std::span<const std::byte> bytes);  // copied

  // Shares the buffer. The slice lies within size().
  SharedBytes slice(std::size_t offset, std::size_t size) const;
  // The same bytes in a buffer of their own: keeps no larger one alive.
  SharedBytes copy() const { return SharedBytes(std::span(*this)); }

  const std::byte* data() const { return buffer_ == nullptr ? nullptr : buffer_->data() + offset_; }
  std::size_t size() const { return buffer_ == nullptr ? 0 : size_; }
  bool empty() const { return size() == 0; }
  const std::byte* begin() const { return data(); }
  const std::byte* end() const { return data() + size(); }
  std::byte operator[](std::size_t i) const { return data()[i]; }

  std::span<std::byte> writable();

  bool operator==(const SharedBytes& other) const;  // by content

 private:
  std::shared_ptr<AlignedVector<std::byte>> buffer_;
  std::size_t offset_ = 0, size_ = 0;
};

}  // namespace quaver
