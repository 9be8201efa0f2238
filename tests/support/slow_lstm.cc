#include "support/slow_lstm.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace quaver::testing_support {
namespace {

using Int = std::int64_t;
using Ints = std::vector<Int>;

// ---- rounding

Int saturate(Int x, int bits) {
  const Int limit = Int{1} << (bits - 1);
  return std::min(std::max(x, -limit), limit - 1);
}

Int sign(Int x) { return x < 0 ? -1 : 1; }

// a b / 2^(bits-1), the division rounding toward zero after half is added away from zero.
Int high_mul(Int a, Int b, int bits) {
  const Int one = Int{1} << (bits - 1);
  const Int product = a * b;
  const Int half = product >= 0 ? one / 2 : 1 - one / 2;
  return std::min((product + half) / one, one - 1);
}

Int divide_by_pot(Int x, int k) {  // ties away from zero
  const Int half = k > 0 ? Int{1} << (k - 1) : 0;
  return sign(x) * ((std::abs(x) + half) >> k);
}

struct Factor {
  Int mantissa = 0;
  int exponent = 0;
  Int operator()(Int x) const {
    return divide_by_pot(high_mul(x * (Int{1} << std::max(exponent, 0)), mantissa, 32), std::max(-exponent, 0));
  }
};

Factor factor(float real) {
  Factor result;
  const double fraction = std::frexp(static_cast<double>(real), &result.exponent);
  result.mantissa = static_cast<Int>(std::floor(fraction * 0x1p31 + 0.5));
  if (result.mantissa == Int{1} << 31) {
    result.mantissa /= 2;
    ++result.exponent;
  }
  return result.exponent < -31 ? Factor{} : result;
}

// ---- sigmoid and tanh on 16 bits

Int mul16(Int a, Int b) { return high_mul(a, b, 16); }
Int constant16(Int q0_31) { return divide_by_pot(q0_31, 16); }

Int exp_small(Int a) {  // of a in [-1/4, 0): around -1/8, to the fourth power
  const Int x = a + 4096;
  const Int x2 = mul16(x, x), x3 = mul16(x2, x), x4 = mul16(x2, x2);
  const Int tail = divide_by_pot(mul16(divide_by_pot(x4, 2) + x3, constant16(715827883)) + x2, 1);
  const Int base = constant16(1895147668);
  return saturate(base + mul16(base, x + tail), 16);
}

Int exp_negative(Int a, int integer_bits) {  // a <= 0 with 15 - integer_bits bits behind the point
  if (a == 0) return 32767;
  const int fraction_bits = 15 - integer_bits;
  if (integer_bits > 5 && a < -(Int{1} << (fraction_bits + 5))) return 0;
  const Int quarter = Int{1} << (fraction_bits - 2);
  const Int coarse = -a / quarter * quarter;  // whole quarters of |a|
  const bool exact = coarse == -a;            // then the remainder is a whole quarter, not none
  const Int quarters = exact ? coarse - quarter : coarse;
  Int result = exp_small(saturate((a + quarters) * (Int{1} << integer_bits), 16));
  constexpr Int kPowers[] = {1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242};
  for (int power = -2; power <= 4 && power < integer_bits; ++power) {
    if ((quarters >> (fraction_bits + power)) & 1) result = mul16(result, constant16(kPowers[power + 2]));
  }
  return result;
}

Int reciprocal(Int a) {  // 2 / (1 + a) with 13 bits behind the point, a in [0, 1) with 15
  const Int half = (a + 32767 + 1) / 2;
  Int x = constant16(1515870810) + mul16(half, constant16(-1010580540));
  for (int step = 0; step < 3; ++step) x += saturate(mul16(x, 8192 - mul16(half, x)) * 4, 16);
  return x;
}

Int sigmoid(Int x) {
  if (x == 0) return 16384;
  const Int positive = saturate(reciprocal(exp_negative(-std::abs(x), 3)) * 2, 16);
  return x > 0 ? positive : 32767 - positive;
}

Int tangent(Int x, int integer_bits) {
  if (x == 0) return 0;
  const Int positive = saturate((reciprocal(exp_negative(-std::abs(x), integer_bits + 1)) - 8192) * 4, 16);
  return sign(x) * positive;
}

// ---- layer norm

Factor inverse_sqrt(Int v) {
  if (v <= 1) return {2147483647, 0};
  int shift = 11;
  for (; v >= Int{1} << 29; v /= 4) ++shift;
  for (; v < Int{1} << 27; v *= 4) --shift;
  const Int half = divide_by_pot(v / 2, 1);
  const auto mul32 = [](Int a, Int b) { return high_mul(a, b, 32); };
  Int x = Int{1} << 28;
  for (int step = 0; step < 5; ++step) {
    const Int cube = saturate(mul32(mul32(x, x), x) * 64, 32);
    x = saturate((mul32(3 * (Int{1} << 27), x) - mul32(half, cube)) * 8, 32);
  }
  x = mul32(x, 1518500250);
  return shift < 0 ? Factor{x << -shift, 0} : Factor{x, -shift};
}

void layer_norm(const LstmGolden::Gate& gate, Int* sums, std::size_t count) {
  const Int n = static_cast<Int>(count);
  Int total = 0, squares = 0;
  for (std::size_t j = 0; j < count; ++j) {
    total += sums[j];
    squares += sums[j] * sums[j];
  }
  const Int mean = total * 1024 / n;
  Int variance = (squares * ((Int{1} << 20) / n) - mean * mean) / (Int{1} << 20);
  if (variance < 1) variance = std::max<Int>(1, static_cast<Int>(10000.0f * gate.s_L));
  const Factor normalize = inverse_sqrt(variance);
  Factor to_gate = factor(gate.s_L);
  to_gate.exponent += 12;
  for (std::size_t j = 0; j < count; ++j) {
    const Int t = normalize(1024 * sums[j] - mean) * gate.L[j] + gate.b[j];
    sums[j] = saturate(to_gate((t > 0 ? t + 512 : t - 512) / 1024), 16);
  }
}

// ---- the cell

class SlowLstm {
 public:
  SlowLstm(const LstmGolden& golden, PeepholeStride stride)
      : golden_(golden),
        stride_(stride),
        h_(golden.batch * golden.n_out, golden.z_h),
        c_(golden.batch * golden.n_cell, 0) {}

  LstmGolden::Run run(const LstmGolden::Run& given) {
    LstmGolden::Run made{given.steps, given.x, {}, {}, {}};
    for (std::size_t t = 0; t < given.steps; ++t) {
      step(given.x.data() + t * golden_.batch * golden_.n_in);
      made.y.insert(made.y.end(), h_.begin(), h_.end());
    }
    made.h.assign(h_.begin(), h_.end());
    made.c.assign(c_.begin(), c_.end());
    return made;
  }

 private:
  // One gate of the whole batch, up to what its activation reads.
  Ints sums(const LstmGolden::Gate& gate, const std::int8_t* x) const {
    const std::size_t n_in = golden_.n_in, n_cell = golden_.n_cell, n_out = golden_.n_out;
    Ints result(golden_.batch * n_cell);
    const Factor from_x = factor(gate.s_W * golden_.s_x / gate.s_gate);
    const Factor from_h = factor(gate.s_R * golden_.s_h / gate.s_gate);
    for (std::size_t b = 0; b < golden_.batch; ++b) {
      for (std::size_t j = 0; j < n_cell; ++j) {
        Int input = golden_.layer_norm ? 0 : gate.b[j], recurrent = 0;
        for (std::size_t k = 0; k < n_in; ++k) input += Int{gate.W[j * n_in + k]} * (x[b * n_in + k] - golden_.z_x);
        for (std::size_t k = 0; k < n_out; ++k) recurrent += gate.R[j * n_out + k] * (h_[b * n_out + k] - golden_.z_h);
        result[b * n_cell + j] = saturate(saturate(from_x(input), 16) + from_h(recurrent), 16);
      }
    }
    if (!gate.P.empty()) add_peephole(gate, result);
    if (golden_.layer_norm)
      for (std::size_t b = 0; b < golden_.batch; ++b) layer_norm(gate, result.data() + b * n_cell, n_cell);
    return result;
  }

  void add_peephole(const LstmGolden::Gate& gate, Ints& sums) const {
    const Factor from_c = factor(golden_.s_c * gate.s_P / gate.s_gate);
    const std::size_t n_cell = golden_.n_cell;
    const std::size_t stride = stride_ == PeepholeStride::kRight ? n_cell : golden_.n_out;
    const std::size_t rows_a_call = golden_.time_major ? golden_.batch : 1;
    for (std::size_t first = 0; first < golden_.batch; first += rows_a_call) {
      for (std::size_t row = 0; row < rows_a_call; ++row) {
        for (std::size_t j = 0; j < stride; ++j) {
          const std::size_t at = first * n_cell + row * stride + j;
          sums[at] = saturate(sums[at] + from_c(gate.P[j] * c_[at]), 16);
        }
      }
    }
  }

  void step(const std::int8_t* x) {
    Ints f = sums(golden_.gates.at("forget"), x), z = sums(golden_.gates.at("cell"), x), i;
    for (Int& value : f) value = sigmoid(value);
    for (Int& value : z) value = tangent(value, 3);
    if (golden_.cifg) {
      for (const Int value : f) i.push_back(32767 - value);
    } else {
      i = sums(golden_.gates.at("input"), x);
      for (Int& value : i) value = sigmoid(value);
    }
    const int fraction_bits = -std::ilogb(golden_.s_c);
    const Int clip = static_cast<Int>(std::min(golden_.cell_clip / golden_.s_c, 32767.0f));
    for (std::size_t j = 0; j < c_.size(); ++j) {
      c_[j] = saturate(divide_by_pot(f[j] * c_[j], 15) + divide_by_pot(i[j] * z[j], 30 - fraction_bits), 16);
      if (clip > 0) c_[j] = std::clamp(c_[j], -clip, clip);
    }
    const Ints o = sums(golden_.gates.at("output"), x);
    const float s_m = golden_.projection ? golden_.s_m : golden_.s_h;
    const Int z_m = golden_.projection ? -golden_.z_m : golden_.z_h;  // the sign in which LiteRT reads it
    const Factor to_m = factor(0x1p-15f / s_m * 0x1p-15f);
    Ints m;
    for (std::size_t j = 0; j < c_.size(); ++j)
      m.push_back(saturate(to_m(sigmoid(o[j]) * tangent(c_[j], 15 - fraction_bits)) + z_m, 8));
    if (golden_.projection)
      project(m, z_m);
    else
      h_ = m;
  }

  void project(const Ints& m, Int z_m) {
    const Factor to_h = factor(golden_.s_projection * golden_.s_m / golden_.s_h);
    const Int clip = static_cast<Int>(std::min(golden_.projection_clip / golden_.s_h, 127.0f));
    for (std::size_t b = 0; b < golden_.batch; ++b) {
      for (std::size_t j = 0; j < golden_.n_out; ++j) {
        Int sum = golden_.b_projection[j];
        for (std::size_t k = 0; k < golden_.n_cell; ++k)
          sum += golden_.W_projection[j * golden_.n_cell + k] * (m[b * golden_.n_cell + k] - z_m);
        Int& out = h_[b * golden_.n_out + j];
        out = saturate(to_h(sum) + golden_.z_h, 8);
        if (clip > 0) out = std::clamp(out, -clip, clip);
      }
    }
  }

  const LstmGolden& golden_;
  PeepholeStride stride_;
  Ints h_, c_;
};

}  // namespace

std::array<LstmGolden::Run, 2> slow_lstm(const LstmGolden& golden, PeepholeStride stride) {
  SlowLstm cell(golden, stride);
  LstmGolden::Run first = cell.run(golden.runs[0]);
  LstmGolden::Run second = cell.run(golden.runs[1]);
  return {std::move(first), std::move(second)};
}

}  // namespace quaver::testing_support
