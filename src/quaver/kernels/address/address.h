// address.h - one query against many rows of codes, and a weighted sum of rows: what a memory network does all day.
//
// A row is a stored fact (or a row of a weight matrix), d codes of 8 bits. Similarities read rows packed so that no
// path sums across lanes: 16 rows side by side, 4 codes each,
//
//   packed byte (b ceil(d / 4) + g) 64 + 4 i + k = row 16 b + i, code 4 g + k;      0 beyond the last row and code
//
//   hamming     s_i = clamp(sum_j sgn(m) sgn(u) (L - min(Delta_ij, L)))    weighted Hamming similarity             (M5)
//   truncated   s_i = clamp(sum_j clamp(trunc(m_ij u_j / 2^fraction)))     every product cut before it is summed   (M2)
//   exact       s_i = sum_j m_ij u_j
//   agreement   s_i = d - 2 popcount(m_i xor u)                            both +-1, a bit each: xnor and popcount
//   read        o_j += sum_n clamp(trunc(c_(i_n) j w_n / 2^fraction))      rows i_n with their weights             (F3)
//
// Before that, facts become such rows: parts of words are summed in 16 bits, the part of the fact's age is added, the
// sum becomes a code, and the codes of 16 facts are laid side by side. (F1)
//
// Formulas: fixed/sign_magnitude.h and docs/cells/memn2n.md. Results are equal on all paths. No function allocates.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "quaver/core/aligned.h"
#include "quaver/kernels/dispatch/dispatch.h"

namespace quaver {

inline constexpr std::size_t kFactBlock = 16;           // rows side by side
inline constexpr std::size_t kCodeGroup = 4;            // codes of a row side by side
inline constexpr std::size_t kBitBlock = 8;             // rows side by side where a code is a bit
inline constexpr std::size_t kRowAlignment = 32;        // codes; rows that are read start at multiples of it
inline constexpr std::size_t kMaxAddressCodes = 65536;  // d: keeps every sum inside int32

constexpr std::size_t code_groups(std::size_t d) { return (d + kCodeGroup - 1) / kCodeGroup; }
constexpr std::size_t fact_blocks(std::size_t rows) { return (rows + kFactBlock - 1) / kFactBlock; }
constexpr std::size_t block_bytes(std::size_t d) { return code_groups(d) * kFactBlock * kCodeGroup; }
constexpr std::size_t row_stride(std::size_t d) { return (d + kRowAlignment - 1) / kRowAlignment * kRowAlignment; }
constexpr std::size_t bit_words(std::size_t d) { return (d + 63) / 64; }

// Row `row` of `packed`, which has a whole number of blocks. codes: [d].
void pack_row(const std::int8_t* codes, std::size_t d, std::size_t row, std::int8_t* packed) noexcept;
// Row `row` of bits, 8 rows side by side a word of 64: bit j of word j / 64 is codes[j] < 0.
void pack_bits_row(const std::int8_t* codes, std::size_t d, std::size_t row, std::uint64_t* packed) noexcept;

// A query as the similarities read it; prepared once, used for any number of blocks.
class AddressQuery {
 public:
  explicit AddressQuery(std::size_t d);
  // agreement: code < 0 is -1, else +1. codes: [d]. The other two are prepared by a path.
  void set_bits(const std::int16_t* codes) noexcept;

  std::size_t d() const { return d_; }
  // hamming, truncated: magnitude and sign, 255 where negative, else 0. [row_stride(d)]
  const std::uint8_t* magnitude() const { return magnitude_.data(); }
  const std::uint8_t* sign() const { return sign_.data(); }
  std::uint8_t* magnitude() { return magnitude_.data(); }
  std::uint8_t* sign() { return sign_.data(); }
  // exact: [row_stride(d)]
  const std::int8_t* codes() const { return codes_.data(); }
  std::int8_t* codes() { return codes_.data(); }
  const std::uint64_t* bits() const { return bits_.data(); }  // [bit_words(d)]

 private:
  std::size_t d_;
  AlignedVector<std::uint8_t> magnitude_, sign_;
  AlignedVector<std::int8_t> codes_;
  AlignedVector<std::uint64_t> bits_;
};

// (M5) How rows become what is compared. Codes of a row within -limit..limit; `doublings` bring them to the query's
// point (a shift to the left), there they end at fine_limit. Delta loses `cut` bits.
struct HammingRule {
  int doublings = 0;     // 0..7
  int fine_limit = 127;  // 1..255; <= 127 unless cut is 1
  int cut = 0;           // 0 or 1
  int limit = 127;       // L, 1..127
  std::int32_t end = 0;  // |s| is at most this
};

// (M2) How a product of a code and a query's (of the read: a code and a weight) ends; its operands are within
// -127..127, of the read also any whose product is within -32767..32767.
struct TruncationRule {
  int fraction = 0;      // 0..7: bits that a product loses, toward zero
  int limit = 127;       // 1..127, of the read 1..32767: where a product ends
  std::int32_t end = 0;  // |s| is at most this; the read has none
};

// How the sum over a fact's words becomes a code: with the part of its age added it ends at +-limit, moves by `shift`
// bits (to the right toward zero) into the format it is read in, and ends at +-final_limit there.
struct SumRule {
  int limit = 127;        // 1..127
  int shift = 0;          // -7..7
  int final_limit = 127;  // 1..127
};

// A code's magnitude moves by `shift` bits and ends at `limit`. (M3)
struct MoveRule {
  int shift = 0;  // -8..8
  int limit = 127;
};

inline constexpr std::size_t kMostSummed = 256;        // rows of bytes whose sum fits 16 bits, with an age added
inline constexpr std::int32_t kMostSum = 32767 - 127;  // |sum| before an age is added

// Facts that become codes. Fact i: sums + i sum_stride, within +-kMostSum, and ages + i age_stride.
struct FactSums {
  const std::int16_t* sums;
  std::size_t sum_stride;
  const std::int8_t* ages;
  std::ptrdiff_t age_stride;
};

struct AddressPath {
  Isa isa;
  // A query from codes [row_stride(d)], those beyond d 0. For hamming and truncated: |code| <= 255, the rule's limit at
  // most 255 and 127. For exact: codes within -128..127.
  void (*split)(const std::int16_t* codes, const MoveRule& rule, AddressQuery& query) noexcept;
  void (*narrow)(const std::int16_t* codes, AddressQuery& query) noexcept;
  // similarity: [16 blocks], those of rows that are only padding included (they mean nothing).
  void (*hamming)(const std::int8_t* packed, std::size_t blocks, const AddressQuery& query, const HammingRule& rule,
                  std::int32_t* similarity) noexcept;
  void (*truncated)(const std::int8_t* packed, std::size_t blocks, const AddressQuery& query,
                    const TruncationRule& rule, std::int32_t* similarity) noexcept;
  void (*exact)(const std::int8_t* packed, std::size_t blocks, const AddressQuery& query,
                std::int32_t* similarity) noexcept;
  // packed: blocks of 8 rows; similarity: [8 blocks].
  void (*agreement)(const std::uint64_t* packed, std::size_t blocks, const AddressQuery& query,
                    std::int32_t* similarity) noexcept;
  // rows: row i starts at i stride, a multiple of kRowAlignment; codes beyond d are 0. which, weights: [count]. Adds to
  // sums [stride]; count times the rule's limit has to stay below 2^31.
  void (*read)(const std::int8_t* rows, std::size_t stride, const std::uint32_t* which, const std::int16_t* weights,
               std::size_t count, const TruncationRule& rule, std::int32_t* sums) noexcept;
  // sums[j] = rows[0][j] + ... + rows[count - 1][j]; count <= kMostSummed, n: a multiple of kRowAlignment.
  void (*sum_rows)(const std::int8_t* const* rows, std::size_t count, std::size_t n, std::int16_t* sums) noexcept;
  // Codes of facts, [facts, n]; n: a multiple of kRowAlignment.
  void (*code_rows)(const FactSums& from, std::size_t facts, std::size_t n, const SumRule& rule,
                    std::int8_t* rows) noexcept;
  // The same packed, from row 0 of a block on; rows of the last block that are no facts become 0. Sums and ages beyond
  // d are 0, as far as row_stride(d).
  void (*code_packed)(const FactSums& from, std::size_t facts, std::size_t d, const SumRule& rule,
                      std::int8_t* packed) noexcept;
  // codes[j] = clamp(coded sums[j] + clamp(more[j])), both within +-limit <= 127; n: a multiple of kRowAlignment. (F4)
  void (*add_limited)(const std::int32_t* sums, const SumRule& rule, const std::int32_t* more, std::int32_t limit,
                      std::size_t n, std::int16_t* codes) noexcept;
  // The place of the first of n numbers that is `value`; one is.
  std::size_t (*find)(const std::int32_t* values, std::size_t n, std::int32_t value) noexcept;
  // The largest of n > 0 numbers.
  std::int32_t (*largest)(const std::int32_t* values, std::size_t n) noexcept;
};
std::span<const AddressPath> address_paths();  // row 0 is scalar
const AddressPath& address_path(Isa isa);

}  // namespace quaver
