// Two rows share one load, one widening and one of two products.
//
// The packed unit is 32 bytes for 16 rows and 2 columns: 16 lanes of 16 bits, lane 2 i + p holding
//     v = 256 W[i, c + p] + (W[i + 8, c + p] + 128),   i = 0..7, p = 0..1,
// a signed high byte over an unsigned low byte. vpmaddwd against the broadcast pair (x[c], x[c+1]) then sums over c:
//     both = sum v x        = 256 upper + lower + 128 sum x      (mod 2^32)
//     upper = sum (v >> 8) x
// and lower = both - 256 upper - 128 sum x. All of it is arithmetic mod 2^32, which is exact because A13 keeps the
// final sums inside int32, whatever the parts pass through. Per 32 weights that is one shift, two products and two
// additions; sign-extending every byte (vpmovsxbw) takes two of each. No horizontal sum, no saturating byte product.
//
// The inner loop keeps 32 rows in four registers and takes 4 columns a turn: fewer leave the adders waiting, more
// spill.
//
// Of four bits, the packed unit is 32 bytes for 8 rows and 8 columns, w + 8: 4 columns in the lower halves of the
// bytes, the next 4 in the upper ones. vpmaddubsw adds two products of at most 15 * 128, so nothing saturates, and sum
// w x = sum (w + 8) x - 8 sum x.
#if defined(__x86_64__)

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "quaver/kernels/dispatch/nibbles.h"
#include "quaver/kernels/matvec/paths.h"

namespace quaver {
namespace {

using enum WeightFormatId;

constexpr std::size_t kUnitBytes = 32;    // 16 rows x 2 columns
constexpr std::size_t kColumnStep = 4;    // columns a turn, the packed width is a multiple of it
constexpr std::size_t kBlockUnits = 2;    // units of 16 rows side by side; the last block may hold one
constexpr std::size_t kChunkCols = 1024;  // columns widened at once, on the stack
static_assert(kRowBlock == 16 && kChunkCols % kColumnStep == 0);

constexpr std::size_t padded_cols(std::size_t cols) { return (cols + kColumnStep - 1) / kColumnStep * kColumnStep; }

AlignedVector<std::int8_t> pack(MatrixView<const std::int8_t> weights) {
  const auto weight = [&](std::size_t r, std::size_t c) -> std::int8_t {
    return r < weights.rows() && c < weights.cols() ? weights(r, c) : std::int8_t{0};
  };
  const std::size_t units = padded_rows(weights.rows()) / kRowBlock;
  AlignedVector<std::int8_t> packed;
  packed.reserve(units * kRowBlock * padded_cols(weights.cols()));
  for (std::size_t block = 0; block < units; block += kBlockUnits) {
    const std::size_t end = block + kBlockUnits < units ? block + kBlockUnits : units;
    for (std::size_t c = 0; c < padded_cols(weights.cols()); c += 2) {
      for (std::size_t unit = block; unit < end; ++unit) {
        for (std::size_t lane = 0; lane < kRowBlock; ++lane) {
          const std::size_t upper_row = unit * kRowBlock + lane / 2;
          packed.push_back(static_cast<std::int8_t>(weight(upper_row + 8, c + lane % 2) ^ -128));  // + 128, unsigned
          packed.push_back(weight(upper_row, c + lane % 2));
        }
      }
    }
  }
  return packed;
}

constexpr std::size_t kNibbleRows = 8, kNibbleColumns = 8;

AlignedVector<std::int8_t> pack_nibbles(MatrixView<const std::int8_t> weights) {
  const auto weight = [&](std::size_t r, std::size_t c) -> std::int8_t {
    return r < weights.rows() && c < weights.cols() ? weights(r, c) : std::int8_t{0};
  };
  AlignedVector<std::int8_t> packed;
  for (std::size_t block = 0; block < padded_rows(weights.rows()); block += kRowBlock) {
    for (std::size_t first = 0; first < weights.cols(); first += kNibbleColumns) {
      for (std::size_t r = block; r < block + kRowBlock; ++r) {
        for (std::size_t c = first; c < first + 4; ++c)
          packed.push_back(pair_of_nibbles(weight(r, c), weight(r, c + 4), kPlusEight));
      }
    }
  }
  return packed;
}

#include "quaver/kernels/dispatch/begin_avx2.inc"

inline __m256i load(const void* from) { return _mm256_loadu_si256(static_cast<const __m256i*>(from)); }
inline void store(void* to, __m256i value) { _mm256_storeu_si256(static_cast<__m256i*>(to), value); }

inline __m256i broadcast(const void* four_bytes) {
  int four;
  __builtin_memcpy(&four, four_bytes, sizeof(four));
  return _mm256_set1_epi32(four);
}

// Writes x as int16, zeros up to a whole column step, and returns the sum of x.
std::int32_t widen(const std::int8_t* x, std::size_t cols, std::int16_t* wide) {
  const __m256i ones = _mm256_set1_epi16(1);
  __m256i sums = _mm256_setzero_si256();
  std::size_t c = 0;
  for (; c + 16 <= cols; c += 16) {
    const __m256i codes = _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(x + c)));
    store(wide + c, codes);
    sums = _mm256_add_epi32(sums, _mm256_madd_epi16(codes, ones));
  }
  std::int32_t lanes[8];
  store(lanes, sums);
  std::int32_t sum = 0;
  for (const std::int32_t lane : lanes) sum += lane;
  for (; c < cols; ++c) {
    wide[c] = x[c];
    sum += x[c];
  }
  for (; c % kColumnStep != 0; ++c) wide[c] = 0;
  return sum;
}

// acc = start + W x for kUnits x 16 rows; cols is a multiple of the column step.
template <std::size_t kUnits>
void run_block(const std::int8_t* packed, std::size_t cols, const std::int16_t* x, std::int32_t sum_x,
               const std::int32_t* start, std::int32_t* acc) {
  __m256i both[kUnits], upper[kUnits];
  for (std::size_t u = 0; u < kUnits; ++u) both[u] = upper[u] = _mm256_setzero_si256();
  for (std::size_t c = 0; c < cols; c += kColumnStep) {
    for (std::size_t pair = 0; pair < kColumnStep; pair += 2) {
      const __m256i xx = broadcast(x + c + pair);
      for (std::size_t u = 0; u < kUnits; ++u, packed += kUnitBytes) {
        const __m256i v = load(packed);
        both[u] = _mm256_add_epi32(both[u], _mm256_madd_epi16(v, xx));
        upper[u] = _mm256_add_epi32(upper[u], _mm256_madd_epi16(_mm256_srai_epi16(v, 8), xx));
      }
    }
  }
  const __m256i offset = _mm256_slli_epi32(_mm256_set1_epi32(sum_x), 7);
  for (std::size_t u = 0; u < kUnits; ++u) {
    const __m256i lower = _mm256_sub_epi32(_mm256_sub_epi32(both[u], _mm256_slli_epi32(upper[u], 8)), offset);
    store(acc + 16 * u, _mm256_add_epi32(load(start + 16 * u), upper[u]));
    store(acc + 16 * u + 8, _mm256_add_epi32(load(start + 16 * u + 8), lower));
  }
}

void run_blocks(const std::int8_t* packed, std::size_t rows, std::size_t cols, const std::int8_t* x,
                const std::int32_t* bias, std::int32_t* acc) {
  alignas(32) std::int16_t wide[kChunkCols];
  const std::size_t units = (rows + kRowBlock - 1) / kRowBlock;
  const std::size_t width = (cols + kColumnStep - 1) / kColumnStep * kColumnStep;
  for (std::size_t first = 0; first == 0 || first < cols; first += kChunkCols) {
    const std::size_t here = cols - first < kChunkCols ? cols - first : kChunkCols;
    const std::size_t chunk = width - first < kChunkCols ? width - first : kChunkCols;
    const std::int32_t sum_x = widen(x + first, here, wide);
    const std::int32_t* start = first == 0 ? bias : acc;
    std::size_t unit = 0;
    for (; unit + kBlockUnits <= units; unit += kBlockUnits) {
      run_block<kBlockUnits>(packed + unit * kRowBlock * width + first * kBlockUnits * kRowBlock, chunk, wide, sum_x,
                             start + unit * kRowBlock, acc + unit * kRowBlock);
    }
    if (unit < units) {
      run_block<1>(packed + unit * kRowBlock * width + first * kRowBlock, chunk, wide, sum_x, start + unit * kRowBlock,
                   acc + unit * kRowBlock);
    }
  }
}

// acc = start + W x for 16 rows; cols is a multiple of 8.
inline void run_nibble_block(const std::int8_t* packed, std::size_t cols, const std::int8_t* x,
                             const std::int32_t* start, std::int32_t* acc) {
  const __m256i lower = _mm256_set1_epi8(0x0f), ones = _mm256_set1_epi16(1);
  __m256i sum[2] = {load(start), load(start + kNibbleRows)}, sum_x = _mm256_setzero_si256();
  for (std::size_t c = 0; c < cols; c += kNibbleColumns) {
    const __m256i xx = broadcast(x + c), next = broadcast(x + c + 4);
    const __m256i eights = _mm256_set1_epi8(8);
    sum_x = _mm256_add_epi32(
        sum_x, _mm256_madd_epi16(_mm256_add_epi16(_mm256_maddubs_epi16(eights, xx), _mm256_maddubs_epi16(eights, next)),
                                 ones));
    for (std::size_t u = 0; u < 2; ++u, packed += kUnitBytes) {
      const __m256i v = load(packed);
      const __m256i pairs =
          _mm256_add_epi16(_mm256_maddubs_epi16(_mm256_and_si256(v, lower), xx),
                           _mm256_maddubs_epi16(_mm256_and_si256(_mm256_srli_epi16(v, 4), lower), next));
      sum[u] = _mm256_add_epi32(sum[u], _mm256_madd_epi16(pairs, ones));
    }
  }
  for (std::size_t u = 0; u < 2; ++u) store(acc + kNibbleRows * u, _mm256_sub_epi32(sum[u], sum_x));
}

void run_nibble_blocks(const std::int8_t* packed, std::size_t rows, std::size_t cols, const std::int8_t* x,
                       const std::int32_t* bias, std::int32_t* acc) {
  const std::size_t whole = cols / kNibbleColumns * kNibbleColumns;
  std::int8_t last[kNibbleColumns] = {};  // the columns after `whole`, zeros behind them
  for (std::size_t c = whole; c < cols; ++c) last[c - whole] = x[c];
  for (std::size_t r = 0; r < rows; r += kRowBlock) {
    run_nibble_block(packed, whole, x, bias + r, acc + r);
    packed += kRowBlock * whole / 2;
    if (whole == cols) continue;
    run_nibble_block(packed, kNibbleColumns, last, acc + r, acc + r);
    packed += kRowBlock * kNibbleColumns / 2;
  }
}

#include "quaver/kernels/dispatch/end_target.inc"

void run_nibbles(const std::int8_t* packed, std::size_t rows, std::size_t cols, const std::int8_t* x,
                 const std::int32_t* bias, std::int32_t* acc) noexcept {
  run_nibble_blocks(packed, rows, cols, x, bias, acc);
}

void run(const std::int8_t* packed, std::size_t rows, std::size_t cols, const std::int8_t* x, const std::int32_t* bias,
         std::int32_t* acc) noexcept {
  run_blocks(packed, rows, cols, x, bias, acc);
}

}  // namespace

const MatvecPath kAvx2Matvec{Isa::kAvx2, {{pack, run}, {{kI4, {pack_nibbles, run_nibbles}}}}};

}  // namespace quaver

#endif
