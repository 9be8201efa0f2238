#include "quaver/cells/lstm/test_lstm.h"

#include <algorithm>
#include <numeric>

#include "quaver/fixed/q_format.h"

namespace quaver::testing_support {
namespace {

double real(float x) { return static_cast<double>(x); }

}  // namespace

std::string variant_name(const LstmShape& shape) {
  std::string name;
  const auto add = [&](bool on, const char* word) {
    if (on) name += name.empty() ? word : std::string("_") + word;
  };
  add(shape.cifg, "cifg");
  add(shape.peephole, "peephole");
  add(shape.layer_norm, "norm");
  add(shape.projection, "projection");
  return name.empty() ? "plain" : name;
}

std::vector<LstmShape> lstm_variants(std::size_t n_in, std::size_t n_cell, std::size_t n_out) {
  std::vector<LstmShape> shapes;
  for (unsigned bits = 0; bits < 16; ++bits) {
    const bool projection = (bits & 1) != 0;
    shapes.push_back(
        {n_in, n_cell, projection ? n_out : n_cell, (bits & 8) != 0, (bits & 4) != 0, (bits & 2) != 0, projection});
  }
  return shapes;
}

RandomLstm::RandomLstm(const LstmShape& lstm, double gain, Random& random) : shape(lstm) {
  const std::size_t rows = shape.gate_count() * shape.n_cell;
  W = normal(random, rows * shape.n_in, gain / std::sqrt(static_cast<double>(shape.n_in)));
  R = normal(random, rows * shape.n_out, gain / std::sqrt(static_cast<double>(shape.n_out)));
  b = normal(random, rows, 0.3);
  for (std::size_t j = 0; j < shape.n_cell; ++j) b[shape.forget_gate() * shape.n_cell + j] += 1.0f;
  if (shape.peephole) P = normal(random, shape.peephole_count() * shape.n_cell, 0.3);
  if (shape.layer_norm) L = uniform(random, rows, 0.5, 1.5);
  if (shape.projection) {
    W_projection = normal(random, shape.n_out * shape.n_cell, gain / std::sqrt(static_cast<double>(shape.n_cell)));
    b_projection = normal(random, shape.n_out, 0.1);
  }
}

LstmFloatParams RandomLstm::params() const {
  LstmFloatParams params;
  const std::size_t rows = shape.gate_count() * shape.n_cell;
  params.shape = shape;
  params.W = {W.data(), rows, shape.n_in};
  params.R = {R.data(), rows, shape.n_out};
  params.b = b;
  params.P = P;
  params.L = L;
  if (shape.projection) params.W_projection = {W_projection.data(), shape.n_out, shape.n_cell};
  params.b_projection = b_projection;
  params.cell_clip = cell_clip;
  params.projection_clip = projection_clip;
  return params;
}

void RangeObserver::real(std::string_view point, std::span<const float> values) {
  auto& [low, high] = ranges[std::string(point)];
  for (const float value : values) {
    low = std::min(low, static_cast<double>(value));
    high = std::max(high, static_cast<double>(value));
  }
}

CodedLstm::CodedLstm(const RandomLstm& lstm, std::span<const float> x, WeightScales weight_scales, SumLimits sums)
    : shape_(lstm.shape) {
  formats_.sums = sums;
  const std::size_t gates = shape_.gate_count(), n = shape_.n_cell;
  const LstmRef cell(lstm.params());
  Running<LstmRef> running(cell);
  RangeObserver seen;
  for (std::size_t t = 0; t * shape_.n_in < x.size(); ++t)
    seen.real("output", {running.step(x.data() + t * shape_.n_in, &seen), shape_.n_out});
  const auto affine = [&](const char* point) {
    const auto [low, high] = seen.ranges.at(point);
    return affine_of(low, high);
  };
  const auto largest = [&](const std::string& point) {
    const auto [low, high] = seen.ranges.at(point);
    return std::max(-low, high);
  };
  const auto [x_low, x_high] = std::minmax_element(x.begin(), x.end());
  formats_.x = affine_of(std::min(0.0, real(*x_low)), std::max(0.0, real(*x_high)));
  formats_.h = affine("output");
  formats_.cell_integer_bits = power_of_two_integer_bits(1.01 * largest("cell"));
  const double cell_scale = std::ldexp(1.0, formats_.cell_integer_bits - 15);
  formats_.cell_clip = static_cast<std::int32_t>(std::min(real(lstm.cell_clip) / cell_scale, 32767.0));

  const std::size_t groups = weight_scales == WeightScales::kPerRow ? gates * n : gates;
  const std::span<const float> bias = shape_.layer_norm ? std::span<const float>() : lstm.b;
  W_scales_ = testing_support::weight_scales(lstm.W, groups, kI8Limit, bias, real(formats_.x.scale));
  R_scales_ = testing_support::weight_scales(lstm.R, groups, kI8Limit);
  W_ = codes_of<std::int8_t>(lstm.W, W_scales_, 1, kI8Limit);
  R_ = codes_of<std::int8_t>(lstm.R, R_scales_, 1, kI8Limit);
  constexpr std::int32_t kBiasLimit = 1 << 29;
  if (shape_.layer_norm) {
    L_scales_ = testing_support::weight_scales(lstm.L, gates, kI16Limit);
    L_ = codes_of<std::int16_t>(lstm.L, L_scales_, 1, kI16Limit);
    b_ = codes_of<std::int32_t>(lstm.b, L_scales_, 0x1p-10, kBiasLimit);
    for (std::size_t g = 0; g < gates; ++g) {
      const double range = largest("gate_" + std::string(lstm_gate_letter(shape_, g)));
      formats_.gate_scale[g] = symmetric_scale(1.01 * range, kI16Limit);
    }
  } else {
    b_ = codes_of<std::int32_t>(lstm.b, W_scales_, real(formats_.x.scale), kBiasLimit);
  }
  if (shape_.peephole) {
    P_scales_ = testing_support::weight_scales(lstm.P, shape_.peephole_count(), kI16Limit);
    P_ = codes_of<std::int16_t>(lstm.P, P_scales_, 1, kI16Limit);
  }
  if (shape_.projection) {
    formats_.m = affine("hidden");
    const std::size_t projection_groups = weight_scales == WeightScales::kPerRow ? shape_.n_out : 1;
    W_projection_scales_ = testing_support::weight_scales(lstm.W_projection, projection_groups, kI8Limit,
                                                          lstm.b_projection, real(formats_.m.scale));
    W_projection_ = codes_of<std::int8_t>(lstm.W_projection, W_projection_scales_, 1, kI8Limit);
    b_projection_ = codes_of<std::int32_t>(lstm.b_projection, W_projection_scales_, real(formats_.m.scale), kBiasLimit);
    if (lstm.projection_clip > 0) {  // a clamp of real values, so around the zero point
      const auto steps = static_cast<std::int32_t>(std::lround(lstm.projection_clip / formats_.h.scale));
      formats_.output_low = std::max(-128, formats_.h.zero_point - steps);
      formats_.output_high = std::min(127, formats_.h.zero_point + steps);
    }
  }
}

LstmIntParams CodedLstm::params() const {
  LstmIntParams params = formats_;
  const std::size_t rows = shape_.gate_count() * shape_.n_cell;
  params.shape = shape_;
  params.W = {W_.data(), rows, shape_.n_in};
  params.R = {R_.data(), rows, shape_.n_out};
  params.b = b_;
  params.P = P_;
  params.L = L_;
  if (shape_.projection) params.W_projection = {W_projection_.data(), shape_.n_out, shape_.n_cell};
  params.b_projection = b_projection_;
  params.W_scales = W_scales_;
  params.R_scales = R_scales_;
  params.P_scales = P_scales_;
  params.L_scales = L_scales_;
  params.W_projection_scales = W_projection_scales_;
  return params;
}

// ---- the budget

template <Reading reading>
auto LstmBudget<reading>::decoded(std::span<const std::int8_t> h, std::span<const std::int16_t> c) const -> State {
  State state;
  for (const std::int8_t code : h) state.h.push_back({real(coded_.h.scale) * (code - coded_.h.zero_point), 0});
  for (const std::int16_t code : c) state.c.push_back({std::ldexp(code, coded_.cell_integer_bits - 15), 0});
  return state;
}

template <Reading reading>
double LstmBudget<reading>::sum_step(std::size_t g) const {
  return coded_.shape.layer_norm ? real(coded_.gate_scale[g]) : Q3_12::kStep;
}

template <Reading reading>
auto LstmBudget<reading>::limited_to(const Affine& affine, std::int32_t low, std::int32_t high, Number x) const
    -> Number {
  return limited(x, real(affine.scale) * (low - affine.zero_point), real(affine.scale) * (high - affine.zero_point));
}

// (A31, A32) W x + b and R h, each requantized; where halves are cut off, each able to saturate.
template <Reading reading>
auto LstmBudget<reading>::sums(std::span<const float> x, const State& state) const -> std::vector<Number> {
  const LstmShape& shape = real_.shape;
  std::vector<Number> inputs;
  for (const float value : x)
    inputs.push_back(rounded(limited_to(coded_.x, -128, 127, {real(value), 0}), real(coded_.x.scale)));
  const std::vector<Number> zero(real_.W.rows());
  const std::vector<Number> a =
      product<reading>(real_.W, coded_.W_scales, inputs,
                       shape.layer_norm ? zero : coded<reading>(real_.b, coded_.W_scales, real(coded_.x.scale)));
  const std::vector<Number> u = product<reading>(real_.R, coded_.R_scales, state.h, zero);
  std::vector<Number> result;
  for (std::size_t r = 0; r < a.size(); ++r) {
    const double step = sum_step(r / shape.n_cell), end = coded_.sums.high * step;
    const Number half = limited(requantized(a[r], step), -end, end);
    result.push_back(limited(half + requantized(u[r], step), -end, end));
  }
  return result;
}

template <Reading reading>
void LstmBudget<reading>::add_peephole(std::size_t g, const std::vector<Number>& c, std::vector<Number>& sums) const {
  if (!real_.shape.peephole) return;
  const double step = sum_step(g), end = coded_.sums.high * step;
  const double weight_step = real(coded_.P_scales[g * coded_.P_scales.size() / real_.shape.peephole_count()]);
  for (std::size_t j = 0; j < c.size(); ++j) {
    const Number weight{real(real_.P[g * c.size() + j]), weight_step / 2};
    Number& sum = gate(sums, g)[j];
    sum = limited(sum + requantized(weight * c[j], step), -end, end);
  }
}

// (A40) What a bounded change of every element can do to their normalized values, and the rounding on the way.
template <Reading reading>
void LstmBudget<reading>::normalize(std::size_t g, std::vector<Number>& sums) const {
  const double sum_end = 32767 * sum_step(g);
  for (Number& sum : gate(sums, g)) sum = limited(sum, -sum_end, sum_end);
  if (!real_.shape.layer_norm) return;
  const std::span<Number> a = gate(sums, g);
  const double n = static_cast<double>(a.size()), step = sum_step(g);
  double mean = 0, variance = 0, mean_error = 0, square_error = 0, second_moment = 0;
  for (const Number& x : a) {
    mean += x.value / n;
    mean_error += x.error / n;
    square_error += x.error * x.error / n;
    second_moment += x.value * x.value / n;
  }
  for (const Number& x : a) variance += (x.value - mean) * (x.value - mean) / n;
  const double deviation = std::sqrt(variance + static_cast<double>(kLayerNormEpsilon));
  const double moved = std::sqrt(square_error);  // at most this much the deviation changes
  const double least = std::max(deviation - moved, step);
  // Integer variance: 1/n to 20 bits, the mean to 10 bits, one unit of truncation; then the inverse root's own error.
  const double variance_error = (n * 0x1p-20 * second_moment + step * step + 2 * std::abs(mean) * step * 0x1p-10 +
                                 static_cast<double>(kLayerNormEpsilon)) /
                                (least * least);
  const double relative = 1 / std::sqrt(1 - std::min(0.99, variance_error)) - 1 + 1.5e-6;
  const double end = std::sqrt(n - 1);  // no normalized value is larger
  const double weight_step = real(coded_.L_scales[g * coded_.L_scales.size() / real_.shape.gate_count()]);
  for (std::size_t j = 0; j < a.size(); ++j) {
    const std::size_t at = g * a.size() + j;
    const double value = (a[j].value - mean) / deviation;
    Number normal{value, 0};
    if (reading == Reading::kWorst) {
      const double largest = std::min(end, (std::abs(a[j].value - mean) + a[j].error + mean_error) / least);
      const double changed = (a[j].error + mean_error + largest * moved) / least + relative * largest;
      normal.error = std::min(changed, std::abs(value) + end * (1 + relative));
    } else {  // own error, and through mean and deviation the average of all the others
      const double shared = moved * std::sqrt((1 + value * value) / n);
      normal.error = std::min(together<reading>(a[j].error, shared) / least, end);
    }
    normal = with_error(normal, (0.76 + step / least) * 0x1p-10);  // its own rounding, the mean's truncation
    const Number weight{real(real_.L[at]), weight_step / 2};
    const Number shift{real(real_.b[at]), weight_step * 0x1p-11};
    a[j] = limited(requantized(rounded(weight * normal + shift, weight_step), Q3_12::kStep), -8 + Q3_12::kStep,
                   8 - Q3_12::kStep);
  }
}

template <Reading reading>
void LstmBudget<reading>::step(std::span<const float> x, State& state) const {
  const LstmShape& shape = real_.shape;
  const std::size_t f = shape.forget_gate(), z = shape.cell_gate(), o = shape.output_gate();
  std::vector<Number> a = sums(x, state);
  add_peephole(f, state.c, a);
  if (!shape.cifg) add_peephole(shape.input_gate(), state.c, a);
  for (const std::size_t g : {f, z}) normalize(g, a);
  if (!shape.cifg) normalize(shape.input_gate(), a);

  const double cell_step = std::ldexp(1.0, coded_.cell_integer_bits - 15);
  for (std::size_t j = 0; j < shape.n_cell; ++j) {
    const Number forget = sigmoid(gate(a, f)[j]);
    const Number input = shape.cifg ? with_error(Number{1, 0} - forget, Q0_15::kStep)  // 1 is coded as 32767
                                    : sigmoid(gate(a, shape.input_gate())[j]);
    Number c = rounded(forget * state.c[j], cell_step) +
               rounded(input * tangent(gate(a, z)[j], Q3_12::kIntegerBits), cell_step);
    c = limited(c, -32767 * cell_step, 32767 * cell_step);
    if (real_.cell_clip > 0) {
      const double limit = real(real_.cell_clip);
      c = with_error(Number{std::clamp(c.value, -limit, limit), c.error},
                     std::abs(limit - coded_.cell_clip * cell_step));
    }
    state.c[j] = c;
  }
  add_peephole(o, state.c, a);
  normalize(o, a);
  const Affine& m_format = shape.projection ? coded_.m : coded_.h;
  std::vector<Number> m;
  for (std::size_t j = 0; j < shape.n_cell; ++j) {
    const Number product = sigmoid(gate(a, o)[j]) * tangent(state.c[j], coded_.cell_integer_bits);
    m.push_back(limited_to(m_format, -128, 127, requantized(product, real(m_format.scale))));
  }
  state.h = m;
  if (!shape.projection) return;
  state.h = product<reading>(real_.W_projection, coded_.W_projection_scales, m,
                             coded<reading>(real_.b_projection, coded_.W_projection_scales, real(coded_.m.scale)));
  for (Number& h : state.h) {
    h = requantized(h, real(coded_.h.scale));
    if (real_.projection_clip > 0) {
      const double limit = real(real_.projection_clip);
      h = rounded(Number{std::clamp(h.value, -limit, limit), h.error}, real(coded_.h.scale));
    }
    h = limited_to(coded_.h, coded_.output_low, coded_.output_high, h);
  }
}

template class LstmBudget<Reading::kWorst>;
template class LstmBudget<Reading::kExpected>;

}  // namespace quaver::testing_support
