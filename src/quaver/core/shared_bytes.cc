#include "quaver/core/shared_bytes.h"

#include <algorithm>
#include <atomic>
#include <utility>

#include "quaver/core/check.h"

namespace quaver {

SharedBytes::SharedBytes(std::size_t size) : SharedBytes(AlignedVector<std::byte>(size)) {}

SharedBytes::SharedBytes(std::span<const std::byte> bytes)
    : SharedBytes(AlignedVector<std::byte>(bytes.begin(), bytes.end())) {}

SharedBytes::SharedBytes(AlignedVector<std::byte> bytes)
    : buffer_(std::make_shared<AlignedVector<std::byte>>(std::move(bytes))), size_(buffer_->size()) {}

SharedBytes SharedBytes::slice(std::size_t offset, std::size_t size) const {
  QUAVER_DCHECK(offset <= this->size() && size <= this->size() - offset);
  SharedBytes part = *this;
  part.offset_ += offset;
  part.size_ = size;
  return part;
}

std::span<std::byte> SharedBytes::writable() {
  if (buffer_ == nullptr) return {};
  if (buffer_.use_count() != 1 || size_ != buffer_->size()) *this = copy();
  // Another thread may have dropped the last other value just now: its reads come before our writes.
  std::atomic_thread_fence(std::memory_order_acquire);
  return {buffer_->data() + offset_, size_};
}

bool SharedBytes::operator==(const SharedBytes& other) const {
  return data() == other.data() ? size() == other.size() : std::equal(begin(), end(), other.begin(), other.end());
}

}  // namespace quaver
