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

RnnInt::RnnInt(const RnnIntParams& params, Isa isa)
    : n_(params.n),
      wide_output_(params.wide_output),
      elementwise_(&elementwise_path(isa)),
      W_(params.W, params.format, params.b, params.x.zero_point, params.wide_input, isa),
      R_(params.R, params.format, isa),
      B_R_(fold_zero_point(params.R, {}, params.h.zero_point)),
      limits_(params.sums),
      curve_(params.curve),
      codes_(StateCodes::from(params.h)) {
  constexpr float kGateScale = static_cast<float>(Q3_12::kStep);
  r_W_ = row_multipliers(n_, params.W_scales,
                         [&](std::size_t, float scale) { return scale * params.x.scale / kGateScale; });
  r_R_ = row_multipliers(n_, params.R_scales,
                         [&](std::size_t, float scale) { return scale * params.h.scale / kGateScale; });
}

std::vector<StatePart> RnnInt::state_parts() const {
  return {{"h", NumberType::kI16, n_},
          {"h8", NumberType::kI8, n_, align_up(n_ * sizeof(std::int16_t)), /*derived=*/true}};
}

void RnnInt::reset(std::byte* state) const noexcept {
  std::fill_n(reinterpret_cast<std::int16_t*>(state), n_, std::int16_t{0});
  restore_derived(state);
}

void RnnInt::restore_derived(std::byte* state) const noexcept {
  elementwise_->state_codes(reinterpret_cast<const std::int16_t*>(state), codes_, n_,
                            reinterpret_cast<std::int8_t*>(state + align_up(n_ * sizeof(std::int16_t))));
}

const std::int8_t* RnnInt::step(const std::int8_t* x, std::byte* state, std::byte* scratch,
                                Observer* observer) const noexcept {
  auto* h = reinterpret_cast<std::int16_t*>(state);
  auto* h8 = reinterpret_cast<std::int8_t*>(state + align_up(n_ * sizeof(std::int16_t)));
  auto* a = reinterpret_cast<std::int32_t*>(scratch);
  auto* u = reinterpret_cast<std::int32_t*>(scratch + align_up(padded_rows(n_) * sizeof(std::int32_t)));
  W_.run(x, a, scratch + 2 * align_up(padded_rows(n_) * sizeof(std::int32_t)));
  R_.run(h8, B_R_.data(), u);
  elementwise_->requantize_sum_i16(a, r_W_, u, r_R_, limits_, n_, h);
  if (observer != nullptr) observer->codes("pre_h", std::span<const std::int16_t>(h, n_), Q3_12::kStep);
  elementwise_->curve(curve_, h, Q3_12::kIntegerBits, n_, h);
  elementwise_->state_codes(h, codes_, n_, h8);
  if (observer != nullptr) observer->codes("state", std::span<const std::int16_t>(h, n_), Q0_15::kStep);
  return wide_output_ ? reinterpret_cast<const std::int8_t*>(h) : h8;
}

}  // namespace quaver
