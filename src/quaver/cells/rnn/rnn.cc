#include "quaver/cells/rnn/rnn.h"

#include <algorithm>
#include <cmath>

#include "quaver/cells/row_scales.h"
#include "quaver/fixed/q_format.h"

namespace quaver {

RnnRef::RnnRef(const RnnFloatParams& params)
    : n_(params.n), relu_(params.relu), W_(params.W), R_(params.R), b_(params.b.begin(), params.b.end()) {}

void RnnRef::reset(std::byte* state) const noexcept { std::fill_n(reinterpret_cast<float*>(state), n_, 0.0f); }

const float* RnnRef::step(const float* x, std::byte* state, std::byte* scratch, Observer* observer) const noexcept {
  auto* h = reinterpret_cast<float*>(state);
  auto* a = reinterpret_cast<float*>(scratch);
  std::copy(b_.begin(), b_.end(), a);
  W_.add_to(x, a);
  R_.add_to(h, a);
  if (observer != nullptr) observer->real("pre_h", {a, n_});
  for (std::size_t j = 0; j < n_; ++j) h[j] = relu_ ? std::max(a[j], 0.0f) : std::tanh(a[j]);
  if (observer != nullptr) observer->real("state", {h, n_});
  return h;
}

RnnPrepared prepare(const RnnIntParams& params) {
  constexpr float kGateScale = static_cast<float>(Q3_12::kStep);
  const auto to_gate = [&](std::span<const float> scales, float input_scale) {
    return row_multipliers(params.n, scales,
                           [&](std::size_t, float scale) { return scale * input_scale / kGateScale; });
  };
  return {{params.n, params.sums, params.curve, StateCodes::from(params.h), params.wide_output},
          prepare_input(params.W, params.format, params.b, params.x.zero_point, params.wide_input,
                        to_gate(params.W_scales, params.x.scale)),
          prepare_product(params.R, params.format, {}, params.h.zero_point, to_gate(params.R_scales, params.h.scale))};
}

RnnInt::RnnInt(const RnnPrepared& prepared, Isa isa)
    : constants_(prepared.constants),
      state_(constants_.n, constants_.codes, isa),
      elementwise_(&elementwise_path(isa)),
      W_(prepared.W, isa),
      R_(prepared.R.weights, prepared.R.format, isa),
      B_R_(prepared.R.bias),
      r_W_(prepared.W.product.multipliers),
      r_R_(prepared.R.multipliers) {}

const std::int8_t* RnnInt::step(const std::int8_t* x, std::byte* state, std::byte* scratch,
                                Observer* observer) const noexcept {
  const std::size_t n = constants_.n;
  std::int16_t* h = state_.h(state);
  auto* a = reinterpret_cast<std::int32_t*>(scratch);
  auto* u = reinterpret_cast<std::int32_t*>(scratch + align_up(padded_rows(n) * sizeof(std::int32_t)));
  W_.run(x, a, scratch + 2 * align_up(padded_rows(n) * sizeof(std::int32_t)));
  R_.run(state_.copy(state), B_R_.data(), u);
  elementwise_->requantize_sum_i16(a, r_W_, u, r_R_, constants_.limits, n, h);
  if (observer != nullptr) observer->codes("pre_h", std::span<const std::int16_t>(h, n), Q3_12::kStep);
  elementwise_->curve(constants_.curve, h, Q3_12::kIntegerBits, n, h);
  state_.set_copy(state);
  if (observer != nullptr) observer->codes("state", std::span<const std::int16_t>(h, n), Q0_15::kStep);
  return state_.output(state, constants_.wide_output);
}

}  // namespace quaver
