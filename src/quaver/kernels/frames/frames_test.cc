#include "quaver/kernels/frames/frames.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "quaver/fixed/quantization.h"
#include "quaver/kernels/path_cases.h"

namespace quaver {
namespace {

using testing_support::filled;
using testing_support::PathCase;

constexpr float kScale = 0.037f;

// Reals around all codes and far beyond; `near_half`: quotients next to k + 1/2.
std::vector<float> reals(const PathCase& c, bool near_half, Random& random) {
  std::vector<float> values;
  for (const std::int32_t code : filled<std::int32_t>(c.fill, c.n, random, -40'000, 40'000)) {
    const double quotient = near_half ? std::trunc(code / 256.0) + 0.5 : code / 128.0;
    values.push_back(static_cast<float>(quotient * static_cast<double>(kScale)));
  }
  return values;
}

struct Coded {
  bool is_sure;
  std::vector<std::int8_t> codes;
  bool operator==(const Coded&) const = default;
};

Coded coded(const FramesPath& path, const std::vector<float>& frame, const FrameRule& rule) {
  Coded result{false, std::vector<std::int8_t>(frame.size())};
  result.is_sure = path.code(frame.data(), rule, frame.size(), result.codes.data());
  return result;
}

class FramesPaths : public testing::TestWithParam<PathCase> {
 protected:
  void SetUp() override {
    QUAVER_SKIP_WITHOUT(GetParam().isa);
    testing_support::note_exercised("frames", GetParam().isa);
  }
};

TEST_P(FramesPaths, CodesAreTheScalarOnesAndThoseOfTheDefinition) {
  const PathCase c = GetParam();
  Random random(11);
  const std::vector<float> mean(c.n, 0.25f), inverse_deviation(c.n, 1.75f);
  for (const bool near_half : {false, true}) {
    for (const bool normalises : {false, true}) {
      for (const std::int32_t zero_point : {-128, -3, 127}) {
        const std::vector<float> frame = reals(c, near_half, random);
        const FrameRule rule{normalises ? mean.data() : nullptr, normalises ? inverse_deviation.data() : nullptr,
                             1 / kScale, zero_point};
        const Coded found = coded(frames_path(c.isa), frame, rule);
        EXPECT_EQ(found, coded(frames_paths()[0], frame, rule));
        if (!found.is_sure) continue;
        for (std::size_t j = 0; j < c.n; ++j) {
          const float x = normalises ? (frame[j] - mean[j]) * inverse_deviation[j] : frame[j];
          ASSERT_EQ(found.codes[j],
                    quantize(static_cast<double>(x), static_cast<double>(kScale), zero_point, -128, 127));
        }
      }
    }
  }
}

TEST_P(FramesPaths, DecodeAsScalar) {
  const PathCase c = GetParam();
  Random random(12);
  const std::vector<std::int8_t> codes = filled<std::int8_t>(c.fill, c.n, random);
  for (const std::int32_t zero_point : {-128, 0, 127}) {
    std::vector<float> found(c.n), expected(c.n);
    frames_path(c.isa).decode(codes.data(), kScale, zero_point, c.n, found.data());
    frames_paths()[0].decode(codes.data(), kScale, zero_point, c.n, expected.data());
    EXPECT_EQ(found, expected);
    for (std::size_t j = 0; j < c.n; ++j) ASSERT_EQ(expected[j], kScale * static_cast<float>(codes[j] - zero_point));
  }
}

// One number in every lane: what is not finite is 0, what lies next to a half is never called sure, and all else is.
TEST_P(FramesPaths, TellWhatFloatDoesNot) {
  const PathCase c = GetParam();
  if (c.n == 0) return;
  const float infinity = std::numeric_limits<float>::infinity();
  struct Number {
    float value;
    bool is_sure;
    int code;
  };
  for (const Number number :
       {Number{infinity, true, 5}, Number{-infinity, true, 5}, Number{std::nanf(""), true, 5}, Number{1e38f, true, 127},
        Number{-1e38f, true, -128}, Number{-0.0f, true, 5}, Number{2.5f, false, 0}, Number{-0.5f, false, 0},
        Number{2.4999f, false, 0}, Number{0.499f, true, 5}, Number{-2.501f, true, 2}, Number{3.0f, true, 8}}) {
    for (std::size_t lane = 0; lane < c.n; ++lane) {
      std::vector<float> frame(c.n, 1.0f);
      frame[lane] = number.value;
      const Coded found = coded(frames_path(c.isa), frame, {nullptr, nullptr, 1.0f, 5});
      ASSERT_EQ(found.is_sure, number.is_sure) << number.value;
      if (!number.is_sure) continue;
      ASSERT_EQ(found.codes[lane], number.code) << number.value;
    }
  }
}

TEST_P(FramesPaths, SeeOneThatIsNotFinite) {
  const PathCase c = GetParam();
  const float infinity = std::numeric_limits<float>::infinity(), largest = std::numeric_limits<float>::max();
  std::vector<float> frame(c.n, largest);
  const FramesPath& path = frames_path(c.isa);
  EXPECT_TRUE(path.are_finite(frame.data(), c.n));
  for (float& real : frame) {
    for (const float bad : {infinity, -infinity, std::nanf("")}) {
      real = bad;
      ASSERT_FALSE(path.are_finite(frame.data(), c.n));
    }
    real = -largest;
  }
}

INSTANTIATE_TEST_SUITE_P(All, FramesPaths, testing::ValuesIn(testing_support::path_cases()),
                         testing_support::case_name);

TEST(Frames, HaveEveryPathThatWasBuilt) { testing_support::expect_rows_of_paths(frames_paths()); }

}  // namespace
}  // namespace quaver
