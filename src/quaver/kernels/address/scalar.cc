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

void split(const std::int16_t* codes, const MoveRule& rule, AddressQuery& query) noexcept {
  for (std::size_t j = 0; j < row_stride(query.d()); ++j) {
    const std::int32_t magnitude = std::abs(std::int32_t{codes[j]});
    const std::int32_t moved = rule.shift >= 0 ? magnitude << rule.shift : magnitude >> -rule.shift;
    query.magnitude()[j] = static_cast<std::uint8_t>(std::min(moved, rule.limit));
    query.sign()[j] = codes[j] < 0 ? 255 : 0;
  }
}

void narrow(const std::int16_t* codes, AddressQuery& query) noexcept {
  for (std::size_t j = 0; j < row_stride(query.d()); ++j) query.codes()[j] = static_cast<std::int8_t>(codes[j]);
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
    const std::int32_t u = query.sign()[j] != 0 ? -query.magnitude()[j] : query.magnitude()[j];
    return truncated_product(code, u, rule.fraction, rule.limit);
  };
  sum_terms(packed, blocks, query.d(), rule.end, term, similarity);
}

void exact(const std::int8_t* packed, std::size_t blocks, const AddressQuery& query,
           std::int32_t* similarity) noexcept {
  const auto term = [&](std::int32_t code, std::size_t j) { return code * query.codes()[j]; };
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

void sum_rows(const std::int8_t* const* rows, std::size_t count, std::size_t n, std::int16_t* sums) noexcept {
  for (std::size_t j = 0; j < n; ++j) {
    std::int32_t sum = 0;
    for (std::size_t row = 0; row < count; ++row) sum += rows[row][j];
    sums[j] = static_cast<std::int16_t>(sum);
  }
}

std::int32_t coded(std::int32_t sum, const SumRule& rule) {
  const std::int32_t code = std::clamp(sum, -rule.limit, rule.limit);
  const std::int32_t moved = rule.shift >= 0 ? code * (1 << rule.shift) : truncating_shift(code, -rule.shift);
  return std::clamp(moved, -rule.final_limit, rule.final_limit);
}

std::int8_t code_of(const FactSums& from, std::size_t fact, std::size_t j, const SumRule& rule) {
  const std::int8_t* ages = from.ages + static_cast<std::ptrdiff_t>(fact) * from.age_stride;
  return static_cast<std::int8_t>(coded(from.sums[fact * from.sum_stride + j] + ages[j], rule));
}

void code_rows(const FactSums& from, std::size_t facts, std::size_t n, const SumRule& rule,
               std::int8_t* rows) noexcept {
  for (std::size_t fact = 0; fact < facts; ++fact)
    for (std::size_t j = 0; j < n; ++j) rows[fact * n + j] = code_of(from, fact, j, rule);
}

void code_packed(const FactSums& from, std::size_t facts, std::size_t d, const SumRule& rule,
                 std::int8_t* packed) noexcept {
  std::fill_n(packed, fact_blocks(facts) * block_bytes(d), std::int8_t{0});
  for (std::size_t fact = 0; fact < facts; ++fact) {
    std::int8_t* to = packed + fact / kFactBlock * block_bytes(d) + fact % kFactBlock * kCodeGroup;
    for (std::size_t j = 0; j < d; ++j)
      to[j / kCodeGroup * kFactBlock * kCodeGroup + j % kCodeGroup] = code_of(from, fact, j, rule);
  }
}

void add_limited(const std::int32_t* sums, const SumRule& rule, const std::int32_t* more, std::int32_t limit,
                 std::size_t n, std::int16_t* codes) noexcept {
  for (std::size_t j = 0; j < n; ++j) {
    const std::int32_t sum = coded(sums[j], rule) + std::clamp(more[j], -limit, limit);
    codes[j] = static_cast<std::int16_t>(std::clamp(sum, -limit, limit));
  }
}

std::size_t find(const std::int32_t* values, std::size_t n, std::int32_t value) noexcept {
  return static_cast<std::size_t>(std::find(values, values + n, value) - values);
}

std::int32_t largest(const std::int32_t* values, std::size_t n) noexcept {
  return *std::max_element(values, values + n);
}

}  // namespace

const AddressPath kScalarAddress{Isa::kScalar, split,    narrow,    hamming,     truncated,   exact, agreement,
                                 read,         sum_rows, code_rows, code_packed, add_limited, find,  largest};

}  // namespace quaver
