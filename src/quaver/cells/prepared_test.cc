// What prepare() returns is enough to run a cell: steps that are written here from its fields alone, with the scalar
// functions of fixed/, give the bits of the packed cells.
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "quaver/cells/feedforward/dense.h"
#include "quaver/cells/gru/int.h"
#include "quaver/cells/lstm/int.h"
#include "quaver/cells/rnn/rnn.h"
#include "quaver/cells/test_cells.h"
#include "quaver/cells/wide_input.h"
#include "quaver/kernels/norm/norm.h"

namespace quaver {
namespace {

using namespace testing_support;

constexpr std::size_t kIn = 19, kUnits = 37, kOut = 23, kSteps = 25;

using Codes = std::vector<std::int8_t>;

std::int16_t sat16(std::int64_t x) { return saturate<std::int16_t>(x); }
std::int32_t cut(std::int64_t x, SumLimits limits) {
  return static_cast<std::int32_t>(std::clamp<std::int64_t>(x, limits.low, limits.high));
}
std::int8_t to_code(std::int64_t steps, const OutputCodes& codes) {
  return static_cast<std::int8_t>(std::clamp<std::int64_t>(steps + codes.zero_point, codes.low, codes.high));
}

std::int32_t sum_of(const PreparedProduct& product, std::size_t row, const Codes& x) {  // (A15)
  std::int64_t sum = product.bias[row];
  for (std::size_t c = 0; c < x.size(); ++c) sum += product.weights(row, c) * x[c];
  return static_cast<std::int32_t>(sum);
}
std::int32_t addend(const PreparedProduct& product, std::size_t row, const Codes& x) {  // (A5)
  return product.multipliers.rescaling(row).apply(sum_of(product, row, x));
}

// The halves of an input as int8 codes; `high` is empty unless it is wide.
struct Input {
  Codes low, high;
  Input(const Codes& x, bool wide) : low(x) {
    if (!wide) return;
    low.resize(x.size() / 2);
    high.resize(x.size() / 2);
    split_wide(x.data(), low.size(), low.data(), high.data());
  }
};
// (A16, A45) The input half of a gate's sum.
std::int32_t first_addends(const PreparedProduct& W, const PreparedProduct& W_high, std::size_t row, const Input& x,
                           SumLimits limits) {
  const std::int32_t sum = cut(addend(W, row, x.low), limits);
  return x.high.empty() ? sum : cut(std::int64_t{sum} + addend(W_high, row, x.high), limits);
}
// (A45) Of cells that add products before they scale them.
std::int32_t whole_addend(const PreparedInput& W, std::size_t row, const Input& x) {
  std::int64_t sum = sum_of(W.product, row, x.low);
  for (std::size_t c = 0; c < x.high.size(); ++c) sum += kHighFactor * W.product.weights(row, c) * x.high[c];
  return W.product.multipliers.rescaling(row).apply(static_cast<std::int32_t>(sum));
}

// A step gives what the cell's output() holds.
Codes bytes_of(const std::vector<std::int16_t>& h) {
  const auto* bytes = reinterpret_cast<const std::int8_t*>(h.data());
  return {bytes, bytes + h.size() * sizeof(std::int16_t)};
}

class WrittenLstm {
 public:
  explicit WrittenLstm(LstmPrepared prepared)
      : p(std::move(prepared)),
        h_(p.constants.shape.n_out, static_cast<std::int8_t>(p.constants.h_codes.zero_point)),
        wide_h_(p.constants.shape.n_out),
        c_(p.constants.shape.n_cell) {}
  Codes step(const Codes& codes) {
    const LstmConstants& k = p.constants;
    const LstmShape& shape = k.shape;
    const LstmRule& rule = k.rule;
    const std::size_t n = shape.n_cell;
    const Input x(codes, p.W_high.weights.rows() > 0);
    std::vector<std::int32_t> sums;
    for (std::size_t row = 0; row < shape.gate_count() * n; ++row) {
      const std::int64_t a = first_addends(p.W, p.W_high, row, x, rule.limits);
      sums.push_back(static_cast<std::int32_t>(a + addend(p.R, row, h_)));
    }
    const auto gate = [&](std::size_t g, bool peephole, Curve curve) {
      std::vector<std::int16_t> values(n);
      for (std::size_t j = 0; j < n; ++j) {
        const std::size_t row = g * n + j;
        values[j] =
            !peephole
                ? sat16(sums[row])  // (A17, A19)
                : sat16(std::int64_t{cut(sums[row], rule.limits)} + k.peephole_multipliers[g].apply(k.P[row] * c_[j]));
      }
      if (shape.layer_norm)
        layer_norm_path(Isa::kScalar)
            .layer_norm(values.data(), k.L.data() + g * n, k.b_norm.data() + g * n, k.norm_rules[g], n, values.data());
      for (std::int16_t& value : values) value = curve_row(curve).apply(value, 3);
      return values;
    };
    const auto f = gate(shape.forget_gate(), shape.peephole, rule.curves.gate);
    auto i = f;
    if (shape.cifg) {
      for (std::int16_t& value : i) value = sat16(32767 - value);  // (A21)
    } else {
      i = gate(shape.input_gate(), shape.peephole, rule.curves.gate);
    }
    const auto z = gate(shape.cell_gate(), false, rule.curves.candidate);
    const std::int32_t clip = rule.cell_clip > 0 ? rule.cell_clip : 32768;
    for (std::size_t j = 0; j < n; ++j) {  // (A22)
      c_[j] = sat16(divide_by_pot(f[j] * c_[j], 15) + divide_by_pot(i[j] * z[j], 15 + rule.cell_integer_bits));
      c_[j] = static_cast<std::int16_t>(std::clamp<std::int32_t>(c_[j], -clip, clip));
    }
    const auto o = gate(shape.output_gate(), shape.peephole, rule.curves.gate);
    Codes m(n);
    for (std::size_t j = 0; j < n; ++j) {
      const std::int32_t product = o[j] * curve_row(rule.curves.cell).apply(c_[j], rule.cell_integer_bits);
      m[j] = to_code(rule.output.apply(product), rule.codes);                                 // (A23)
      if (k.wide_output) wide_h_[j] = static_cast<std::int16_t>(divide_by_pot(product, 15));  // (A46)
    }
    if (k.wide_output) {
      for (std::size_t j = 0; j < n; ++j) h_[j] = k.h8_codes.code(wide_h_[j]);
      return bytes_of(wide_h_);
    }
    h_ = m;
    if (!shape.projection) return h_;
    h_.resize(shape.n_out);
    for (std::size_t j = 0; j < h_.size(); ++j) h_[j] = to_code(addend(p.projection, j, m), k.h_codes);  // (A18)
    return h_;
  }

 private:
  LstmPrepared p;
  Codes h_;
  std::vector<std::int16_t> wide_h_, c_;
};

class WrittenGru {
 public:
  explicit WrittenGru(GruPrepared prepared) : p(std::move(prepared)), h_(p.constants.shape.n) {}
  Codes step(const Codes& codes) {
    const GruRule& rule = p.constants.rule;
    const std::size_t n = rule.units;
    const bool after = p.constants.shape.linear_before_reset;
    const Input x(codes, p.W_high.weights.rows() > 0);
    const Codes copy = copies();
    const auto gate = [&](std::size_t row) {  // (A20)
      const std::int64_t u = cut(addend(p.R, row, copy), rule.limits);
      return curve_row(rule.curves.gate).apply(sat16(first_addends(p.W, p.W_high, row, x, rule.limits) + u), 4);
    };
    Codes reset(n);
    for (std::size_t j = 0; j < n; ++j) reset[j] = rule.codes.code_of_product(gate(n + j), h_[j]);  // (A25)
    std::vector<std::int16_t> next(n);
    for (std::size_t j = 0; j < n; ++j) {
      const std::int64_t u =
          after ? divide_by_pot(gate(n + j) * sat16(addend(p.R, 2 * n + j, copy)), rule.reset_shift)  // (A24)
                : addend(p.R_candidate, j, reset);
      const std::int64_t sum = first_addends(p.W, p.W_high, 2 * n + j, x, rule.limits) + u;
      const std::int16_t candidate = curve_row(rule.curves.candidate).apply(sat16(sum), 3);
      next[j] = sat16(candidate + divide_by_pot(gate(j) * (h_[j] - candidate), 15));  // (A26)
    }
    h_ = next;
    return p.constants.wide_output ? bytes_of(h_) : copies();
  }

 private:
  Codes copies() const {  // (A27)
    Codes codes;
    for (const std::int16_t h : h_) codes.push_back(p.constants.rule.codes.code(h));
    return codes;
  }
  GruPrepared p;
  std::vector<std::int16_t> h_;
};

class WrittenRnn {
 public:
  explicit WrittenRnn(RnnPrepared prepared) : p(std::move(prepared)), h_(p.constants.n) {}
  Codes step(const Codes& codes) {
    const Input x(codes, p.W.wide);
    const Codes copy = copies();
    for (std::size_t j = 0; j < h_.size(); ++j) {
      const std::int64_t a = cut(whole_addend(p.W, j, x), p.constants.limits);
      h_[j] = curve_row(p.constants.curve).apply(sat16(a + addend(p.R, j, copy)), 3);
    }
    return p.constants.wide_output ? bytes_of(h_) : copies();
  }

 private:
  Codes copies() const {
    Codes codes;
    for (const std::int16_t h : h_) codes.push_back(p.constants.codes.code(h));
    return codes;
  }
  RnnPrepared p;
  std::vector<std::int16_t> h_;
};

Codes random_codes(std::size_t count, Random& random, std::int32_t limit = 127) {
  Codes codes(count);
  for (std::int8_t& code : codes) code = static_cast<std::int8_t>(random.between(-limit, limit));
  return codes;
}
template <typename T>
std::vector<T> random_integers(std::size_t count, Random& random, std::int32_t limit) {
  std::vector<T> values(count);
  for (T& value : values) value = static_cast<T>(random.between(-limit, limit));
  return values;
}

// Everything that the parameters of a cell point to, of one format.
struct Weights {
  Weights(WeightFormatId id, std::size_t gates) : format(id) {
    const std::int32_t limit = weight_format(id).limit;
    W = random_codes(gates * kUnits * kIn, random, limit);
    R = random_codes(gates * kUnits * kUnits, random, limit);
    projection = random_codes(kOut * kUnits, random, limit);
    for (std::vector<std::int8_t>* codes : {&W, &R, &projection})
      for (std::int8_t& code : *codes)
        if (!weight_format(id).holds(code)) code = 1;
    b = random_integers<std::int32_t>(gates * kUnits, random, 3000);
    P = random_integers<std::int16_t>(3 * kUnits, random, 3000);
    L = random_integers<std::int16_t>(gates * kUnits, random, 30000);
    for (std::size_t row = 0; row < gates * kUnits; ++row)
      scales.push_back(static_cast<float>(random.uniform(0.1, 1.0)) / static_cast<float>(limit));
  }
  template <typename Params>
  void give(Params& params, std::size_t gates, std::size_t n_out, bool wide) const {
    params.format = format;
    params.W = {W.data(), gates * kUnits, kIn};
    params.R = {R.data(), gates * kUnits, n_out};
    params.b = b;
    params.W_scales = params.R_scales = scales;
    params.x = wide ? Affine{1e-4f, 0} : Affine{0.04f, 3};
    params.h = {0.6f / 128, -9};
    params.sums = kWholeSums;
    params.wide_input = wide;
  }
  Random random{31};
  WeightFormatId format;
  Codes W, R, projection;
  std::vector<std::int32_t> b;
  std::vector<std::int16_t> P, L;
  Floats scales;
};

template <typename Cell, typename Written, typename Params>
void expect_bits_of_the_cell(const Params& params) {
  const auto prepared = prepare(params);
  const std::size_t bytes = kIn * (params.wide_input ? 2 : 1);
  for (const Isa isa : paths_here()) {
    const Cell cell(prepared, isa);
    Running<Cell> running(cell);
    Written written(prepared);
    Random random(8);
    for (std::size_t t = 0; t < kSteps; ++t) {
      const Codes x = random_codes(bytes, random), expected = written.step(x);
      const std::int8_t* found = running.step(x.data());
      ASSERT_TRUE(std::equal(expected.begin(), expected.end(), found)) << isa_name(isa) << " step " << t;
    }
  }
}

TEST(Prepared, IsEnoughForAnLstm) {
  for (const WeightFormat& format : weight_formats()) {
    for (unsigned variant = 0; variant < 64; ++variant) {
      LstmIntParams params;
      params.shape = {.n_in = kIn, .n_cell = kUnits, .n_out = kUnits};
      params.shape.cifg = (variant & 1) != 0;
      params.shape.peephole = (variant & 2) != 0;
      params.shape.layer_norm = (variant & 4) != 0;
      params.shape.projection = (variant & 8) != 0;
      params.wide_output = (variant & 32) != 0;
      if (params.shape.projection && params.wide_output) continue;
      if (params.shape.projection) params.shape.n_out = kOut;
      const std::size_t gates = params.shape.gate_count();
      const Weights weights(format.id, gates);
      weights.give(params, gates, params.shape.n_out, (variant & 16) != 0);
      const Floats one{0.001f};
      params.P_scales = params.L_scales = one;
      if (params.shape.peephole) params.P = std::span(weights.P).first(params.shape.peephole_count() * kUnits);
      if (params.shape.layer_norm) {
        params.L = weights.L;
        params.b_input = weights.b;
      }
      if (params.shape.projection) {
        params.W_projection = {weights.projection.data(), kOut, kUnits};
        params.b_projection = std::span(weights.b).first(kOut);
        params.W_projection_scales = std::span(weights.scales).first(kOut);
        params.m = {0.004f, 11};
      }
      params.gate_scale.fill(3e-4f);
      params.cell_integer_bits = 2;
      params.cell_clip = variant % 3 == 0 ? 5000 : 0;
      SCOPED_TRACE(std::string(format.name) + " variant " + std::to_string(variant));
      expect_bits_of_the_cell<LstmInt, WrittenLstm>(params);
    }
  }
}

TEST(Prepared, IsEnoughForAGru) {
  for (const WeightFormat& format : weight_formats()) {
    for (unsigned variant = 0; variant < 8; ++variant) {
      const Weights weights(format.id, 3);
      GruIntParams params;
      params.shape = {kIn, kUnits, (variant & 1) != 0};
      weights.give(params, 3, kUnits, (variant & 2) != 0);
      params.b_recurrent = std::span(weights.b).first((variant & 4) != 0 ? kUnits : 3 * kUnits);
      params.candidate_integer_bits = 5;
      params.wide_output = (variant & 4) != 0;
      SCOPED_TRACE(std::string(format.name) + " variant " + std::to_string(variant));
      expect_bits_of_the_cell<GruInt, WrittenGru>(params);
    }
  }
}

TEST(Prepared, IsEnoughForAnRnn) {
  for (const WeightFormat& format : weight_formats()) {
    for (unsigned variant = 0; variant < 4; ++variant) {
      const Weights weights(format.id, 1);
      RnnIntParams params;
      params.n_in = kIn;
      params.n = kUnits;
      weights.give(params, 1, kUnits, (variant & 1) != 0);
      params.wide_output = (variant & 2) != 0;
      SCOPED_TRACE(std::string(format.name) + " variant " + std::to_string(variant));
      expect_bits_of_the_cell<RnnInt, WrittenRnn>(params);
    }
  }
}

TEST(Prepared, IsEnoughForADenseLayer) {
  for (const WeightFormat& format : weight_formats()) {
    for (const bool wide : {false, true}) {
      const Weights weights(format.id, 1);
      const DenseIntParams params{{weights.W.data(), kUnits, kIn},
                                  weights.b,
                                  weights.scales,
                                  wide ? Affine{1e-4f, 0} : Affine{0.04f, 3},
                                  {0.05f, 7},
                                  format.id,
                                  wide};
      const DensePrepared prepared = prepare(params);
      Random random(5);
      const Codes codes = random_codes(kIn * (wide ? 2 : 1), random);
      const Input x(codes, wide);
      for (const Isa isa : paths_here()) {
        const DenseInt layer(prepared, isa);
        Codes y(kUnits);
        std::vector<std::int16_t> y16(kUnits);
        AlignedVector<std::byte> scratch(layer.scratch_bytes());
        layer.run(codes.data(), y.data(), scratch.data());
        layer.run(codes.data(), y16.data(), scratch.data());
        for (std::size_t row = 0; row < kUnits; ++row) {
          const std::int32_t steps = whole_addend(prepared.W, row, x);
          ASSERT_EQ(y[row], to_code(steps, prepared.codes)) << format.name << " " << isa_name(isa) << " row " << row;
          ASSERT_EQ(y16[row], sat16(steps)) << format.name << " " << isa_name(isa) << " row " << row;
        }
      }
    }
  }
}

}  // namespace
}  // namespace quaver
