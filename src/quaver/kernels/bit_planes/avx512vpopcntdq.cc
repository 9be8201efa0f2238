// AVX-512 with VPOPCNTDQ: the set bits of each lane in one instruction.
#if defined(__x86_64__)

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "quaver/kernels/bit_planes/paths.h"

namespace quaver {
namespace {

constexpr std::size_t kBytes = 64;

#include "quaver/kernels/dispatch/begin_avx512vpopcntdq.inc"

#include "quaver/kernels/bit_planes/vector.inc"

QUAVER_INLINE void differences(const std::uint64_t* weights, const std::uint64_t* x, std::size_t words, Words* counts) {
  for (std::size_t part = 0; part < kParts; ++part) counts[part] = Words{};
  for (std::size_t word = 0; word < words; ++word, weights += kRowBlock) {
    for (std::size_t part = 0; part < kParts; ++part) {
      const Words differing = load(weights + part * kRows) ^ x[word];
      counts[part] += reinterpret_cast<Words>(_mm512_popcnt_epi64(reinterpret_cast<__m512i>(differing)));
    }
  }
}

#include "quaver/kernels/bit_planes/avx512.inc"

#include "quaver/kernels/dispatch/end_target.inc"

}  // namespace

const BitPlanesPath kAvx512VpopcntdqBitPlanes{Isa::kAvx512Vnni, split<bits_of_codes>, run<differences>};

bool has_avx512vpopcntdq() noexcept {
  return isa_supported(Isa::kAvx512Vnni) && __builtin_cpu_supports("avx512vpopcntdq") != 0;
}

}  // namespace quaver

#endif
