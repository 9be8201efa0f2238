#include "quaver/kernels/address/address.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <utility>
#include <vector>

#include "quaver/fixed/sign_magnitude.h"
#include "quaver/kernels/path_cases.h"

namespace quaver {
namespace {

using testing_support::Fill;
using testing_support::filled;
using testing_support::PathCase;

constexpr std::size_t kFacts = 37;  // two whole blocks and a part of one

struct Input {
  std::size_t d;
  std::vector<std::int8_t> codes;   // [kFacts, d]
  std::vector<std::int16_t> query;  // [d]
  AlignedVector<std::int8_t> packed, rows;
  AlignedVector<std::uint64_t> bits;
  std::vector<std::uint32_t> which;
  std::vector<std::int16_t> weights;
};

// low: of the codes; query_end: of the query's; some codes are 0 so that both signs of it are met.
Input make_input(std::size_t d, Fill fill, std::int8_t low, std::int16_t query_end) {
  Random random(23 + d);
  Input in{.d = d,
           .codes = filled<std::int8_t>(fill, kFacts * d, random, low, 127),
           .query = filled<std::int16_t>(fill, d, random, static_cast<std::int16_t>(-query_end), query_end),
           .packed = {},
           .rows = {},
           .bits = {},
           .which = {},
           .weights = {}};
  for (std::size_t i = 0; i < in.codes.size(); i += 7) in.codes[i] = 0;
  for (std::size_t j = 0; j < d; j += 5) in.query[j] = 0;
  in.packed.resize(fact_blocks(kFacts) * block_bytes(d));
  in.rows.resize(kFacts * row_stride(d));
  in.bits.resize((kFacts + kBitBlock - 1) / kBitBlock * kBitBlock * bit_words(d));
  for (std::size_t i = 0; i < kFacts; ++i) {
    pack_row(in.codes.data() + i * d, d, i, in.packed.data());
    pack_bits_row(in.codes.data() + i * d, d, i, in.bits.data());
    std::copy_n(in.codes.data() + i * d, d, in.rows.data() + i * row_stride(d));
  }
  for (std::size_t n = 0; n < 300; ++n) {  // rows more than once, and more than are summed in 16 bits
    in.which.push_back(static_cast<std::uint32_t>(random.below(kFacts)));
    in.weights.push_back(fill == Fill::kRandom ? static_cast<std::int16_t>(random.between(-127, 127))
                                               : std::int16_t{127});
  }
  return in;
}

template <typename Term>
std::vector<std::int32_t> plain(const Input& in, std::int64_t end, const Term& term) {
  std::vector<std::int32_t> sums;
  for (std::size_t i = 0; i < kFacts; ++i) {
    std::int64_t sum = 0;
    for (std::size_t j = 0; j < in.d; ++j) sum += term(in.codes[i * in.d + j], in.query[j]);
    sums.push_back(static_cast<std::int32_t>(std::clamp(sum, -end, end)));
  }
  return sums;
}

std::vector<std::int16_t> padded(std::vector<std::int16_t> codes) {
  codes.resize(row_stride(codes.size()));
  return codes;
}
AddressQuery split_query(const AddressPath& path, const std::vector<std::int16_t>& codes, const MoveRule& rule) {
  AddressQuery query(codes.size());
  path.split(padded(codes).data(), rule, query);
  return query;
}
AddressQuery narrow_query(const AddressPath& path, const std::vector<std::int16_t>& codes) {
  AddressQuery query(codes.size());
  path.narrow(padded(codes).data(), query);
  return query;
}

std::vector<std::int32_t> of_facts(std::vector<std::int32_t> similarity) {
  similarity.resize(kFacts);
  return similarity;
}

class AddressPaths : public testing::TestWithParam<PathCase> {
 protected:
  void SetUp() override {
    QUAVER_SKIP_WITHOUT(GetParam().isa);
    testing_support::note_exercised("address", GetParam().isa);
  }
  const AddressPath& path() const { return address_path(GetParam().isa); }
};

TEST_P(AddressPaths, Hamming) {
  // n bits; doublings and a finer point as the formats of hops make them.
  struct Formats {
    int n, doublings, cut;
  };
  for (const Formats& formats : {Formats{8, 0, 0}, {8, 0, 1}, {8, 1, 1}, {8, 2, 1}, {8, 7, 1}, {5, 2, 1}, {2, 0, 0}}) {
    const int n = formats.n, doublings = formats.doublings, cut = formats.cut;
    const int limit = (1 << (n - 1)) - 1, fine_limit = (1 << (n - 1 + cut)) - 1;
    const SignMagnitudeFormat format{0, n - 1};
    Input in = make_input(GetParam().n, GetParam().fill, -127, static_cast<std::int16_t>(fine_limit));
    for (std::int8_t& code : in.codes) code = static_cast<std::int8_t>(std::clamp<int>(code, -limit, limit));
    for (std::size_t i = 0; i < kFacts; ++i) pack_row(in.codes.data() + i * in.d, in.d, i, in.packed.data());
    const AddressQuery query = split_query(path(), in.query, {.shift = 0, .limit = 255});
    for (const std::int32_t end : {1 << 30, 1000, 3}) {
      const auto expected = plain(in, end, [&](int code, int u) {
        const int moved = std::clamp(code * (1 << doublings), -fine_limit, fine_limit);
        return hamming_similarity(moved, u, format, format.fraction + cut);
      });
      std::vector<std::int32_t> similarity(fact_blocks(kFacts) * kFactBlock);
      path().hamming(in.packed.data(), fact_blocks(kFacts), query,
                     {.doublings = doublings, .fine_limit = fine_limit, .cut = cut, .limit = limit, .end = end},
                     similarity.data());
      ASSERT_EQ(of_facts(similarity), expected) << "n " << n << " doublings " << doublings << " end " << end;
    }
  }
}

TEST_P(AddressPaths, Truncated) {
  Input in = make_input(GetParam().n, GetParam().fill, -127, 127);
  const AddressQuery query = split_query(path(), in.query, {});
  for (const int fraction : {0, 1, 2, 5, 7}) {
    for (const int limit : {127, 15, 1}) {
      for (const std::int32_t end : {1 << 30, limit}) {
        const auto expected =
            plain(in, end, [&](int code, int u) { return truncated_product(code, u, fraction, limit); });
        std::vector<std::int32_t> similarity(fact_blocks(kFacts) * kFactBlock);
        path().truncated(in.packed.data(), fact_blocks(kFacts), query, {fraction, limit, end}, similarity.data());
        ASSERT_EQ(of_facts(similarity), expected) << "fraction " << fraction << " limit " << limit << " end " << end;
      }
      std::vector<std::int32_t> sums(row_stride(in.d), 3), expected_sums = sums;
      path().read(in.rows.data(), row_stride(in.d), in.which.data(), in.weights.data(), in.which.size(),
                  {.fraction = fraction, .limit = limit}, sums.data());
      for (std::size_t n = 0; n < in.which.size(); ++n)
        for (std::size_t j = 0; j < in.d; ++j)
          expected_sums[j] += truncated_product(in.codes[in.which[n] * in.d + j], in.weights[n], fraction, limit);
      ASSERT_EQ(sums, expected_sums) << "fraction " << fraction << " limit " << limit;
    }
  }
}

// The read of codes and weights that are as long as they come: no bit is lost, nothing ends.
TEST_P(AddressPaths, ReadExact) {
  Input in = make_input(GetParam().n, GetParam().fill, -128, 127);
  for (std::int16_t& weight : in.weights) weight = static_cast<std::int16_t>(2 * std::abs(weight) + 1);
  std::vector<std::int32_t> sums(row_stride(in.d)), expected = sums;
  path().read(in.rows.data(), row_stride(in.d), in.which.data(), in.weights.data(), in.which.size(),
              {.fraction = 0, .limit = 32767}, sums.data());
  for (std::size_t n = 0; n < in.which.size(); ++n)
    for (std::size_t j = 0; j < in.d; ++j) expected[j] += in.codes[in.which[n] * in.d + j] * in.weights[n];
  ASSERT_EQ(sums, expected);
}

TEST_P(AddressPaths, Exact) {
  Input in = make_input(GetParam().n, GetParam().fill, -128, 127);
  if (GetParam().fill == Fill::kMinimum) std::ranges::fill(in.query, std::int16_t{-128});
  const AddressQuery query = narrow_query(path(), in.query);
  std::vector<std::int32_t> similarity(fact_blocks(kFacts) * kFactBlock);
  path().exact(in.packed.data(), fact_blocks(kFacts), query, similarity.data());
  ASSERT_EQ(of_facts(similarity), plain(in, 1LL << 40, [](int code, int u) { return code * u; }));
}

TEST_P(AddressPaths, Agreement) {
  const Input in = make_input(GetParam().n, GetParam().fill, -127, 127);
  AddressQuery query(in.d);
  query.set_bits(in.query.data());
  std::vector<std::int32_t> similarity((kFacts + kBitBlock - 1) / kBitBlock * kBitBlock);
  path().agreement(in.bits.data(), similarity.size() / kBitBlock, query, similarity.data());
  ASSERT_EQ(of_facts(similarity), plain(in, 1LL << 40, [](int code, int u) { return (code < 0) == (u < 0) ? 1 : -1; }));
}

TEST_P(AddressPaths, SumsOfWords) {
  const std::size_t n = row_stride(GetParam().n);
  Random random(29);
  const auto codes = filled<std::int8_t>(GetParam().fill, n, random);
  const auto others = filled<std::int8_t>(GetParam().fill, n, random);
  for (const std::size_t count : {std::size_t{0}, std::size_t{1}, std::size_t{7}, kMostSummed - 1}) {
    std::vector<const std::int8_t*> rows;
    for (std::size_t row = 0; row < count; ++row) rows.push_back(row % 3 == 1 ? others.data() : codes.data());
    std::vector<std::int16_t> sums(n, 5), expected(n);
    path().sum_rows(rows.data(), count, n, sums.data());
    for (std::size_t j = 0; j < n; ++j)
      for (const std::int8_t* row : rows) expected[j] = static_cast<std::int16_t>(expected[j] + row[j]);
    ASSERT_EQ(sums, expected) << count;
  }
}

// Facts of all fillings of a block, older and older ages, and one age for all.
TEST_P(AddressPaths, CodesOfSums) {
  const std::size_t d = GetParam().n, n = row_stride(d), most = 2 * kFactBlock + 5;
  Random random(31);
  const auto end = static_cast<std::int16_t>(GetParam().fill == Fill::kRandom ? 400 : kMostSum);
  auto sums = filled<std::int16_t>(GetParam().fill, 2 * n * most, random, static_cast<std::int16_t>(-end), end);
  auto ages = filled<std::int8_t>(GetParam().fill, n * most, random, -127, 127);
  for (std::size_t fact = 0; fact < most; ++fact) {
    std::fill_n(sums.begin() + static_cast<std::ptrdiff_t>(2 * fact * n + d), n - d, std::int16_t{0});
    std::fill_n(ages.begin() + static_cast<std::ptrdiff_t>(fact * n + d), n - d, std::int8_t{0});
  }
  for (const bool one_age : {false, true}) {
    const FactSums from{.sums = sums.data(),
                        .sum_stride = 2 * n,
                        .ages = ages.data() + (one_age ? 0 : n * (most - 1)),
                        .age_stride = one_age ? 0 : -static_cast<std::ptrdiff_t>(n)};
    for (const SumRule& rule :
         {SumRule{127, 0, 127}, {127, 0, 31}, {15, 0, 127}, {127, 1, 127}, {127, -1, 63}, {15, 7, 127}, {1, -7, 7}}) {
      for (const std::size_t facts : {std::size_t{0}, std::size_t{1}, kFactBlock, most}) {
        std::vector<std::int8_t> rows(facts * n), expected;
        AlignedVector<std::int8_t> packed(fact_blocks(facts) * block_bytes(d), 99), expected_packed(packed.size());
        path().code_rows(from, facts, n, rule, rows.data());
        path().code_packed(from, facts, d, rule, packed.data());
        for (std::size_t fact = 0; fact < facts; ++fact) {
          for (std::size_t j = 0; j < n; ++j) {
            const int age = ages[(one_age ? 0 : most - 1 - fact) * n + j];
            const int code = std::clamp(sums[2 * fact * n + j] + age, -rule.limit, rule.limit);
            const int moved = rule.shift >= 0 ? code * (1 << rule.shift) : code / (1 << -rule.shift);  // toward zero
            expected.push_back(static_cast<std::int8_t>(std::clamp(moved, -rule.final_limit, rule.final_limit)));
          }
          pack_row(expected.data() + fact * n, d, fact, expected_packed.data());
        }
        ASSERT_EQ(rows, expected) << "facts " << facts << " shift " << rule.shift;
        ASSERT_EQ(packed, expected_packed) << "facts " << facts << " shift " << rule.shift;
      }
    }
  }
}

TEST_P(AddressPaths, QueriesAndNextStates) {
  const std::size_t d = GetParam().n, n = row_stride(d);
  Random random(41);
  auto codes = filled<std::int16_t>(GetParam().fill, d, random, -255, 255);
  for (const MoveRule& rule : {MoveRule{0, 255}, {0, 127}, {1, 255}, {8, 255}, {-1, 127}, {-8, 3}}) {
    const AddressQuery query = split_query(path(), codes, rule);
    for (std::size_t j = 0; j < n; ++j) {
      const int code = j < d ? codes[j] : 0, magnitude = std::abs(code);
      const int moved = rule.shift < 0 ? magnitude >> -rule.shift : magnitude << rule.shift;
      ASSERT_EQ(query.magnitude()[j], std::min(moved, rule.limit)) << j << " shift " << rule.shift;
      ASSERT_EQ(query.sign()[j], code < 0 ? 255 : 0) << j;
    }
  }
  const auto bytes = filled<std::int16_t>(GetParam().fill, d, random, -128, 127);
  const AddressQuery query = narrow_query(path(), bytes);
  for (std::size_t j = 0; j < n; ++j) ASSERT_EQ(query.codes()[j], j < d ? bytes[j] : 0) << j;

  const std::int32_t far = GetParam().fill == Fill::kRandom ? 300 : 2'000'000'000;
  const auto sums = filled<std::int32_t>(GetParam().fill, n, random, -far, far);
  const auto more = filled<std::int32_t>(Fill::kRandom, n, random, -far, far);
  for (const SumRule& rule : {SumRule{127, 0, 127}, {127, 1, 127}, {127, -1, 127}, {15, 7, 127}, {1, -7, 7}}) {
    for (const std::int32_t limit : {127, 7}) {
      std::vector<std::int16_t> found(n), wanted;
      path().add_limited(sums.data(), rule, more.data(), limit, n, found.data());
      for (std::size_t j = 0; j < n; ++j) {
        const std::int32_t code = std::clamp(sums[j], -rule.limit, rule.limit);
        const std::int32_t moved = rule.shift >= 0 ? code * (1 << rule.shift) : code / (1 << -rule.shift);
        const std::int32_t sum =
            std::clamp(moved, -rule.final_limit, rule.final_limit) + std::clamp(more[j], -limit, limit);
        wanted.push_back(static_cast<std::int16_t>(std::clamp(sum, -limit, limit)));
      }
      ASSERT_EQ(found, wanted) << "shift " << rule.shift << " limit " << limit;
    }
  }
}

TEST_P(AddressPaths, LargestAndFirst) {
  if (GetParam().n == 0) return;
  Random random(37);
  auto values = filled<std::int32_t>(GetParam().fill, GetParam().n, random);
  for (std::size_t i = 0; i < values.size(); i += std::max<std::size_t>(values.size() / 5, 1)) {
    const std::int32_t before = values[i];
    values[i] = 2'000'000'000;
    ASSERT_EQ(path().largest(values.data(), values.size()), *std::ranges::max_element(values));
    const std::int32_t last = std::exchange(values.back(), values[i]);  // the first of two
    ASSERT_EQ(path().find(values.data(), values.size(), values[i]), i);
    values.back() = last;
    values[i] = before;
  }
  ASSERT_EQ(path().largest(values.data(), values.size()), *std::ranges::max_element(values));
}

INSTANTIATE_TEST_SUITE_P(All, AddressPaths, testing::ValuesIn(testing_support::path_cases()),
                         testing_support::case_name);

class AddressIsa : public testing::TestWithParam<Isa> {};

// The longest rows: sums as far from 0 as they come.
TEST_P(AddressIsa, AtTheCliff) {
  QUAVER_SKIP_WITHOUT(GetParam());
  const AddressPath& path = address_path(GetParam());
  for (const std::size_t d : {kMaxAddressCodes - 1, kMaxAddressCodes}) {
    const auto length = static_cast<std::int32_t>(d);
    AlignedVector<std::int8_t> packed(block_bytes(d));
    const std::vector<std::int8_t> codes(d, -128), most(d, 127);
    const std::vector<std::int16_t> low(d, -128), high(d, 127), minus(d, -127);
    std::vector<std::int32_t> s(kFactBlock);
    pack_row(codes.data(), d, 3, packed.data());
    path.exact(packed.data(), 1, narrow_query(path, low), s.data());
    EXPECT_EQ(s[3], length * 16384);
    pack_row(most.data(), d, 3, packed.data());
    path.truncated(packed.data(), 1, split_query(path, minus, {}), {.fraction = 0, .limit = 127, .end = 1 << 30},
                   s.data());
    EXPECT_EQ(s[3], -127 * length);
    path.hamming(packed.data(), 1, split_query(path, high, {}), {.end = 1 << 30}, s.data());
    EXPECT_EQ(s[3], 127 * length);
  }
}

INSTANTIATE_TEST_SUITE_P(All, AddressIsa, testing::ValuesIn(all_isas().begin(), all_isas().end()),
                         testing_support::isa_case_name);

TEST(Address, HasEveryPathThatWasBuilt) { testing_support::expect_rows_of_paths(address_paths()); }

}  // namespace
}  // namespace quaver
