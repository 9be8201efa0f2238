// 32-byte loads, and the widening product that AVX2 paths use: 16 products of 16 bits, added in pairs, and a sum.
#if defined(__x86_64__)

#include <immintrin.h>

#include "quaver/report/machine/roofline_probes.h"

#include "quaver/kernels/dispatch/begin_avx2.inc"

namespace quaver {
namespace {

constexpr std::size_t kRegisters = 8;
constexpr std::size_t kWidth = sizeof(__m256i), kMacsAnInstruction = 16;

std::uint64_t folded(const __m256i (&sums)[kRegisters]) noexcept {
  __m256i all = sums[0];
  for (std::size_t i = 1; i < kRegisters; ++i) all = _mm256_xor_si256(all, sums[i]);
  alignas(kWidth) std::uint64_t words[4];
  _mm256_store_si256(reinterpret_cast<__m256i*>(words), all);
  return words[0] ^ words[1] ^ words[2] ^ words[3];
}

std::uint64_t read(const std::byte* bytes, std::size_t size) noexcept {
  __m256i sums[kRegisters] = {};
  const auto* from = reinterpret_cast<const __m256i*>(bytes);
  const std::size_t count = size / kWidth;
  std::size_t at = 0;
  for (; at + kRegisters <= count; at += kRegisters) {
    for (std::size_t i = 0; i < kRegisters; ++i) sums[i] = _mm256_xor_si256(sums[i], _mm256_load_si256(from + at + i));
  }
  for (; at < count; ++at) sums[0] = _mm256_xor_si256(sums[0], _mm256_load_si256(from + at));
  return folded(sums);
}

std::uint64_t multiply(std::size_t rounds) noexcept {
  __m256i sums[kRegisters] = {};
  __m256i left = _mm256_set1_epi16(3);
  const __m256i right = _mm256_set1_epi16(5);
  for (std::size_t round = 0; round < rounds; ++round) {
    for (std::size_t i = 0; i < kRegisters; ++i) {
      asm volatile("" : "+x"(left));  // the compiler must not know that all products, so all sums, are the same
      sums[i] = _mm256_add_epi32(sums[i], _mm256_madd_epi16(left, right));
    }
  }
  return folded(sums);
}

constexpr RooflineProbes kProbes{Isa::kAvx2, read, multiply, kRegisters* kMacsAnInstruction};

}  // namespace
}  // namespace quaver

#include "quaver/kernels/dispatch/end_target.inc"

namespace quaver {
const RooflineProbes& avx2_probes() { return kProbes; }
}  // namespace quaver

#endif
