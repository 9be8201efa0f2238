// Products: avx512_products.inc. pack() appends the constants of the rows, -128 sum w, to the weights; the sum is mod
// 2^32 and exact (A15).
//
// The packed unit is 64 bytes: 16 rows, 4 columns of each side by side. Units of up to 8 times 16 rows lie together a
// column step, so that 8 independent sums hide the latency of the instruction and the weights are read front to back.
// Of four bits, a unit holds 4 columns in the lower halves of its bytes and the next 4 in the upper ones. Of two bits
// or one, blocks have 16 rows (packed_order.h).
#if defined(__x86_64__)

#include <immintrin.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "quaver/kernels/dispatch/packed_order.h"
#include "quaver/kernels/dispatch/unrolled.h"
#include "quaver/kernels/matvec/paths.h"

namespace quaver {
namespace {

using enum WeightFormatId;

constexpr std::size_t kUnitBytes = 64;    // 16 rows x plane_columns()
constexpr std::size_t kBlockUnits = 8;    // units of 16 rows side by side; the last block may hold fewer
constexpr std::size_t kChunkCols = 4096;  // columns made unsigned at once, on the stack
static_assert(kRowBlock == 16 && kChunkCols % kUnitBytes == 0);

template <WeightFormatId kFormat>
AlignedVector<std::int8_t> pack_weights(MatrixView<const std::int8_t> weights) {
  if constexpr (has_planes(kFormat))
    return pack_planes({.weights = weights, .gates = 1, .block = kRowBlock, .order = UnitOrder::kPlain}, kFormat);
  const auto weight = [&](std::size_t r, std::size_t c) {
    return r < weights.rows() && c < weights.cols() ? weights(r, c) : std::int8_t{0};
  };
  const std::size_t units = padded_rows(weights.rows()) / kRowBlock;
  AlignedVector<std::int8_t> packed;
  packed.reserve(units * kUnitBytes * (weights.cols() / plane_columns(kFormat) + 2));  // with the constants
  for (std::size_t block = 0; block < units; block += kBlockUnits) {
    const std::size_t end = block + kBlockUnits < units ? block + kBlockUnits : units;
    for (std::size_t first = 0; first < weights.cols(); first += plane_columns(kFormat)) {
      for (std::size_t r = block * kRowBlock; r < end * kRowBlock; ++r) {
        for (std::size_t c = first; c < first + 4; ++c)
          packed.push_back(kFormat == kI4 ? pair_of_nibbles(weight(r, c), weight(r, c + 4), kTwosComplement)
                                          : weight(r, c));
      }
    }
  }
  return packed;
}

template <WeightFormatId kFormat>
AlignedVector<std::int8_t> pack(MatrixView<const std::int8_t> weights) {
  AlignedVector<std::int8_t> packed = pack_weights<kFormat>(weights);
  std::size_t at = packed.size();
  packed.resize(at + padded_rows(weights.rows()) * sizeof(std::int32_t));
  for (std::size_t r = 0; r < weights.rows(); ++r, at += sizeof(std::int32_t)) {
    std::int32_t offset = 0;
    for (const std::int8_t w : weights.row(r)) offset -= 128 * w;
    std::memcpy(packed.data() + at, &offset, sizeof(offset));
  }
  return packed;
}

#include "quaver/kernels/dispatch/begin_avx512vnni.inc"

#include "quaver/kernels/dispatch/avx512_products.inc"

// acc += w (x + 128) over cols for kUnits x 16 rows.
template <WeightFormatId kFormat, std::size_t kUnits>
void run_block(const std::int8_t* packed, std::size_t cols, const std::byte* x, std::int32_t* acc) {
  __m512i sum[kUnits];
  for (std::size_t u = 0; u < kUnits; ++u)
    sum[u] = kFormat == kI4 ? _mm512_setzero_si512() : _mm512_loadu_si512(acc + 16 * u);
  if constexpr (has_planes(kFormat)) add_planes<kFormat>(packed, x, cols, sum);
  for (std::size_t c = 0; !has_planes(kFormat) && c < cols;
       c += plane_columns(kFormat), packed += kUnits * kUnitBytes) {
    const __m512i xx = four_columns(x + c);
    for (std::size_t u = 0; u < kUnits; ++u) {
      const __m512i w = _mm512_load_si512(packed + u * kUnitBytes);
      add_products(sum[u], xx, kFormat == kI4 ? lower_nibbles(w) : w);
    }
    if constexpr (kFormat != kI4) continue;
    const __m512i next = four_columns(x + c + 4);
    for (std::size_t u = 0; u < kUnits; ++u)
      add_products(sum[u], next, upper_nibbles(_mm512_load_si512(packed + u * kUnitBytes)));
  }
  for (std::size_t u = 0; u < kUnits; ++u) {
    if constexpr (kFormat == kI4)
      sum[u] = _mm512_add_epi32(_mm512_loadu_si512(acc + 16 * u), _mm512_srai_epi32(sum[u], 4));
    _mm512_storeu_si512(acc + 16 * u, sum[u]);
  }
}

template <WeightFormatId kFormat>
void run_units(std::size_t units, const std::int8_t* packed, std::size_t cols, const std::byte* x, std::int32_t* acc) {
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
  alignas(64) std::byte codes[kChunkCols];
  constexpr std::size_t kColumns = plane_columns(kFormat), kBlock = has_planes(kFormat) ? 1 : kBlockUnits;
  const std::size_t blocks = (rows + kRowBlock - 1) / kRowBlock, units = (cols + kColumns - 1) / kColumns;
  const std::int8_t* offsets = packed + blocks * units * kUnitBytes;
  for (std::size_t b = 0; b < blocks; ++b)
    _mm512_storeu_si512(acc + 16 * b,
                        _mm512_add_epi32(_mm512_loadu_si512(bias + 16 * b), _mm512_loadu_si512(offsets + 64 * b)));
  for (std::size_t first = 0; first < cols; first += kChunkCols) {
    const std::size_t chunk = cols - first < kChunkCols ? cols - first : kChunkCols;
    make_unsigned(x + first, chunk, codes);
    for (std::size_t b = 0; b < blocks; b += kBlock) {
      const std::size_t together = blocks - b < kBlock ? blocks - b : kBlock;
      const std::int8_t* weights = packed + (b * units + first / kColumns * together) * kUnitBytes;
      if constexpr (has_planes(kFormat)) {
        run_block<kFormat, 1>(weights, chunk, codes, acc + b * kRowBlock);
      } else {
        run_units<kFormat>(together, weights, chunk, codes, acc + b * kRowBlock);
      }
    }
  }
}

#include "quaver/kernels/dispatch/end_target.inc"

template <WeightFormatId kFormat>
void run(const std::int8_t* packed, std::size_t rows, std::size_t cols, const std::int8_t* x, const std::int32_t* bias,
         std::int32_t* acc) noexcept {
  run_blocks<kFormat>(packed, rows, cols, x, bias, acc);
}

template <WeightFormatId kFormat>
constexpr MatvecProduct kProduct{pack<kFormat>, run<kFormat>};

}  // namespace

const MatvecPath kAvx512VnniMatvec{Isa::kAvx512Vnni,
                                   {kProduct<kI8>,
                                    {{kI4, kProduct<kI4>},
                                     {kTernary, kProduct<kTernary>},
                                     {kQuaternary, kProduct<kQuaternary>},
                                     {kBinary, kProduct<kBinary>}}}};

}  // namespace quaver

#endif
