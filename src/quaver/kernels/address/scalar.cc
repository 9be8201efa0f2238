#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "quaver/fixed/sign_magnitude.h"
#include "quaver/kernels/address/paths.h"

namespace quaver {
namespace {

// similarity[row] = clamp(sum_j term(code, j)), rows and codes in the order of the packing.
template <typename Term>
void sum_terms(const std::int8_t* packed, std::size_t blocks, std::size_t d, std::int32_t end, const Term& term,
               std::int32_t* similarity) {
  for (std::size_t block = 0; block < blocks; ++block) {
    for (std::size_t i = 0; i < kFactBlock; ++i) {
      const std::int8_t* row = packed + block * block_bytes(d) + i * kCodeGroup;
      std::int32_t sum = 0;
      for (std::size_t group = 0; group < code_groups(d); ++group, row += kFactBlock * kCodeGroup) {
        const std::size_t first = group * kCodeGroup;
        for (std::size_t k = 0; k < kCodeGroup && first + k < d; ++k) sum += term(row[k], first + k);
      }
      similarity[block * kFactBlock + i] = std::clamp(sum, -end, end);
    }
  }
}

std::int32_t query_code(const AddressQuery& query, std::size_t j) {
  return j % 2 == 0 ? query.even()[j / 2] : query.odd()[j / 2];
}

void hamming(const std::int8_t* packed, std::size_t blocks, const AddressQuery& query, const HammingRule& rule,
             std::int32_t* similarity) noexcept {
  const auto term = [&](std::int32_t code, std::size_t j) {
    const std::int32_t a = std::min(std::abs(code) << rule.doublings, rule.fine_limit), b = query.magnitude()[j];
    const bool same_sign = (code < 0) == (query.sign()[j] != 0);
    const std::int32_t delta = (same_sign ? std::abs(a - b) : a + b) >> rule.cut;
    const std::int32_t bits = rule.limit - std::min(delta, rule.limit);
    return same_sign ? bits : -bits;
  };
  sum_terms(packed, blocks, query.d(), rule.end, term, similarity);
}

void truncated(const std::int8_t* packed, std::size_t blocks, const AddressQuery& query, const TruncationRule& rule,
               std::int32_t* similarity) noexcept {
  const auto term = [&](std::int32_t code, std::size_t j) {
    return truncated_product(code, query_code(query, j), rule.fraction, rule.limit);
  };
  sum_terms(packed, blocks, query.d(), rule.end, term, similarity);
}

void exact(const std::int8_t* packed, std::size_t blocks, const AddressQuery& query,
           std::int32_t* similarity) noexcept {
  const auto term = [&](std::int32_t code, std::size_t j) { return code * query_code(query, j); };
  sum_terms(packed, blocks, query.d(), 0x7fffffff, term, similarity);
}

void agreement(const std::uint64_t* packed, std::size_t blocks, const AddressQuery& query,
               std::int32_t* similarity) noexcept {
  for (std::size_t block = 0; block < blocks; ++block) {
    for (std::size_t i = 0; i < kBitBlock; ++i) {
      const std::uint64_t* row = packed + block * bit_words(query.d()) * kBitBlock + i;
      int differing = 0;
      for (std::size_t word = 0; word < bit_words(query.d()); ++word)
        differing += std::popcount(row[word * kBitBlock] ^ query.bits()[word]);
      similarity[block * kBitBlock + i] = static_cast<std::int32_t>(query.d()) - 2 * differing;
    }
  }
}

void read(const std::int8_t* rows, std::size_t stride, const std::uint32_t* which, const std::int16_t* weights,
          std::size_t count, const TruncationRule& rule, std::int32_t* sums) noexcept {
  for (std::size_t n = 0; n < count; ++n) {
    const std::int8_t* row = rows + which[n] * stride;
    for (std::size_t j = 0; j < stride; ++j)
      sums[j] += truncated_product(row[j], weights[n], rule.fraction, rule.limit);
  }
}

void accumulate(const std::int8_t* const* rows, std::size_t count, std::size_t n, std::int32_t* sums) noexcept {
  for (std::size_t row = 0; row < count; ++row)
    for (std::size_t j = 0; j < n; ++j) sums[j] += rows[row][j];
}

void finish(const std::int32_t* sums, const std::int8_t* more, std::size_t n, const SumRule& rule,
            std::int8_t* codes) noexcept {
  for (std::size_t j = 0; j < n; ++j) {
    const std::int32_t code = std::clamp(sums[j] + more[j], -rule.limit, rule.limit);
    const std::int32_t moved = rule.shift >= 0 ? code * (1 << rule.shift) : truncating_shift(code, -rule.shift);
    codes[j] = static_cast<std::int8_t>(std::clamp(moved, -rule.final_limit, rule.final_limit));
  }
}

}  // namespace

const AddressPath kScalarAddress{Isa::kScalar, hamming, truncated, exact, agreement, read, accumulate, finish};

}  // namespace quaver
