// Element-wise activations: the functions, and every entry of the tables that stand for them.
#include "quaver/cells/feedforward/nonlinearity.h"

#include <gtest/gtest.h>

#include <cmath>

namespace quaver {
namespace {

constexpr Nonlinearity kAll[] = {Nonlinearity::kIdentity, Nonlinearity::kRelu,        Nonlinearity::kSigmoid,
                                 Nonlinearity::kTanh,     Nonlinearity::kHardSigmoid, Nonlinearity::kElu,
                                 Nonlinearity::kGelu};

// The definitions once more, in double.
double meant(Nonlinearity function, double x) {
  switch (function) {
    case Nonlinearity::kIdentity: return x;
    case Nonlinearity::kRelu: return x > 0 ? x : 0;
    case Nonlinearity::kSigmoid: return 0.5 + 0.5 * std::tanh(x / 2);
    case Nonlinearity::kTanh: return 2 / (1 + std::exp(-2 * x)) - 1;
    case Nonlinearity::kHardSigmoid: return std::min(1.0, std::max(0.0, x / 5 + 0.5));
    case Nonlinearity::kElu: return x < 0 ? std::exp(x) - 1 : x;
    case Nonlinearity::kGelu: return x * std::erfc(-x / std::sqrt(2.0)) / 2;
  }
  return x;
}

TEST(Nonlinearity, IsWhatItsNameSays) {
  for (const Nonlinearity function : kAll) {
    for (int i = -400; i <= 400; ++i) {
      const float x = static_cast<float>(i) / 40;
      const double expected = meant(function, static_cast<double>(x));
      EXPECT_NEAR(static_cast<double>(apply(function, x)), expected, 4e-7 * std::max(1.0, std::abs(expected)))
          << "function " << static_cast<int>(function) << " of " << x;
    }
  }
}

// (A42) Every one of the 256 codes is the nearest to the function's value, or the end of the format.
TEST(ActivationTable, EveryCodeIsTheNearest) {
  for (const Nonlinearity function : kAll) {
    for (const Affine input : {Affine{0.05f, 0}, Affine{0.03f, -40}, Affine{1.0f, 127}, Affine{1e-3f, -128}}) {
      for (const Affine output : {Affine{1.0f / 128, 0}, Affine{1.0f / 255, -128}, Affine{0.02f, 55}}) {
        const auto table = activation_table(function, input, output);
        for (int q = -128; q <= 127; ++q) {
          const double x = static_cast<double>(input.scale) * (q - input.zero_point);
          const double code = meant(function, x) / static_cast<double>(output.scale) + output.zero_point;
          const double nearest = std::min(127.0, std::max(-128.0, code));
          EXPECT_LE(std::abs(table[static_cast<std::size_t>(q + 128)] - nearest), 0.5 + 1e-3)
              << "function " << static_cast<int>(function) << " of code " << q;
        }
      }
    }
  }
}

TEST(ActivationTable, RealZeroStaysExact) {  // where the function keeps it
  const Affine input{0.05f, 13}, output{0.02f, -77};
  for (const Nonlinearity function :
       {Nonlinearity::kIdentity, Nonlinearity::kRelu, Nonlinearity::kTanh, Nonlinearity::kElu, Nonlinearity::kGelu})
    EXPECT_EQ(activation_table(function, input, output)[13 + 128], -77);
}

}  // namespace
}  // namespace quaver
