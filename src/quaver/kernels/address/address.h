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
  // hamming: |magnitude code| <= 255 with its sign. codes: [d].
  void set_hamming(const std::int16_t* codes) noexcept;
  // truncated, exact: codes within -128..127.
  void set_codes(const std::int16_t* codes) noexcept;
  // agreement: code < 0 is -1, else +1.
  void set_bits(const std::int16_t* codes) noexcept;

  std::size_t d() const { return d_; }
  const std::uint8_t* magnitude() const { return magnitude_.data(); }  // [4 groups]
  const std::uint8_t* sign() const { return sign_.data(); }            // [4 groups], 255 where negative, else 0
  const std::int16_t* even() const { return even_.data(); }            // [2 groups], codes 0, 2, 4, ...
  const std::int16_t* odd() const { return odd_.data(); }              // [2 groups], codes 1, 3, 5, ...
  const std::uint64_t* bits() const { return bits_.data(); }           // [bit_words(d)]

 private:
  std::size_t d_;
  AlignedVector<std::uint8_t> magnitude_, sign_;
  AlignedVector<std::int16_t> even_, odd_;
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

// How the sum over a fact's words becomes a code: with the time word's part added it ends at +-limit, moves by `shift`
// bits (to the right toward zero) into the format it is read in, and ends at +-final_limit there.
struct SumRule {
  std::int32_t limit = 127;
  int shift = 0;                   // -7..7
  std::int32_t final_limit = 127;  // 1..127
};

struct AddressPath {
  Isa isa;
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
  // sums[j] += rows[0][j] + ... + rows[count - 1][j]; n: a multiple of kRowAlignment.
  void (*accumulate)(const std::int8_t* const* rows, std::size_t count, std::size_t n, std::int32_t* sums) noexcept;
  // codes[j] from sums[j] + more[j], |sum| < 2^30; n: a multiple of kRowAlignment.
  void (*finish)(const std::int32_t* sums, const std::int8_t* more, std::size_t n, const SumRule& rule,
                 std::int8_t* codes) noexcept;
};
std::span<const AddressPath> address_paths();  // row 0 is scalar
const AddressPath& address_path(Isa isa);

}  // namespace quaver
