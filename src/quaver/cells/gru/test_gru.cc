#include "quaver/cells/gru/test_gru.h"

#include "quaver/fixed/q_format.h"

namespace quaver::testing_support {
namespace {

double real(float x) { return static_cast<double>(x); }

template <typename T>
MatrixView<T> rows_of(MatrixView<T> matrix, std::size_t first, std::size_t count) {
  return {matrix.data() + first * matrix.cols(), count, matrix.cols()};
}

// The scales of rows [first, first + count) of `rows`, one for each.
Floats scales_of(std::span<const float> scales, std::size_t rows, std::size_t first, std::size_t count) {
  Floats result;
  for (std::size_t row = first; row < first + count; ++row) result.push_back(scales[row * scales.size() / rows]);
  return result;
}

}  // namespace

RandomGru::RandomGru(const GruShape& gru, double recurrent_gain, Random& random) : shape(gru) {
  const double in = 1 / std::sqrt(static_cast<double>(shape.n_in));
  const double recurrent = recurrent_gain / std::sqrt(static_cast<double>(shape.n));
  W = uniform(random, 3 * shape.n * shape.n_in, -in, in);
  R = uniform(random, 3 * shape.n * shape.n, -recurrent, recurrent);
  b = uniform(random, 3 * shape.n, -0.3, 0.3);
  b_recurrent = uniform(random, 3 * shape.n, -0.3, 0.3);
}

GruFloatParams RandomGru::params() const {
  return {shape, {W.data(), 3 * shape.n, shape.n_in}, {R.data(), 3 * shape.n, shape.n}, b, b_recurrent};
}

CodedGru::CodedGru(const RandomGru& gru, const Affine& x, WeightScales weight_scales, const GruFormats& formats)
    : shape_(gru.shape), x_(x), formats_(formats) {
  const double copy_step = real(formats.h.scale);
  const std::size_t groups = weight_scales == WeightScales::kPerRow ? 3 * shape_.n : 3;
  constexpr std::int32_t kBiasLimit = 1 << 29;
  W_scales_ = testing_support::weight_scales(gru.W, groups, kI8Limit, gru.b, real(x.scale));
  R_scales_ = testing_support::weight_scales(gru.R, groups, kI8Limit, gru.b_recurrent, copy_step);
  W_ = codes_of<std::int8_t>(gru.W, W_scales_, 1, kI8Limit);
  R_ = codes_of<std::int8_t>(gru.R, R_scales_, 1, kI8Limit);
  b_ = codes_of<std::int32_t>(gru.b, W_scales_, real(x.scale), kBiasLimit);
  b_recurrent_ = codes_of<std::int32_t>(gru.b_recurrent, R_scales_, copy_step, kBiasLimit);
}

GruIntParams CodedGru::params() const {
  return {shape_,
          {W_.data(), 3 * shape_.n, shape_.n_in},
          {R_.data(), 3 * shape_.n, shape_.n},
          b_,
          b_recurrent_,
          W_scales_,
          R_scales_,
          x_,
          formats_.h,
          formats_.candidate_integer_bits,
          WeightFormatId::kI8,
          formats_.sums};
}

RandomGru CodedGru::decoded() const {
  RandomGru gru(shape_);
  const auto decode = [](const auto& codes, const Floats& scales, double factor) {
    Floats values;
    for (std::size_t i = 0; i < codes.size(); ++i) {
      const double scale = real(scales[i * scales.size() / codes.size()]);
      values.push_back(static_cast<float>(codes[i] * (factor * scale)));
    }
    return values;
  };
  gru.W = decode(W_, W_scales_, 1);
  gru.R = decode(R_, R_scales_, 1);
  gru.b = decode(b_, W_scales_, real(x_.scale));
  gru.b_recurrent = decode(b_recurrent_, R_scales_, real(formats_.h.scale));
  return gru;
}

template <Reading reading>
GruBudget<reading>::GruBudget(const GruFloatParams& real_params, const GruIntParams& coded, Operands operands)
    : real_(real_params),
      x_format_(coded.x),
      formats_{coded.h, coded.candidate_integer_bits, coded.sums},
      x_step_(operands == Operands::kRounded ? real(coded.x.scale) : 0),
      W_steps_(coded.W_scales.begin(), coded.W_scales.end()),
      R_steps_(coded.R_scales.begin(), coded.R_scales.end()) {
  if (operands == Operands::kRounded) return;
  std::ranges::fill(W_steps_, 0.0f);
  std::ranges::fill(R_steps_, 0.0f);
}

template <Reading reading>
auto GruBudget<reading>::decoded(std::span<const std::int16_t> h) const -> std::vector<Number> {
  std::vector<Number> state;
  for (const std::int16_t code : h) state.push_back({code * Q0_15::kStep, 0});
  return state;
}

template <Reading reading>
void GruBudget<reading>::step(std::span<const float> x, std::vector<Number>& h) const {
  const std::size_t n = real_.shape.n;
  const auto limit_of = [n](std::size_t row) { return row < 2 * n ? 16.0 : 8.0; };  // Q4.11 of z and r, Q3.12
  const auto half = [&](Number a, std::size_t row) {
    const double step = limit_of(row) * 0x1p-15;
    return limited(requantized(a, step), formats_.sums.low * step, formats_.sums.high * step);
  };
  const auto add = [&](Number a, Number u, std::size_t row) {
    return limited(a + u, -limit_of(row), limit_of(row) * (1 - 0x1p-15));
  };
  const double copy_step = real(formats_.h.scale);
  const auto copy = [&](Number value) {  // (A34), |h| <= 1
    return limited(rounded(rounded(value, 3 * 0x1p-15), copy_step), copy_step * (-128 - formats_.h.zero_point),
                   copy_step * (127 - formats_.h.zero_point));
  };
  const double low = real(x_format_.scale) * (-128 - x_format_.zero_point);
  const double high = low + 255 * real(x_format_.scale);
  std::vector<Number> inputs, copies;
  for (const float value : x) inputs.push_back(rounded(limited(Number{real(value), 0}, low, high), x_step_));
  for (const Number& value : h) copies.push_back(copy(value));

  std::vector<Number> a =
      product<reading>(real_.W, W_steps_, inputs, coded<reading>(real_.b, W_steps_, real(x_format_.scale)));
  const std::vector<Number> b_recurrent = coded<reading>(real_.b_recurrent, R_steps_, copy_step);
  const auto recurrent = [&](std::size_t first, std::size_t count, const std::vector<Number>& operand,
                             const auto& to_sum) {
    const auto start = b_recurrent.begin() + static_cast<std::ptrdiff_t>(first);
    std::vector<Number> u = product<reading>(rows_of(real_.R, first, count), scales_of(R_steps_, 3 * n, first, count),
                                             operand, {start, start + static_cast<std::ptrdiff_t>(count)});
    for (std::size_t j = 0; j < count; ++j) u[j] = to_sum(u[j], first + j);
    return u;
  };
  for (std::size_t row = 0; row < 3 * n; ++row) a[row] = half(a[row], row);
  const std::vector<Number> u = recurrent(0, 2 * n, copies, half);
  std::vector<Number> z, r, candidate;
  for (std::size_t j = 0; j < n; ++j) {
    z.push_back(sigmoid(add(a[j], u[j], j)));
    r.push_back(sigmoid(add(a[n + j], u[n + j], n + j)));
  }
  if (real_.shape.linear_before_reset) {
    const double end = std::ldexp(1.0, formats_.candidate_integer_bits), step = end * 0x1p-15;
    const std::vector<Number> v = recurrent(2 * n, n, copies, [&](Number value, std::size_t) {
      return limited(requantized(value, step), -end, end - step);
    });
    for (std::size_t j = 0; j < n; ++j)
      candidate.push_back(add(a[2 * n + j], rounded(r[j] * v[j], Q3_12::kStep), 2 * n + j));
  } else {
    std::vector<Number> operand;
    for (std::size_t j = 0; j < n; ++j) operand.push_back(copy(rounded(r[j] * h[j], 2 * 0x1p-15)));  // cut
    const std::vector<Number> v =
        recurrent(2 * n, n, operand, [](Number value, std::size_t) { return requantized(value, Q3_12::kStep); });
    for (std::size_t j = 0; j < n; ++j) candidate.push_back(add(a[2 * n + j], v[j], 2 * n + j));
  }
  for (std::size_t j = 0; j < n; ++j) {
    // (A36) n (1 - z) + z h, with each operand's error once: z stands for itself in both places.
    const Number c = tangent(candidate[j], Q3_12::kIntegerBits);
    const double spread = std::abs(h[j].value - c.value);
    const double gate = reading == Reading::kWorst ? std::min(1.0, z[j].value + z[j].error) : z[j].value;
    const double open = reading == Reading::kWorst ? std::min(1.0, 1 - z[j].value + z[j].error) : 1 - z[j].value;
    const double error = together<reading>(together<reading>(open * c.error, gate * h[j].error), spread * z[j].error);
    h[j] = rounded(Number{c.value + z[j].value * (h[j].value - c.value), error}, Q0_15::kStep);
  }
}

template class GruBudget<Reading::kWorst>;
template class GruBudget<Reading::kExpected>;

}  // namespace quaver::testing_support
