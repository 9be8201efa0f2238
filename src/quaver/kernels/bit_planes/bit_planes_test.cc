#include "quaver/kernels/bit_planes/bit_planes.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include "quaver/core/error.h"
#include "quaver/kernels/bit_planes/paths.h"
#include "quaver/kernels/path_cases.h"

namespace quaver {
namespace {

using testing_support::Fill;
using testing_support::filled;
using testing_support::PathCase;

constexpr std::int32_t kMin32 = std::numeric_limits<std::int32_t>::min();
constexpr std::int32_t kMax32 = std::numeric_limits<std::int32_t>::max();
constexpr std::array<CodeGrid, 2> kGrids{CodeGrid::kOdd, CodeGrid::kInteger};

// What runs for `isa`; AVX-512 with and without the instruction that counts bits.
std::vector<BitPlanesPath> rows_of(Isa isa) {
  std::vector<BitPlanesPath> rows{bit_planes_path(isa)};
#if defined(__x86_64__)
  if (isa == Isa::kAvx512Vnni && has_avx512vpopcntdq()) rows.push_back(kAvx512VnniBitPlanes);
#endif
  return rows;
}

std::vector<std::uint8_t> codes(Fill fill, std::size_t count, BitFormat format, Random& random) {
  return filled<std::uint8_t>(fill, count, random, 0, static_cast<std::uint8_t>(format.codes() - 1));
}

using Codes = MatrixView<const std::uint8_t>;

// bias + sum of what the codes stand for, in 64 bits.
std::vector<std::int64_t> plain(Codes weights, std::span<const std::uint8_t> x, std::span<const std::int32_t> bias,
                                BitProductFormats formats) {
  std::vector<std::int64_t> acc;
  for (std::size_t r = 0; r < weights.rows(); ++r) {
    std::int64_t sum = bias.empty() ? 0 : bias[r];
    for (std::size_t c = 0; c < weights.cols(); ++c)
      sum += std::int64_t{formats.weights.value(weights(r, c))} * formats.activations.value(x[c]);
    acc.push_back(sum);
  }
  return acc;
}

std::vector<std::int64_t> run(const BitPlanesPath& path, Codes weights, std::span<const std::uint8_t> x,
                              std::span<const std::int32_t> bias, BitProductFormats formats) {
  const BitPlaneMatrix matrix(weights, bias, formats, path);
  ActivationCodes activations(x.size(), formats.activations, path);
  activations.assign(x);
  std::vector<std::int32_t> acc(padded_rows(weights.rows()), 12345);
  matrix.run(activations, acc.data());
  return {acc.begin(), acc.begin() + static_cast<std::ptrdiff_t>(weights.rows())};
}

class BitPlanesPaths : public testing::TestWithParam<PathCase> {};

// n plays both parts. One bit each is the product of a binarized network.
TEST_P(BitPlanesPaths, SameBitsAsScalar) {
  const auto [isa, n, fill] = GetParam();
  QUAVER_SKIP_WITHOUT(isa);
  testing_support::note_exercised("bit_planes", isa);
  const std::array<BitProductFormats, 3> all_formats{{
      {{1, CodeGrid::kOdd}, {1, CodeGrid::kOdd}},
      {{2, CodeGrid::kInteger}, {3, CodeGrid::kOdd}},
      {{8, CodeGrid::kInteger}, {8, CodeGrid::kInteger}},
  }};
  for (const BitPlanesPath& path : rows_of(isa)) {
    for (const BitProductFormats formats : all_formats) {
      for (const std::size_t other : {1u, 2u, 16u, 63u, 65u, 130u}) {
        for (const auto& [rows, cols] : {std::pair{n, other}, std::pair{other, n}}) {
          Random random(7 + other);
          const auto weights = codes(fill, rows * cols, formats.weights, random);
          const auto x = codes(fill, cols, formats.activations, random);
          const auto bias = filled<std::int32_t>(fill, rows, random, -(1 << 30), 1 << 30);
          const Codes view(weights.data(), rows, cols);
          const auto scalar = run(bit_planes_paths()[0], view, x, bias, formats);
          ASSERT_EQ(scalar, plain(view, x, bias, formats)) << rows << "x" << cols;
          ASSERT_EQ(run(path, view, x, bias, formats), scalar) << rows << "x" << cols;
        }
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, BitPlanesPaths, testing::ValuesIn(testing_support::path_cases()),
                         testing_support::case_name);

class BitPlanesIsa : public testing::TestWithParam<Isa> {
 protected:
  void SetUp() override { QUAVER_SKIP_WITHOUT(GetParam()); }

  // All formats, 256 of them.
  template <typename Function>
  void for_formats(Function&& check) const {
    for (int m = 1; m <= kMostBits; ++m)
      for (int k = 1; k <= kMostBits; ++k)
        for (const CodeGrid weights : kGrids)
          for (const CodeGrid activations : kGrids) {
            const BitProductFormats formats{{m, weights}, {k, activations}};
            for (const BitPlanesPath& path : rows_of(GetParam()))
              ASSERT_NO_FATAL_FAILURE(check(path, formats))
                  << formats.weights.name() << " weights, " << formats.activations.name() << " activations";
          }
  }
};

TEST_P(BitPlanesIsa, EveryPairOfBitsIsTheIntegerProduct) {
  for_formats([](const BitPlanesPath& path, BitProductFormats formats) {
    Random random(static_cast<std::uint64_t>(10 * formats.weights.bits + formats.activations.bits));
    for (const Fill fill : {Fill::kMinimum, Fill::kMaximum, Fill::kExtremes, Fill::kRandom}) {
      for (const std::size_t cols : {1u, 7u, 63u, 64u, 65u, 127u, 200u, 513u}) {
        const std::size_t rows = cols % 2 == 0 ? 3 : 17;
        const auto weights = codes(fill, rows * cols, formats.weights, random);
        for (const Fill of_x : {fill, Fill::kExtremes}) {
          const auto x = codes(of_x, cols, formats.activations, random);
          const auto bias = filled<std::int32_t>(fill, rows, random, -1000, 1000);
          const Codes view(weights.data(), rows, cols);
          ASSERT_EQ(run(path, view, x, bias, formats), plain(view, x, bias, formats)) << rows << "x" << cols;
        }
      }
    }
  });
}

// One column: every weight by every activation.
TEST_P(BitPlanesIsa, EveryCodeByEveryCode) {
  for_formats([](const BitPlanesPath& path, BitProductFormats formats) {
    std::vector<std::uint8_t> weights(static_cast<std::size_t>(formats.weights.codes()));
    for (std::size_t u = 0; u < weights.size(); ++u) weights[u] = static_cast<std::uint8_t>(u);
    const Codes view(weights.data(), weights.size(), 1);
    const BitPlaneMatrix matrix(view, {}, formats, path);
    ActivationCodes activations(1, formats.activations, path);
    std::vector<std::int32_t> acc(padded_rows(weights.size()));
    for (int u = 0; u < formats.activations.codes(); ++u) {
      const std::array x{static_cast<std::uint8_t>(u)};
      activations.assign(x);
      matrix.run(activations, acc.data());
      for (const std::uint8_t w : weights)
        ASSERT_EQ(acc[w], formats.weights.value(w) * formats.activations.value(u)) << int{w} << " by " << u;
    }
  });
}

// Three columns of up to two bits: every row by every vector.
TEST_P(BitPlanesIsa, EveryRowByEveryVector) {
  constexpr std::size_t kCols = 3;
  const auto every = [](int bits) {
    std::vector<std::uint8_t> rows;
    for (int number = 0; number < 1 << (bits * static_cast<int>(kCols)); ++number)
      for (std::size_t c = 0; c < kCols; ++c)
        rows.push_back(static_cast<std::uint8_t>(number >> (bits * static_cast<int>(c)) & ((1 << bits) - 1)));
    return rows;
  };
  for_formats([&](const BitPlanesPath& path, BitProductFormats formats) {
    if (formats.weights.bits > 2 || formats.activations.bits > 2) return;
    const auto weights = every(formats.weights.bits), vectors = every(formats.activations.bits);
    const Codes view(weights.data(), weights.size() / kCols, kCols);
    for (std::size_t at = 0; at < vectors.size(); at += kCols) {
      const auto x = std::span(vectors).subspan(at, kCols);
      ASSERT_EQ(run(path, view, x, {}, formats), plain(view, x, {}, formats));
    }
  });
}

// Around the 31 words whose counts fit a byte.
TEST_P(BitPlanesIsa, LongRows) {
  const BitProductFormats formats{{1, CodeGrid::kOdd}, {2, CodeGrid::kInteger}};
  for (const BitPlanesPath& path : rows_of(GetParam())) {
    for (const std::size_t words : {16u, 30u, 31u, 32u, 62u, 63u, 256u}) {
      for (const std::size_t cols : {64 * words - 1, 64 * words, 64 * words + 1}) {
        for (const Fill fill : {Fill::kMinimum, Fill::kMaximum, Fill::kRandom}) {
          Random random(cols);
          const auto weights = codes(fill, 2 * cols, formats.weights, random);
          // Against weights of one kind every bit differs.
          const auto x = codes(fill == Fill::kMinimum   ? Fill::kMaximum
                               : fill == Fill::kMaximum ? Fill::kMinimum
                                                        : fill,
                               cols, formats.activations, random);
          const Codes view(weights.data(), 2, cols);
          ASSERT_EQ(run(path, view, x, {}, formats), plain(view, x, {}, formats)) << cols;
        }
      }
    }
  }
}

// The widest sums that fit, and one column or one step more, which are refused.
TEST_P(BitPlanesIsa, AtTheCliffOfTheAccumulator) {
  for (const CodeGrid grid : kGrids) {
    const BitFormat format{8, grid};
    const std::int32_t most = format.lowest() * format.lowest();
    const std::size_t cols = static_cast<std::size_t>(kMax32 / most);
    EXPECT_EQ(cols, grid == CodeGrid::kOdd ? 33025u : 131071u);
    const std::vector<std::uint8_t> x(cols, 0), weights(cols + 1, 0);
    const Codes widest(weights.data(), 1, cols);
    const std::int32_t room = kMax32 - static_cast<std::int32_t>(cols) * most;
    for (const BitPlanesPath& path : rows_of(GetParam())) {
      EXPECT_EQ(run(path, widest, x, std::array{room}, {format, format})[0], kMax32);
      EXPECT_THROW(BitPlaneMatrix(widest, std::array{room + 1}, {format, format}, path), Error);
      EXPECT_THROW(BitPlaneMatrix({weights.data(), 1, cols + 1}, {}, {format, format}, path), Error);
    }
  }
  const BitFormat odd{8, CodeGrid::kOdd};
  const std::vector<std::uint8_t> x(33025, 0), weights(33025, 255);
  const std::int32_t room = kMin32 + 33025 * 255 * 255;
  const Codes lowest(weights.data(), 1, 33025);
  for (const BitPlanesPath& path : rows_of(GetParam())) {
    EXPECT_EQ(run(path, lowest, x, std::array{room}, {odd, odd})[0], kMin32);
    EXPECT_THROW(BitPlaneMatrix(lowest, std::array{room - 1}, {odd, odd}, path), Error);
  }
}

TEST_P(BitPlanesIsa, ReadsNoColumnBeyondTheLast) {  // the sanitizer build watches the heap's edges
  const BitFormat format{2, CodeGrid::kInteger};
  for (const BitPlanesPath& path : rows_of(GetParam())) {
    for (std::size_t cols = 0; cols <= 130; ++cols) {
      const std::vector<std::uint8_t> weights(3 * cols, 3), x(cols, 0);
      EXPECT_EQ(run(path, {weights.data(), 3, cols}, x, std::array{5, 6, 7}, {format, format})[2],
                7 - 2 * static_cast<int>(cols));
    }
  }
}

// Planes of an earlier vector leave nothing behind.
TEST_P(BitPlanesIsa, TakesCodesAgainAndAgain) {
  for (const BitPlanesPath& path : rows_of(GetParam())) {
    Random random(3);
    ActivationCodes again(100, {5, CodeGrid::kOdd}, path);
    for (int turn = 0; turn < 3; ++turn) {
      const auto x = codes(Fill::kRandom, 100, again.format(), random);
      again.assign(x);
      ActivationCodes once(100, again.format(), path);
      once.assign(x);
      EXPECT_TRUE(std::equal(once.planes(), once.planes() + 10, again.planes()));
      EXPECT_EQ(once.odd_sum(), again.odd_sum());
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, BitPlanesIsa, testing::ValuesIn(all_isas().begin(), all_isas().end()),
                         testing_support::isa_case_name);

TEST(BitPlanes, HasEveryPathThatWasBuilt) { testing_support::expect_rows_of_paths(bit_planes_paths()); }

TEST(BitPlanes, AnEmptyMatrixDoesNothing) {
  const BitPlaneMatrix none;
  none.run(ActivationCodes(0, {}), nullptr);
  EXPECT_EQ(none.bytes(), 0u);
}

TEST(BitPlanes, TakesABitAWeightAndPlane) {
  const std::vector<std::uint8_t> weights(32 * 128, 0);
  EXPECT_EQ(BitPlaneMatrix({weights.data(), 32, 128}, {}, {{1}, {8}}).bytes(), 32u * 128 / 8);
  EXPECT_EQ(BitPlaneMatrix({weights.data(), 32, 128}, {}, {{3}, {1}}).bytes(), 32u * 128 / 8 * 3);
}

TEST(BitPlanes, RefusesBitsAndCodesThatAreNone) {
  EXPECT_THROW(ActivationCodes(4, {0}), Error);
  EXPECT_THROW(ActivationCodes(4, {9}), Error);
  const std::vector<std::uint8_t> weights{0, 1, 2, 3, 4, 0};
  const Codes view(weights.data(), 2, 3);
  EXPECT_THROW(BitPlaneMatrix(view, {}, {{9}, {1}}), Error);
  EXPECT_THROW(BitPlaneMatrix(view, {}, {{3}, {0}}), Error);
  EXPECT_NO_THROW(BitPlaneMatrix(view, {}, {{3}, {1}}));
  try {
    BitPlaneMatrix(view, {}, {{2}, {1}});
    FAIL() << "took 4 for a code of two bits";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "row 1, column 1 of a matrix of 2-bit odd weights has the code 4, expected 0 to 3");
  }
}

TEST(BitFormat, SaysWhatCodesStandFor) {
  EXPECT_EQ((BitFormat{1, CodeGrid::kOdd}.value(0)), -1);
  EXPECT_EQ((BitFormat{1, CodeGrid::kOdd}.value(1)), 1);
  EXPECT_EQ((BitFormat{3, CodeGrid::kOdd}.lowest()), -7);
  EXPECT_EQ((BitFormat{8, CodeGrid::kOdd}.highest()), 255);
  EXPECT_EQ((BitFormat{2, CodeGrid::kInteger}.lowest()), -2);
  EXPECT_EQ((BitFormat{8, CodeGrid::kInteger}.highest()), 127);
  EXPECT_EQ((BitFormat{3, CodeGrid::kOdd}.name()), "3-bit odd");
}

// Sixteenths of a scale reach every tie of every format.
TEST(BitFormat, TakesTheNearestCode) {
  for (int bits = 1; bits <= kMostBits; ++bits) {
    for (const CodeGrid grid : kGrids) {
      const BitFormat format{bits, grid};
      for (int sixteenths = -16 * 300; sixteenths <= 16 * 300; ++sixteenths) {
        const float x = static_cast<float>(sixteenths) / 16;
        const int code = format.nearest(x * 0.75f, 0.75f);
        ASSERT_LT(code, format.codes());
        const float value = static_cast<float>(format.value(code)), distance = std::fabs(value - x);
        for (const int other : {code - 1, code + 1}) {
          if (other < 0 || other >= format.codes()) continue;
          const float beside = static_cast<float>(format.value(other)), far = std::fabs(beside - x);
          const bool away = x < 0 ? value < beside : value > beside;
          ASSERT_TRUE(distance < far || (distance == far && away)) << x << " of " << format.name();
        }
      }
    }
  }
}

TEST(ActivationCodes, QuantizesReals) {
  ActivationCodes signs(5, {1, CodeGrid::kOdd});
  signs.quantize(std::array{-3.0f, -1e-9f, 0.0f, 1e-9f, 4.0f}, 1.0f);
  EXPECT_TRUE(std::ranges::equal(signs.codes(), std::array<std::uint8_t, 5>{0, 0, 1, 1, 1}));
  EXPECT_EQ(signs.planes()[0], 0b11100u);
  EXPECT_EQ(signs.odd_sum(), 1);
  ActivationCodes thirds(4, {2, CodeGrid::kOdd});  // -1, -1/3, 1/3, 1 (paper, 2 bits)
  thirds.quantize(std::array{-1.0f, -0.3f, 0.3f, 0.7f}, 1.0f / 3);
  EXPECT_TRUE(std::ranges::equal(thirds.codes(), std::array<std::uint8_t, 4>{0, 1, 2, 3}));
}

}  // namespace
}  // namespace quaver
