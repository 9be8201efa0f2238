#include "quaver/cells/gru/int.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "quaver/cells/row_scales.h"
#include "quaver/core/check.h"
#include "quaver/fixed/q_format.h"
#include "quaver/kernels/matvec/matvec.h"

namespace quaver {
namespace {

MatrixView<const std::int8_t> rows_of(MatrixView<const std::int8_t> matrix, std::size_t first, std::size_t count) {
  return {matrix.data() + first * matrix.cols(), count, matrix.cols()};
}

}  // namespace

struct GruInt::Pass {
  std::byte* h;             // kCellGroup operands: of h8, then of r .* h
  std::int8_t* reset;       // [kCellGroup, n] r .* h
  std::int16_t* update;     // [kCellGroup, padded]
  std::int32_t* candidate;  // [kCellGroup, padded]
  std::size_t used;
};
struct GruInt::Rows {
  std::byte* h;           // operand: of h8, then of r .* h
  std::int32_t* a;        // [3, padded] input half
  std::int32_t* u;        // [3, padded] recurrent half
  std::int16_t* gates;    // [3, padded]
  std::int16_t* u_coded;  // [padded] of the candidate, reset after
  std::int8_t* reset;     // [n] r .* h
  std::size_t used;
};

GruInt::Pass GruInt::lay_out_pass(std::byte* scratch) const noexcept {
  Scratch pieces(scratch);
  Pass pass{};
  pass.h = pieces.take<std::byte>(kCellGroup * h_size_);
  if (!constants_.shape.linear_before_reset) {
    pass.reset = pieces.take<std::int8_t>(kCellGroup * constants_.rule.units);
    pass.update = pieces.take<std::int16_t>(kCellGroup * W_.padded());
    pass.candidate = pieces.take<std::int32_t>(kCellGroup * W_.padded());
  }
  pass.used = pieces.used();
  return pass;
}

GruInt::Rows GruInt::lay_out_rows(std::byte* scratch) const noexcept {
  Scratch pieces(scratch);
  const std::size_t row = W_.padded();
  Rows rows{};
  rows.h = pieces.take<std::byte>(h_size_);
  rows.a = pieces.take<std::int32_t>(3 * row);
  rows.u = pieces.take<std::int32_t>(3 * row);
  rows.gates = pieces.take<std::int16_t>(3 * row);
  rows.u_coded = pieces.take<std::int16_t>(row);
  rows.reset = pieces.take<std::int8_t>(constants_.rule.units);
  rows.used = pieces.used();
  return rows;
}

template class GatedCell<GruInt, GruStream>;

GruPrepared prepare(const GruIntParams& params) {
  const GruShape& shape = params.shape;
  const std::size_t n = shape.n;
  GruPrepared prepared;
  prepared.constants = {.shape = shape,
                        .rule = {.units = n,
                                 .limits = params.sums,
                                 .reset_shift = 18 - params.candidate_integer_bits,
                                 .codes = StateCodes::from(params.h),
                                 .curves = params.curves},
                        .wide_output = params.wide_output,
                        .h_scale = static_cast<double>(params.h.scale)};
  const auto sum_scale = [n](std::size_t row) { return static_cast<float>(row < 2 * n ? Q4_11::kStep : Q3_12::kStep); };
  const auto input = [&](std::span<const std::int32_t> b, std::int32_t zero_point, float x_scale) {
    return prepare_product(params.W, params.format, b, zero_point,
                           row_multipliers(3 * n, params.W_scales, [&](std::size_t row, float scale) {
                             return scale * x_scale / sum_scale(row);
                           }));
  };
  prepared.W = input(params.b, params.wide_input ? kLowZeroPoint : params.x.zero_point, params.x.scale);
  if (params.wide_input) prepared.W_high = input({}, 0, kHighFactor * params.x.scale);

  const float candidate_scale =
      shape.linear_before_reset ? std::ldexp(1.0f, params.candidate_integer_bits - 15) : sum_scale(2 * n);
  const RowMultipliers multipliers = row_multipliers(3 * n, params.R_scales, [&](std::size_t row, float scale) {
    return scale * params.h.scale / (row < 2 * n ? sum_scale(row) : candidate_scale);
  });
  std::vector<std::int32_t> b_recurrent(3 * n);  // gates without one have 0
  std::ranges::copy(params.b_recurrent, b_recurrent.end() - static_cast<std::ptrdiff_t>(params.b_recurrent.size()));
  const auto recurrent = [&](std::size_t first, std::size_t gates) {
    std::vector<Multiplier> rows;
    for (std::size_t row = 0; row < gates * n; ++row) rows.push_back(multipliers.at(first * n + row));
    return prepare_product(rows_of(params.R, first * n, gates * n), params.format,
                           std::span(b_recurrent).subspan(first * n, gates * n), params.h.zero_point,
                           RowMultipliers::from(rows));
  };
  prepared.R = recurrent(0, shape.linear_before_reset ? 3 : 2);
  if (!shape.linear_before_reset) prepared.R_candidate = recurrent(2, 1);
  return prepared;
}

GruInt::GruInt(const GruPrepared& prepared, Isa isa)
    : GatedCell(prepared.W, prepared.W_high, prepared.R, prepared.constants.shape.n, prepared.constants.rule.limits,
                isa),
      constants_(prepared.constants),
      state_(constants_.shape.n, constants_.rule.codes, isa) {
  if (!constants_.shape.linear_before_reset) R_candidate_ = packed(prepared.R_candidate, constants_.shape.n);
  one_pass_ = W_.shrinks() && R_.shrinks() && R_candidate_.shrinks() && has_step(constants_.rule.curves);
  lay_out_kept_sums();
}

void GruInt::join(const Pass& buffers, std::size_t index, std::byte* state, GruStream& stream) const noexcept {
  stream.h8 = buffers.h + index * h_size_;
  stream.h = state_.h(state);
  stream.out = state_.copy(state);
  if (constants_.shape.linear_before_reset) return;
  stream.reset = buffers.reset + index * constants_.shape.n;
  stream.update = buffers.update + index * W_.padded();
  stream.candidate = buffers.candidate + index * W_.padded();
}

void GruInt::pass(const Pass&, GruStream* streams, std::byte* const*, std::size_t count,
                  WorkingMemory memory) const noexcept {
  const GruRule& rule = constants_.rule;
  if (constants_.shape.linear_before_reset) {
    return share(count, memory,
                 [&](Blocks blocks) { step_->gru_after(rule, W_.rows(), R_.rows(), streams, count, blocks); });
  }
  share(count, memory, [&](Blocks blocks) { step_->gru_gates(rule, W_.rows(), R_.rows(), streams, count, blocks); });
  for (std::size_t s = 0; s < count; ++s) step_->prepare(streams[s].reset, rule.units, streams[s].h8);
  share(count, memory, [&](Blocks blocks) { step_->gru_candidate(rule, R_candidate_.rows(), streams, count, blocks); });
}

void GruInt::compose(std::byte* scratch, const GruStream& stream, std::byte* state, Observer* observer) const noexcept {
  const Rows buffers = lay_out_rows(scratch);
  const GruRule& rule = constants_.rule;
  const std::size_t n = rule.units, row = W_.padded();
  std::int16_t* h = state_.h(state);
  std::int8_t* h8 = state_.copy(state);
  const ElementwisePath& run = *elementwise_;
  std::int32_t* u = buffers.u;
  std::int16_t *z = buffers.gates, *r = z + row, *candidate = r + row;
  const std::byte* operand = buffers.h;
  const auto tell = [&](std::string_view point, const std::int16_t* values, double scale) {
    report(observer, point, values, n, scale);
  };

  const std::int32_t* a = input_sums(stream, buffers.a);
  step_->prepare(h8, n, buffers.h);
  step_->sums(R_.rows(), &operand, 1, row, {0, R_.blocks()}, rule.limits, &u);
  run.add_sums(a, u, 2 * row, z);
  tell("pre_z", z, Q4_11::kStep);
  tell("pre_r", r, Q4_11::kStep);
  run.curve(rule.curves.gate, z, Q4_11::kIntegerBits, 2 * row, z);
  tell("act_z", z, Q0_15::kStep);
  tell("act_r", r, Q0_15::kStep);

  if (constants_.shape.linear_before_reset) {
    run.add_sums(u + 2 * row, nullptr, n, buffers.u_coded);
    tell("recurrent_h", buffers.u_coded, std::ldexp(1.0, 3 - rule.reset_shift));
    run.gru_reset_after(a + 2 * row, r, buffers.u_coded, rule.reset_shift, n, candidate);
  } else {
    run.gru_reset_before(r, h, rule.codes, n, buffers.reset);
    if (observer != nullptr)
      observer->codes("reset", std::span<const std::int8_t>(buffers.reset, n), constants_.h_scale,
                      rule.codes.zero_point);
    step_->prepare(buffers.reset, n, buffers.h);
    step_->last_sums(R_candidate_.rows(), operand, row, {0, R_candidate_.blocks()}, a + 2 * row, candidate);
  }
  tell("pre_h", candidate, Q3_12::kStep);
  run.curve(rule.curves.candidate, candidate, Q3_12::kIntegerBits, n, candidate);
  tell("act_h", candidate, Q0_15::kStep);
  run.gru_state_update(z, candidate, rule.codes, n, h, h8);
  tell("state", h, Q0_15::kStep);
}

}  // namespace quaver
