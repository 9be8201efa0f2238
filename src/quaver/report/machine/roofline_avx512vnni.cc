// 64-byte loads, and vpdpbusd: 64 products of bytes added into 16 sums by one instruction.
#if defined(__x86_64__)

#include <immintrin.h>

#include "quaver/report/machine/roofline_probes.h"

#include "quaver/kernels/dispatch/begin_avx512vnni.inc"

namespace quaver {
namespace {

constexpr std::size_t kRegisters = 16;  // enough independent sums to hide the latency of two products a cycle
constexpr std::size_t kWidth = sizeof(__m512i), kMacsAnInstruction = 64;

std::uint64_t folded(const __m512i (&sums)[kRegisters]) noexcept {
  __m512i all = sums[0];
  for (std::size_t i = 1; i < kRegisters; ++i) all = _mm512_xor_si512(all, sums[i]);
  alignas(kWidth) std::uint64_t words[8];
  _mm512_store_si512(words, all);
  std::uint64_t word = 0;
  for (const std::uint64_t each : words) word ^= each;
  return word;
}

std::uint64_t read(const std::byte* bytes, std::size_t size) noexcept {
  __m512i sums[kRegisters] = {};
  const auto* from = reinterpret_cast<const __m512i*>(bytes);
  const std::size_t count = size / kWidth;
  std::size_t at = 0;
  for (; at + kRegisters <= count; at += kRegisters) {
    for (std::size_t i = 0; i < kRegisters; ++i) sums[i] = _mm512_xor_si512(sums[i], _mm512_load_si512(from + at + i));
  }
  for (; at < count; ++at) sums[0] = _mm512_xor_si512(sums[0], _mm512_load_si512(from + at));
  return folded(sums);
}

std::uint64_t multiply(std::size_t rounds) noexcept {
  __m512i sums[kRegisters] = {};
  __m512i left = _mm512_set1_epi8(3);
  const __m512i right = _mm512_set1_epi8(5);
  for (std::size_t round = 0; round < rounds; ++round) {
    for (std::size_t i = 0; i < kRegisters; ++i) {
      asm volatile("" : "+v"(left));  // the compiler must not know that all products, so all sums, are the same
      sums[i] = _mm512_dpbusd_epi32(sums[i], left, right);
    }
  }
  return folded(sums);
}

constexpr RooflineProbes kProbes{Isa::kAvx512Vnni, read, multiply, kRegisters* kMacsAnInstruction};

}  // namespace
}  // namespace quaver

#include "quaver/kernels/dispatch/end_target.inc"

namespace quaver {
const RooflineProbes& avx512vnni_probes() { return kProbes; }
}  // namespace quaver

#endif
