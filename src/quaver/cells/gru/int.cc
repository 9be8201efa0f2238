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

// Working memory of a step that is one pass, and of one that is made row by row: no step needs both.
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
  if (!shape_.linear_before_reset) {
    pass.reset = pieces.take<std::int8_t>(kCellGroup * shape_.n);
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
  rows.reset = pieces.take<std::int8_t>(shape_.n);
  rows.used = pieces.used();
  return rows;
}

GruInt::GruInt(const GruIntParams& params, Isa isa)
    : GatedCell(recurrent_step(isa, params.format), params.sums),
      shape_(params.shape),
      elementwise_(&elementwise_path(isa)),
      h_size_(step_->operand_bytes(shape_.n)),
      h_scale_(static_cast<double>(params.h.scale)),
      wide_output_(params.wide_output) {
  const std::size_t n = shape_.n;
  rule_ = {.units = n,
           .limits = params.sums,
           .reset_shift = 18 - params.candidate_integer_bits,
           .codes = StateCodes::from(params.h),
           .curves = params.curves};
  const auto sum_scale = [n](std::size_t row) { return static_cast<float>(row < 2 * n ? Q4_11::kStep : Q3_12::kStep); };
  const auto input_multipliers = [&](float x_scale) {
    return row_multipliers(3 * n, params.W_scales,
                           [&](std::size_t row, float scale) { return scale * x_scale / sum_scale(row); });
  };
  set_input(params.W, 3, params.b, params.x, params.wide_input, input_multipliers);
  const float candidate_scale =
      shape_.linear_before_reset ? std::ldexp(1.0f, params.candidate_integer_bits - 15) : sum_scale(2 * n);
  const RowMultipliers multipliers = row_multipliers(3 * n, params.R_scales, [&](std::size_t row, float scale) {
    return scale * params.h.scale / (row < 2 * n ? sum_scale(row) : candidate_scale);
  });
  std::vector<std::int32_t> b_recurrent(3 * n);  // gates without one have 0
  std::ranges::copy(params.b_recurrent, b_recurrent.end() - static_cast<std::ptrdiff_t>(params.b_recurrent.size()));
  const std::span<const std::int32_t> bias(b_recurrent);
  const auto recurrent = [&](std::size_t first, std::size_t gates) {
    const MatrixView<const std::int8_t> weights = rows_of(params.R, first * n, gates * n);
    std::vector<Multiplier> rows;
    for (std::size_t row = 0; row < gates * n; ++row) rows.push_back(multipliers.at(first * n + row));
    return GateMatrix(*step_, weights, gates,
                      fold_zero_point(weights, bias.subspan(first * n, gates * n), params.h.zero_point),
                      RowMultipliers::from(rows));
  };
  R_ = recurrent(0, shape_.linear_before_reset ? 3 : 2);
  if (!shape_.linear_before_reset) R_candidate_ = recurrent(2, 1);
  one_pass_ = W_.shrinks() && R_.shrinks() && R_candidate_.shrinks() && has_step(params.curves);
}

std::size_t GruInt::weight_bytes() const { return W_.bytes() + R_.bytes() + R_candidate_.bytes(); }

std::vector<StatePart> GruInt::state_parts() const {
  return {{"h", NumberType::kI16, shape_.n},
          {"h8", NumberType::kI8, shape_.n, align_up(shape_.n * sizeof(std::int16_t)), /*derived=*/true}};
}

std::size_t GruInt::scratch_bytes() const {
  return input_bytes() + std::max(lay_out_pass(nullptr).used, lay_out_rows(nullptr).used);
}

void GruInt::reset(std::byte* state) const noexcept {
  std::fill_n(h_of(state), shape_.n, std::int16_t{0});
  restore_derived(state);
}

void GruInt::restore_derived(std::byte* state) const noexcept {
  elementwise_->state_codes(h_of(state), rule_.codes, shape_.n, h8_of(state));
}

// What a pass needs of a state beside the input: `index` picks the working memory.
void GruInt::join(const Pass& buffers, std::size_t index, std::byte* state, GruStream& stream) const noexcept {
  std::byte* operand = buffers.h + index * h_size_;
  step_->prepare(h8_of(state), shape_.n, operand);  // a copy: blocks write h8 while others read it
  stream.h8 = operand;
  stream.h = h_of(state);
  stream.out = h8_of(state);
  if (shape_.linear_before_reset) return;
  stream.reset = buffers.reset + index * shape_.n;
  stream.update = buffers.update + index * W_.padded();
  stream.candidate = buffers.candidate + index * W_.padded();
}

void GruInt::pass(GruStream* streams, std::size_t count, WorkingMemory memory) const noexcept {
  const auto share = [&](const auto& part) {
    share_blocks(team_for(memory.team, count * weight_bytes()), R_.blocks(), part);
  };
  if (shape_.linear_before_reset) {
    share([&](std::size_t first, std::size_t end) {
      step_->gru_after(rule_, W_.rows(), R_.rows(), streams, count, {first, end, memory.backwards});
    });
    return;
  }
  share([&](std::size_t first, std::size_t end) {
    step_->gru_gates(rule_, W_.rows(), R_.rows(), streams, count, {first, end, memory.backwards});
  });
  for (std::size_t s = 0; s < count; ++s) step_->prepare(streams[s].reset, shape_.n, streams[s].h8);
  share([&](std::size_t first, std::size_t end) {
    step_->gru_candidate(rule_, R_candidate_.rows(), streams, count, {first, end, memory.backwards});
  });
}

void GruInt::advance(GruStream* streams, std::byte* const* states, std::size_t count, WorkingMemory memory,
                     Observer* observer) const noexcept {
  if (!one_pass_ || observer != nullptr) {
    for (std::size_t s = 0; s < count; ++s) compose(memory, streams[s], states[s], observer);
    return;
  }
  const Pass buffers = lay_out_pass(memory);
  for (std::size_t s = 0; s < count; ++s) join(buffers, s, states[s], streams[s]);
  pass(streams, count, memory);
}

void GruInt::compose(std::byte* scratch, const GruStream& stream, std::byte* state, Observer* observer) const noexcept {
  const Rows buffers = lay_out_rows(scratch);
  const std::size_t n = shape_.n, row = W_.padded();
  std::int16_t* h = h_of(state);
  std::int8_t* h8 = h8_of(state);
  const ElementwisePath& run = *elementwise_;
  std::int32_t* u = buffers.u;
  std::int16_t *z = buffers.gates, *r = z + row, *candidate = r + row;
  const std::byte* operand = buffers.h;
  const auto report = [&](std::string_view point, const std::int16_t* values, double scale) {
    if (observer != nullptr) observer->codes(point, std::span<const std::int16_t>(values, n), scale);
  };

  const std::int32_t* a = stream.input_sums;
  if (a == nullptr) {
    step_->sums(W_.rows(), &stream.x, 1, row, {0, W_.blocks()}, rule_.limits, &buffers.a);
    a = buffers.a;
  }
  step_->prepare(h8, n, buffers.h);
  step_->sums(R_.rows(), &operand, 1, row, {0, R_.blocks()}, rule_.limits, &u);
  run.add_sums(a, u, 2 * row, z);
  report("pre_z", z, Q4_11::kStep);
  report("pre_r", r, Q4_11::kStep);
  run.curve(rule_.curves.gate, z, Q4_11::kIntegerBits, 2 * row, z);
  report("act_z", z, Q0_15::kStep);
  report("act_r", r, Q0_15::kStep);

  if (shape_.linear_before_reset) {
    run.add_sums(u + 2 * row, nullptr, n, buffers.u_coded);
    report("recurrent_h", buffers.u_coded, std::ldexp(1.0, 3 - rule_.reset_shift));
    run.gru_reset_after(a + 2 * row, r, buffers.u_coded, rule_.reset_shift, n, candidate);
  } else {
    run.gru_reset_before(r, h, rule_.codes, n, buffers.reset);
    if (observer != nullptr)
      observer->codes("reset", std::span<const std::int8_t>(buffers.reset, n), h_scale_, rule_.codes.zero_point);
    step_->prepare(buffers.reset, n, buffers.h);
    step_->last_sums(R_candidate_.rows(), operand, row, {0, R_candidate_.blocks()}, a + 2 * row, candidate);
  }
  report("pre_h", candidate, Q3_12::kStep);
  run.curve(rule_.curves.candidate, candidate, Q3_12::kIntegerBits, n, candidate);
  report("act_h", candidate, Q0_15::kStep);
  run.gru_state_update(z, candidate, rule_.codes, n, h, h8);
  report("state", h, Q0_15::kStep);
}

}  // namespace quaver
