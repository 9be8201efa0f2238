#include "quaver/kernels/address/address.h"

#include <algorithm>

#include "quaver/core/check.h"
#include "quaver/kernels/address/paths.h"
#include "quaver/kernels/dispatch/path_table.h"

namespace quaver {

void pack_row(const std::int8_t* codes, std::size_t d, std::size_t row, std::int8_t* packed) noexcept {
  std::int8_t* to = packed + row / kFactBlock * block_bytes(d) + row % kFactBlock * kCodeGroup;
  std::size_t j = 0;
  for (; j + kCodeGroup <= d; j += kCodeGroup, to += kFactBlock * kCodeGroup) std::copy_n(codes + j, kCodeGroup, to);
  for (std::size_t k = 0; j + k < d; ++k) to[k] = codes[j + k];
}

void pack_bits_row(const std::int8_t* codes, std::size_t d, std::size_t row, std::uint64_t* packed) noexcept {
  std::uint64_t* to = packed + row / kBitBlock * bit_words(d) * kBitBlock + row % kBitBlock;
  for (std::size_t word = 0; word < bit_words(d); ++word, to += kBitBlock) {
    *to = 0;
    for (std::size_t j = 64 * word; j < std::min(d, 64 * (word + 1)); ++j)
      *to |= std::uint64_t{codes[j] < 0} << (j % 64);
  }
}

AddressQuery::AddressQuery(std::size_t d)
    : d_(d), magnitude_(row_stride(d)), sign_(row_stride(d)), codes_(row_stride(d)), bits_(bit_words(d)) {
  QUAVER_DCHECK(d <= kMaxAddressCodes);
}

void AddressQuery::set_bits(const std::int16_t* codes) noexcept {
  std::ranges::fill(bits_, 0);
  for (std::size_t j = 0; j < d_; ++j) bits_[j / 64] |= std::uint64_t{codes[j] < 0} << (j % 64);
}

std::span<const AddressPath> address_paths() {
  static const std::vector paths = table_of(kAddressTable);
  return paths;
}

const AddressPath& address_path(Isa isa) { return find_path(address_paths(), isa); }

}  // namespace quaver
