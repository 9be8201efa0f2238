#include "quaver/kernels/recurrent_step/recurrent_step.h"

#include <gtest/gtest.h>

#include <array>
#include <limits>
#include <utility>
#include <vector>

#include "quaver/kernels/matvec/matvec.h"
#include "quaver/kernels/path_cases.h"
#include "quaver/kernels/recurrent_step/paths.h"

namespace quaver {
namespace {

using testing_support::Fill;
using testing_support::filled;
using testing_support::PathCase;

// Few streams beside many units; else a group, with some left over of what shares a load of weights, and one alone.
constexpr std::size_t stream_count(std::size_t units) { return units > 64 ? 5 : kStreamGroup + 1; }

// Each of the values with each format.
template <typename Value, typename... Values>
std::vector<std::pair<Value, WeightFormatId>> with_formats(Value value, Values... values) {
  std::vector<std::pair<Value, WeightFormatId>> pairs;
  for (const WeightFormat& format : weight_formats()) {
    for (const Value each : {value, values...}) pairs.emplace_back(each, format.id);
  }
  return pairs;
}

// One half of a cell with random weights and multipliers.
struct Half {
  WeightFormatId format;
  std::size_t gates, units, cols;
  std::vector<std::int8_t> weights;
  std::vector<std::int32_t> bias;
  RowMultipliers m;

  Half(WeightFormatId weight_format_id, std::size_t gate_count, std::size_t unit_count, std::size_t col_count,
       int max_exponent, Fill fill, Random& random)
      : format(weight_format_id), gates(gate_count), units(unit_count), cols(col_count) {
    const auto limit = static_cast<std::int8_t>(weight_format(format).limit);
    const auto least = static_cast<std::int8_t>(-limit);
    weights = filled<std::int8_t>(fill, gates * units * cols, random, least, limit);
    for (std::int8_t& code : weights)
      if (!weight_format(format).holds(code)) code = 1;
    // Of one row in three up to where a sum within 2^30 ends, with any shift that brings it back.
    const std::int32_t most = (1 << 30) - 1 - 128 * limit * static_cast<std::int32_t>(cols);
    bias = filled<std::int32_t>(fill, gates * units, random, -(1 << 24), 1 << 24);
    const std::vector<std::int32_t> large = filled<std::int32_t>(fill, gates * units, random, -most, most);
    for (std::size_t r = 0; r < bias.size(); r += 3) bias[r] = large[r];
    std::vector<Multiplier> rows;
    for (std::size_t r = 0; r < gates * units; ++r) {
      const bool zero = random.below(10) == 0;  // a factor of 0 has exponent 0
      rows.push_back(
          zero
              ? Multiplier{}
              : Multiplier{static_cast<std::int32_t>(random.between(1 << 30, std::numeric_limits<std::int32_t>::max())),
                           static_cast<std::int32_t>(random.between(r % 3 == 0 ? -31 : -12, max_exponent))});
    }
    m = RowMultipliers::from(rows);
  }
  GateMatrix packed(Isa isa) const {
    return {recurrent_step(isa, format), {weights.data(), gates * units, cols}, gates, bias, m};
  }
  // m.apply(acc) of every row, from matvec and fixed.
  std::vector<std::int64_t> plain(const std::int8_t* x) const {
    const PackedMatrix matrix({weights.data(), gates * units, cols}, WeightFormatId::kI8, Isa::kScalar);
    AlignedVector<std::int32_t> acc(padded_rows(gates * units));
    std::copy(bias.begin(), bias.end(), acc.begin());
    matrix.run(x, acc.data(), acc.data());
    std::vector<std::int64_t> addends;
    for (std::size_t row = 0; row < gates * units; ++row) addends.push_back(m.at(row).apply(acc[row]));
    return addends;
  }
};

std::vector<std::vector<std::int8_t>> inputs(std::size_t streams, std::size_t cols, Fill fill, Random& random) {
  std::vector<std::vector<std::int8_t>> all;
  for (std::size_t s = 0; s < streams; ++s) all.push_back(filled<std::int8_t>(fill, cols, random));
  return all;
}

struct Operands {
  std::vector<AlignedVector<std::byte>> bytes;
  std::vector<const std::byte*> pointers;
  Operands(const RecurrentStep& path, const std::vector<std::vector<std::int8_t>>& x) {
    for (const auto& codes : x) {
      bytes.emplace_back(path.operand_bytes(codes.size()));
      path.prepare(codes.data(), codes.size(), bytes.back().data());
    }
    for (const auto& operand : bytes) pointers.push_back(operand.data());
  }
};

class RecurrentStepPaths : public testing::TestWithParam<PathCase> {
 protected:
  void SetUp() override {
    QUAVER_SKIP_WITHOUT(GetParam().isa);
    testing_support::note_exercised("recurrent_step", GetParam().isa);
  }
  std::size_t units() const { return GetParam().n; }
  std::size_t count() const { return stream_count(units()); }
  Fill fill() const { return GetParam().fill; }
  const RecurrentStep& path(WeightFormatId format) const { return recurrent_step(GetParam().isa, format); }

  // Calls part over all blocks, cut in two, the second half back to front.
  template <typename Part>
  static void in_two(std::size_t blocks, const Part& part) {
    part(Blocks{0, blocks / 2});
    part(Blocks{blocks / 2, blocks, /*backwards=*/true});
  }

  Random random_{23};
};

// Paths share a load of the weights between as many streams as their registers hold: every number gives the same bits.
TEST_P(RecurrentStepPaths, AnyNumberOfStreamsGivesTheSumsOfOne) {
  if (units() > 64) return;  // the number of units is no matter here
  constexpr std::size_t kCols = 13, kMost = 14;
  for (const std::size_t gates : {1u, 2u, 3u, 4u}) {
    for (const WeightFormat& format : weight_formats()) {
      const Half half(format.id, gates, units(), kCols, -1, fill(), random_);
      const GateMatrix matrix = half.packed(GetParam().isa);
      const Operands operands(path(half.format), inputs(kMost, kCols, fill(), random_));
      const auto sums_of = [&](std::size_t first, std::size_t streams,
                               std::vector<AlignedVector<std::int32_t>>& found) {
        std::vector<std::int32_t*> to;
        for (std::size_t s = 0; s < streams; ++s) {
          found[first + s].assign(gates * matrix.padded(), 77);
          to.push_back(found[first + s].data());
        }
        path(half.format)
            .sums(matrix.rows(), operands.pointers.data() + first, streams, matrix.padded(), {0, matrix.blocks()},
                  kWholeSums, to.data());
      };
      std::vector<AlignedVector<std::int32_t>> alone(kMost), together(kMost);
      for (std::size_t s = 0; s < kMost; ++s) sums_of(s, 1, alone);
      for (std::size_t streams = 2; streams <= kMost; ++streams) {
        sums_of(0, streams, together);
        for (std::size_t s = 0; s < streams; ++s)
          ASSERT_EQ(together[s], alone[s]) << "stream " << s << " of " << streams << ", gates " << gates;
      }
    }
  }
}

TEST_P(RecurrentStepPaths, SumsAreThoseOfTheDefinition) {
  for (const std::size_t gates : {1u, 2u, 3u, 4u}) {
    for (const std::size_t cols : {1u, 13u, 64u, 70u}) {
      for (const auto& [max_exponent, format] : with_formats(-1, 5)) {
        const SumLimits limits = cols % 2 == 0 ? kWholeSums : kCutHalves;
        const Half half(format, gates, units(), cols, max_exponent, fill(), random_);
        const auto x = inputs(count(), cols, fill(), random_);
        const GateMatrix matrix = half.packed(GetParam().isa);
        EXPECT_TRUE(max_exponent > 0 || matrix.shrinks());
        const Operands operands(path(half.format), x);
        const std::size_t row = matrix.padded();
        std::vector<AlignedVector<std::int32_t>> found(count(), AlignedVector<std::int32_t>(gates * row, 77));
        std::vector<std::int32_t*> to;
        for (auto& sums : found) to.push_back(sums.data());
        std::vector<std::vector<std::int64_t>> expected(count(), std::vector<std::int64_t>(gates * units()));
        const auto expect_rows = [&](const auto& rows, const auto& values, std::size_t s) {
          for (std::size_t g = 0; g < gates; ++g) {
            for (std::size_t j = 0; j < row; ++j)
              ASSERT_EQ(rows[g * row + j], j < units() ? values[g * units() + j] : 0)
                  << "gate " << g << ", unit " << j << ", stream " << s;
          }
        };
        for (const bool first : {true, false}) {
          in_two(matrix.blocks(), [&](Blocks blocks) {
            if (first)
              return path(half.format)
                  .sums(matrix.rows(), operands.pointers.data(), count(), row, blocks, limits, to.data());
            for (std::size_t s = 0; s < count(); ++s)
              path(half.format).next_sums(matrix.rows(), operands.pointers[s], row, blocks, limits, to[s]);
          });
          for (std::size_t s = 0; s < count(); ++s) {
            const auto addends = half.plain(x[s].data());
            for (std::size_t i = 0; i < addends.size(); ++i)
              expected[s][i] = std::clamp<std::int64_t>(expected[s][i] + addends[i], limits.low, limits.high);
            expect_rows(found[s], expected[s], s);
          }
        }
        AlignedVector<std::int16_t> last(gates * row, 77);
        in_two(matrix.blocks(), [&](Blocks blocks) {
          path(half.format).last_sums(matrix.rows(), operands.pointers[0], row, blocks, to[0], last.data());
        });
        const auto addends = half.plain(x[0].data());
        for (std::size_t i = 0; i < addends.size(); ++i)
          expected[0][i] = std::clamp<std::int64_t>(expected[0][i] + addends[i], -32768, 32767);
        expect_rows(last, expected[0], 0);
      }
    }
  }
}

// What a step leaves behind, of all streams.
struct After {
  std::vector<std::vector<std::int16_t>> state;
  std::vector<std::vector<std::int8_t>> out;
  bool operator==(const After&) const = default;
};

// The input half of all streams, computed before.
std::vector<AlignedVector<std::int32_t>> sums_before(const RecurrentStep& path, const GateMatrix& matrix,
                                                     SumLimits limits, std::size_t gates, const Operands& operands) {
  std::vector<AlignedVector<std::int32_t>> sums(operands.pointers.size(),
                                                AlignedVector<std::int32_t>(gates * matrix.padded()));
  std::vector<std::int32_t*> to;
  for (auto& row : sums) to.push_back(row.data());
  path.sums(matrix.rows(), operands.pointers.data(), operands.pointers.size(), matrix.padded(), {0, matrix.blocks()},
            limits, to.data());
  return sums;
}

TEST_P(RecurrentStepPaths, LstmGivesTheBitsOfScalar) {
  const auto run = [&](Isa isa, const LstmRule& rule, const Half& W, const Half& R, const auto& x, const auto& h,
                       bool before, After after) {
    const RecurrentStep& p = recurrent_step(isa, W.format);
    const GateMatrix input = W.packed(isa), recurrent = R.packed(isa);
    const Operands xs(p, x), hs(p, h);
    const auto sums = sums_before(p, input, rule.limits, W.gates, xs);
    std::vector<LstmStream> streams(count());
    for (std::size_t s = 0; s < count(); ++s) {
      streams[s] = {before ? nullptr : xs.pointers[s], before ? sums[s].data() : nullptr, hs.pointers[s],
                    after.state[s].data(), after.out[s].data()};
    }
    in_two(recurrent.blocks(),
           [&](Blocks blocks) { p.lstm(rule, input.rows(), recurrent.rows(), streams.data(), count(), blocks); });
    return after;
  };
  for (const bool cifg : {false, true}) {
    for (const auto& [integer_bits, format] : with_formats(0, 3, 6)) {
      const Half W(format, cifg ? 3 : 4, units(), 13, -1, fill(), random_),
          R(format, cifg ? 3 : 4, units(), units(), -1, fill(), random_);
      const auto x = inputs(count(), 13, fill(), random_), h = inputs(count(), units(), fill(), random_);
      After start;
      for (std::size_t s = 0; s < count(); ++s) {
        start.state.push_back(filled<std::int16_t>(fill(), units(), random_));
        start.out.emplace_back(units());
      }
      for (const std::int32_t clip : {0, 12345}) {
        const LstmRule rule{.units = units(),
                            .limits = clip == 0 ? kWholeSums : kCutHalves,
                            .cifg = cifg,
                            .cell_integer_bits = integer_bits,
                            .cell_clip = clip,
                            .output = {1 << 30, -22},
                            .codes = {-3, -120, 110}};
        for (const bool before : {false, true}) {
          const After expected = run(Isa::kScalar, rule, W, R, x, h, before, start);
          ASSERT_EQ(run(GetParam().isa, rule, W, R, x, h, before, start), expected) << integer_bits << " " << cifg;
        }
      }
    }
  }
}

TEST_P(RecurrentStepPaths, GruGivesTheBitsOfScalar) {
  const auto run = [&](Isa isa, const GruRule& rule, bool reset_after, const Half& W, const Half& R,
                       const Half& R_candidate, const auto& x, const auto& h8, bool before, After after) {
    const RecurrentStep& p = recurrent_step(isa, W.format);
    const GateMatrix input = W.packed(isa), recurrent = R.packed(isa), candidate = R_candidate.packed(isa);
    const Operands xs(p, x);
    Operands hs(p, h8);
    const auto sums = sums_before(p, input, rule.limits, 3, xs);
    std::vector<std::vector<std::int8_t>> reset(count(), std::vector<std::int8_t>(units()));
    std::vector<AlignedVector<std::int16_t>> update(count(), AlignedVector<std::int16_t>(input.padded()));
    std::vector<AlignedVector<std::int32_t>> candidates(count(), AlignedVector<std::int32_t>(input.padded()));
    std::vector<GruStream> streams(count());
    for (std::size_t s = 0; s < count(); ++s) {
      streams[s] = {before ? nullptr : xs.pointers[s],
                    before ? sums[s].data() : nullptr,
                    hs.bytes[s].data(),
                    after.state[s].data(),
                    after.out[s].data(),
                    reset[s].data(),
                    update[s].data(),
                    candidates[s].data()};
    }
    in_two(recurrent.blocks(), [&](Blocks blocks) {
      (reset_after ? p.gru_after : p.gru_gates)(rule, input.rows(), recurrent.rows(), streams.data(), count(), blocks);
    });
    if (reset_after) return after;
    for (std::size_t s = 0; s < count(); ++s) p.prepare(reset[s].data(), units(), streams[s].h8);
    in_two(candidate.blocks(),
           [&](Blocks blocks) { p.gru_candidate(rule, candidate.rows(), streams.data(), count(), blocks); });
    return after;
  };
  for (const auto& [reset_after, format] : with_formats(false, true)) {
    const Half W(format, 3, units(), 13, -1, fill(), random_),
        R(format, reset_after ? 3 : 2, units(), units(), -1, fill(), random_);
    const Half R_candidate(format, 1, units(), units(), -1, fill(), random_);
    const auto x = inputs(count(), 13, fill(), random_), h8 = inputs(count(), units(), fill(), random_);
    After start;
    for (std::size_t s = 0; s < count(); ++s) {
      start.state.push_back(filled<std::int16_t>(fill(), units(), random_));
      start.out.emplace_back(units());
    }
    for (const bool before : {false, true}) {
      const GruRule rule = before == (format == WeightFormatId::kI8)
                               ? GruRule{units(), kCutHalves, 15, StateCodes::from({0x1p-7f, 0})}
                               : GruRule{units(), kWholeSums, 12, StateCodes::from({0.0041f, -17})};
      const After expected = run(Isa::kScalar, rule, reset_after, W, R, R_candidate, x, h8, before, start);
      ASSERT_EQ(run(GetParam().isa, rule, reset_after, W, R, R_candidate, x, h8, before, start), expected)
          << reset_after;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, RecurrentStepPaths, testing::ValuesIn(testing_support::path_cases(1, 257)),
                         testing_support::case_name);

TEST(RecurrentStep, HasEveryPathThatWasBuilt) { testing_support::expect_rows_of_paths(recurrent_step_paths()); }

}  // namespace
}  // namespace quaver
