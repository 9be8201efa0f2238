#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "quaver/kernels/bit_planes/paths.h"

namespace quaver {
namespace {

void split(const std::uint8_t* codes, std::size_t cols, int bits, std::uint64_t* planes) noexcept {
  const std::size_t words = plane_words(cols);
  std::fill_n(planes, static_cast<std::size_t>(bits) * words, std::uint64_t{0});
  for (std::size_t c = 0; c < cols; ++c) {
    for (int k = 0; k < bits; ++k) {
      const std::uint64_t bit = codes[c] >> k & 1;
      planes[static_cast<std::size_t>(k) * words + c / kWordBits] |= bit << c % kWordBits;
    }
  }
}

void run(const BitPlanesProduct& p) noexcept {
  const std::uint64_t* block = p.weights;
  for (std::size_t r = 0; r < p.blocks * kRowBlock; ++r) {
    std::int64_t sum = 0;
    for (int m = 0; m < p.weight_bits; ++m) {
      const std::uint64_t* plane = block + static_cast<std::size_t>(m) * p.words * kRowBlock + r % kRowBlock;
      for (int k = 0; k < p.activation_bits; ++k) {
        const std::uint64_t* x = p.activations + static_cast<std::size_t>(k) * p.words;
        std::int64_t differing = 0;
        for (std::size_t word = 0; word < p.words; ++word)
          differing += std::popcount(plane[word * kRowBlock] ^ x[word]);
        sum += differing << (m + k);
      }
    }
    p.acc[r] = static_cast<std::int32_t>((p.starts[r] + p.offset - 2 * sum) >> p.halvings);
    if (r % kRowBlock == kRowBlock - 1) block += static_cast<std::size_t>(p.weight_bits) * p.words * kRowBlock;
  }
}

}  // namespace

const BitPlanesPath kScalarBitPlanes{Isa::kScalar, split, run};

}  // namespace quaver
