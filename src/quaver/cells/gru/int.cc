#include "quaver/cells/gru/int.h"

#include <algorithm>

#include "quaver/cells/row_scales.h"
#include "quaver/fixed/q_format.h"

namespace quaver {
namespace {

constexpr float kStateScale = 1.0f / 128.0f;  // of h8

MatrixView<const std::int8_t> rows_of(MatrixView<const std::int8_t> matrix, std::size_t first, std::size_t count) {
  return {matrix.data() + first * matrix.cols(), count, matrix.cols()};
}

}  // namespace

struct GruInt::Buffers {
  std::int32_t* acc;   // [padded 3n]
  std::int16_t* a;     // [3n] input half
  std::int16_t* u;     // [3n] recurrent half
  std::int8_t* reset;  // [n] r .* h
  std::size_t used;
};

GruInt::Buffers GruInt::lay_out(std::byte* scratch) const noexcept {
  Scratch pieces(scratch);
  Buffers buffers{};
  buffers.acc = pieces.take<std::int32_t>(padded_rows(3 * shape_.n));
  buffers.a = pieces.take<std::int16_t>(3 * shape_.n);
  buffers.u = pieces.take<std::int16_t>(3 * shape_.n);
  buffers.reset = pieces.take<std::int8_t>(shape_.n);
  buffers.used = pieces.used();
  return buffers;
}

GruInt::GruInt(const GruIntParams& params, Isa isa)
    : shape_(params.shape),
      elementwise_(&elementwise_path(isa)),
      W_(params.W, isa),
      B_W_(fold_zero_point(params.W, params.b, params.x.zero_point)) {
  constexpr float kGateScale = static_cast<float>(Q3_12::kStep);
  const std::size_t n = shape_.n;
  r_W_ = row_multipliers(3 * n, params.W_scales,
                         [&](std::size_t, float scale) { return scale * params.x.scale / kGateScale; });
  const RowMultipliers recurrent = row_multipliers(
      3 * n, params.R_scales, [&](std::size_t, float scale) { return scale * kStateScale / kGateScale; });
  const auto slice = [&](std::size_t first, std::size_t count) {
    std::vector<Multiplier> rows;
    for (std::size_t row = first; row < first + count; ++row) rows.push_back(recurrent.at(row));
    return RowMultipliers::from(rows);
  };
  std::vector<std::int32_t> b_recurrent(3 * n);  // gates without one have 0
  std::ranges::copy(params.b_recurrent, b_recurrent.end() - static_cast<std::ptrdiff_t>(params.b_recurrent.size()));
  const std::span<const std::int32_t> bias(b_recurrent);
  const std::size_t together = shape_.linear_before_reset ? 3 * n : 2 * n;  // rows that read h8 itself
  R_ = PackedMatrix(rows_of(params.R, 0, together), isa);
  B_R_ = fold_zero_point(rows_of(params.R, 0, together), bias.first(together), 0);
  r_R_ = slice(0, together);
  if (!shape_.linear_before_reset) {
    R_candidate_ = PackedMatrix(rows_of(params.R, 2 * n, n), isa);
    B_candidate_ = fold_zero_point(rows_of(params.R, 2 * n, n), bias.subspan(2 * n), 0);
    r_candidate_ = slice(2 * n, n);
  }
}

std::size_t GruInt::weight_bytes() const { return W_.bytes() + R_.bytes() + R_candidate_.bytes(); }

std::vector<StatePart> GruInt::state_parts() const {
  return {{"h", StateType::kI16, shape_.n},
          {"h8", StateType::kI8, shape_.n, align_up(shape_.n * sizeof(std::int16_t)), /*derived=*/true}};
}

std::size_t GruInt::scratch_bytes() const { return lay_out(nullptr).used; }

void GruInt::reset(std::byte* state) const noexcept {
  std::fill_n(reinterpret_cast<std::int16_t*>(state), shape_.n, std::int16_t{0});
  restore_derived(state);
}

void GruInt::restore_derived(std::byte* state) const noexcept {
  elementwise_->narrow_state(reinterpret_cast<const std::int16_t*>(state), shape_.n,
                             reinterpret_cast<std::int8_t*>(state + align_up(shape_.n * sizeof(std::int16_t))));
}

const std::int8_t* GruInt::step(const std::int8_t* x, std::byte* state, std::byte* scratch,
                                Observer* observer) const noexcept {
  const std::size_t n = shape_.n;
  auto* h = reinterpret_cast<std::int16_t*>(state);
  auto* h8 = reinterpret_cast<std::int8_t*>(state + align_up(n * sizeof(std::int16_t)));
  const Buffers buffers = lay_out(scratch);
  const ElementwisePath& run = *elementwise_;
  std::int16_t *z = buffers.a, *r = buffers.a + n, *candidate = buffers.a + 2 * n;
  const auto report = [&](std::string_view point, const std::int16_t* values, double scale) {
    if (observer != nullptr) observer->codes(point, std::span<const std::int16_t>(values, n), scale);
  };

  W_.run(x, B_W_.data(), buffers.acc);
  run.requantize_i16(buffers.acc, r_W_, 3 * n, buffers.a);
  R_.run(h8, B_R_.data(), buffers.acc);
  run.requantize_i16(buffers.acc, r_R_, R_.rows(), buffers.u);
  run.add_i16(buffers.a, buffers.u, 2 * n, buffers.a);
  report("pre_z", z, Q3_12::kStep);
  report("pre_r", r, Q3_12::kStep);
  run.sigmoid(buffers.a, 2 * n, buffers.a);
  report("act_z", z, Q0_15::kStep);
  report("act_r", r, Q0_15::kStep);

  std::int16_t* recurrent = buffers.u + 2 * n;
  if (shape_.linear_before_reset) {
    run.gru_reset_after(candidate, r, recurrent, n, candidate);
  } else {
    run.gru_reset_before(r, h, n, buffers.reset);
    R_candidate_.run(buffers.reset, B_candidate_.data(), buffers.acc);
    run.requantize_add_i16(buffers.acc, r_candidate_, n, candidate);
  }
  report("pre_h", candidate, Q3_12::kStep);
  run.tanh(candidate, Q3_12::kIntegerBits, n, candidate);
  report("act_h", candidate, Q0_15::kStep);
  run.gru_state_update(z, candidate, n, h, h8);
  report("state", h, Q0_15::kStep);
  return h8;
}

}  // namespace quaver
