// One vpdpbusd for 16 rows and 4 columns: it adds four products of an unsigned and a signed byte to each of 16
// accumulators, without saturating anything.
//
// The unsigned operand is x + 128, so
//     sum W x = sum W (x + 128) - 128 sum W
// and the last term is a constant of the row. pack() appends it to the weights; the sum is mod 2^32 and exact (A15).
//
// The packed unit is 64 bytes: 16 rows, 4 columns of each side by side. Units of up to 8 times 16 rows lie together a
// column step, so that 8 independent sums hide the latency of the instruction and the weights are read front to back.
//
// Of four bits, a unit holds 4 columns in the lower halves of its bytes and the next 4 in the upper ones; each half is
// made 16 w where it is (recurrent_step/avx512vnni.cc), and 16 times the sum of a chunk of columns is divided at its
// end.
#if defined(__x86_64__)

#include <immintrin.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "quaver/kernels/dispatch/nibbles.h"
#include "quaver/kernels/matvec/paths.h"

namespace quaver {
namespace {

using enum WeightFormatId;

constexpr std::size_t kUnitBytes = 64;  // 16 rows x 4 columns
template <WeightFormatId kFormat>
constexpr std::size_t kColumnStep = kFormat == kI4 ? 8 : 4;
constexpr std::size_t kBlockUnits = 8;    // units of 16 rows side by side; the last block may hold fewer
constexpr std::size_t kChunkCols = 4096;  // columns made unsigned at once, on the stack
static_assert(kRowBlock == 16 && kChunkCols % kUnitBytes == 0);

template <WeightFormatId kFormat>
AlignedVector<std::int8_t> pack(MatrixView<const std::int8_t> weights) {
  const auto weight = [&](std::size_t r, std::size_t c) {
    return r < weights.rows() && c < weights.cols() ? weights(r, c) : std::int8_t{0};
  };
  const std::size_t rows = padded_rows(weights.rows()), units = rows / kRowBlock;
  AlignedVector<std::int8_t> packed;
  packed.reserve(rows * (weights.cols() + kUnitBytes + sizeof(std::int32_t)));
  for (std::size_t block = 0; block < units; block += kBlockUnits) {
    const std::size_t end = block + kBlockUnits < units ? block + kBlockUnits : units;
    for (std::size_t first = 0; first < weights.cols(); first += kColumnStep<kFormat>) {
      for (std::size_t r = block * kRowBlock; r < end * kRowBlock; ++r) {
        for (std::size_t c = first; c < first + 4; ++c)
          packed.push_back(kFormat == kI4 ? pair_of_nibbles(weight(r, c), weight(r, c + 4), kTwosComplement)
                                          : weight(r, c));
      }
    }
  }
  for (std::size_t r = 0; r < rows; ++r) {
    std::int32_t sum = 0;
    if (r < weights.rows()) {
      for (const std::int8_t w : weights.row(r)) sum += w;
    }
    const std::int32_t offset = -128 * sum;
    const std::size_t at = packed.size();
    packed.resize(at + sizeof(offset));
    std::memcpy(packed.data() + at, &offset, sizeof(offset));
  }
  return packed;
}

#include "quaver/kernels/dispatch/begin_avx512vnni.inc"

// x + 128 as unsigned bytes, up to a whole vector: what lies beyond the last column meets weights of 0.
void make_unsigned(const std::int8_t* x, std::size_t cols, std::uint8_t* bytes) {
  const __m512i offset = _mm512_set1_epi8(static_cast<char>(-128));
  for (std::size_t c = 0; c < cols; c += 64) {
    const __mmask64 there = cols - c >= 64 ? ~__mmask64{0} : (__mmask64{1} << (cols - c)) - 1;
    _mm512_store_si512(bytes + c, _mm512_xor_si512(_mm512_maskz_loadu_epi8(there, x + c), offset));
  }
}

inline __m512i four_columns(const std::uint8_t* x) {
  int four;
  __builtin_memcpy(&four, x, sizeof(four));
  return _mm512_set1_epi32(four);
}

// acc += sum over cols for kUnits x 16 rows; cols is a multiple of the column step.
template <WeightFormatId kFormat, std::size_t kUnits>
void run_block(const std::int8_t* packed, std::size_t cols, const std::uint8_t* x, std::int32_t* acc) {
  const __m512i upper = _mm512_set1_epi8(static_cast<char>(0xf0));
  __m512i sum[kUnits];
  for (std::size_t u = 0; u < kUnits; ++u)
    sum[u] = kFormat == kI4 ? _mm512_setzero_si512() : _mm512_loadu_si512(acc + 16 * u);
  for (std::size_t c = 0; c < cols; c += kColumnStep<kFormat>, packed += kUnits * kUnitBytes) {
    const __m512i xx = four_columns(x + c);
    for (std::size_t u = 0; u < kUnits; ++u) {
      const __m512i w = _mm512_load_si512(packed + u * kUnitBytes);
      sum[u] = _mm512_dpbusd_epi32(sum[u], xx, kFormat == kI4 ? _mm512_and_si512(_mm512_slli_epi16(w, 4), upper) : w);
    }
    if constexpr (kFormat != kI4) continue;
    const __m512i next = four_columns(x + c + 4);
    for (std::size_t u = 0; u < kUnits; ++u)
      sum[u] = _mm512_dpbusd_epi32(sum[u], next, _mm512_and_si512(_mm512_load_si512(packed + u * kUnitBytes), upper));
  }
  for (std::size_t u = 0; u < kUnits; ++u) {
    if constexpr (kFormat == kI4)
      sum[u] = _mm512_add_epi32(_mm512_loadu_si512(acc + 16 * u), _mm512_srai_epi32(sum[u], 4));
    _mm512_storeu_si512(acc + 16 * u, sum[u]);
  }
}

template <WeightFormatId kFormat>
void run_units(std::size_t units, const std::int8_t* packed, std::size_t cols, const std::uint8_t* x,
               std::int32_t* acc) {
  switch (units) {
    case 1: return run_block<kFormat, 1>(packed, cols, x, acc);
    case 2: return run_block<kFormat, 2>(packed, cols, x, acc);
    case 3: return run_block<kFormat, 3>(packed, cols, x, acc);
    case 4: return run_block<kFormat, 4>(packed, cols, x, acc);
    case 5: return run_block<kFormat, 5>(packed, cols, x, acc);
    case 6: return run_block<kFormat, 6>(packed, cols, x, acc);
    case 7: return run_block<kFormat, 7>(packed, cols, x, acc);
    default: return run_block<kFormat, 8>(packed, cols, x, acc);
  }
}

template <WeightFormatId kFormat>
void run_blocks(const std::int8_t* packed, std::size_t rows, std::size_t cols, const std::int8_t* x,
                const std::int32_t* bias, std::int32_t* acc) {
  alignas(64) std::uint8_t bytes[kChunkCols];
  const std::size_t units = (rows + kRowBlock - 1) / kRowBlock;
  constexpr std::size_t kStep = kColumnStep<kFormat>, kColumnsAByte = kFormat == kI4 ? 2 : 1;
  const std::size_t width = (cols + kStep - 1) / kStep * kStep;
  const std::int8_t* offsets = packed + units * kRowBlock * width / kColumnsAByte;
  for (std::size_t u = 0; u < units; ++u)
    _mm512_storeu_si512(acc + 16 * u,
                        _mm512_add_epi32(_mm512_loadu_si512(bias + 16 * u), _mm512_loadu_si512(offsets + 64 * u)));
  for (std::size_t first = 0; first < cols; first += kChunkCols) {
    const std::size_t here = cols - first < kChunkCols ? cols - first : kChunkCols;
    const std::size_t chunk = width - first < kChunkCols ? width - first : kChunkCols;
    make_unsigned(x + first, here, bytes);
    for (std::size_t unit = 0; unit < units; unit += kBlockUnits) {
      const std::size_t together = units - unit < kBlockUnits ? units - unit : kBlockUnits;
      const std::size_t weights_before = unit * kRowBlock * width + first * together * kRowBlock;
      run_units<kFormat>(together, packed + weights_before / kColumnsAByte, chunk, bytes, acc + unit * kRowBlock);
    }
  }
}

#include "quaver/kernels/dispatch/end_target.inc"

template <WeightFormatId kFormat>
void run(const std::int8_t* packed, std::size_t rows, std::size_t cols, const std::int8_t* x, const std::int32_t* bias,
         std::int32_t* acc) noexcept {
  run_blocks<kFormat>(packed, rows, cols, x, bias, acc);
}

}  // namespace

const MatvecPath kAvx512VnniMatvec{Isa::kAvx512Vnni, {{pack<kI8>, run<kI8>}, {{kI4, {pack<kI4>, run<kI4>}}}}};

}  // namespace quaver

#endif
