#include "quaver/cells/gru/int.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "quaver/cells/kept_inputs.h"
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

struct GruInt::Buffers {
  std::byte* x;              // kCellGroup operands
  std::byte* h;              // kCellGroup operands: of h8, then of r .* h
  std::int8_t* halves;       // [2, n_in] of a wide input
  std::int32_t* input_sums;  // [kCellGroup, 3, padded]
  std::int32_t* a;           // [3, padded] input half
  std::int32_t* u;           // [3, padded] recurrent half
  std::int16_t* gates;       // [3, padded]
  std::int16_t* u_coded;     // [padded] of the candidate, reset after
  std::int8_t* reset;        // [kCellGroup, n] r .* h
  std::int16_t* update;      // [kCellGroup, padded]
  std::int32_t* candidate;   // [kCellGroup, padded]
  std::size_t used;

  KeptInputs kept(std::size_t operand_bytes) const { return {x, operand_bytes, input_sums, halves}; }
};

GruInt::Buffers GruInt::lay_out(std::byte* scratch) const noexcept {
  Scratch pieces(scratch);
  const std::size_t row = W_.padded();
  Buffers buffers{};
  buffers.x = pieces.take<std::byte>(kCellGroup * x_size_);
  buffers.h = pieces.take<std::byte>(kCellGroup * h_size_);
  buffers.halves = pieces.take<std::int8_t>(2 * W_high_.cols());
  buffers.input_sums = pieces.take<std::int32_t>(kCellGroup * 3 * row);
  buffers.a = pieces.take<std::int32_t>(3 * row);
  buffers.u = pieces.take<std::int32_t>(3 * row);
  buffers.gates = pieces.take<std::int16_t>(3 * row);
  buffers.u_coded = pieces.take<std::int16_t>(row);
  buffers.reset = pieces.take<std::int8_t>(kCellGroup * shape_.n);
  buffers.update = pieces.take<std::int16_t>(kCellGroup * row);
  buffers.candidate = pieces.take<std::int32_t>(kCellGroup * row);
  buffers.used = pieces.used();
  return buffers;
}

GruInt::GruInt(const GruIntParams& params, Isa isa)
    : shape_(params.shape),
      elementwise_(&elementwise_path(isa)),
      step_(&recurrent_step_path(isa)),
      x_size_(step_->operand_bytes(shape_.n_in)),
      h_size_(step_->operand_bytes(shape_.n)),
      h_scale_(static_cast<double>(params.h.scale)) {
  const std::size_t n = shape_.n;
  rule_ = {.units = n,
           .limits = params.sums,
           .reset_shift = 18 - params.candidate_integer_bits,
           .codes = StateCodes::from(params.h)};
  const auto sum_scale = [n](std::size_t row) { return static_cast<float>(row < 2 * n ? Q4_11::kStep : Q3_12::kStep); };
  const auto input_multipliers = [&](float x_scale) {
    return row_multipliers(3 * n, params.W_scales,
                           [&](std::size_t row, float scale) { return scale * x_scale / sum_scale(row); });
  };
  W_ = GateMatrix(params.W, params.bits, 3, fold_zero_point(params.W, params.b, low_zero_point(params)),
                  input_multipliers(params.x.scale), isa);
  if (params.wide_input)
    W_high_ = W_.with(params.W, fold_zero_point(params.W, {}, 0), input_multipliers(kHighFactor * params.x.scale), isa);
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
    return GateMatrix(weights, params.bits, gates,
                      fold_zero_point(weights, bias.subspan(first * n, gates * n), params.h.zero_point),
                      RowMultipliers::from(rows), isa);
  };
  R_ = recurrent(0, shape_.linear_before_reset ? 3 : 2);
  if (!shape_.linear_before_reset) R_candidate_ = recurrent(2, 1);
  one_pass_ = W_.shrinks() && R_.shrinks() && R_candidate_.shrinks();
}

std::size_t GruInt::weight_bytes() const { return W_.bytes() + R_.bytes() + R_candidate_.bytes(); }

std::vector<StatePart> GruInt::state_parts() const {
  return {{"h", StateType::kI16, shape_.n},
          {"h8", StateType::kI8, shape_.n, align_up(shape_.n * sizeof(std::int16_t)), /*derived=*/true}};
}

std::size_t GruInt::scratch_bytes() const { return lay_out(nullptr).used; }

void GruInt::reset(std::byte* state) const noexcept {
  std::fill_n(h_of(state), shape_.n, std::int16_t{0});
  restore_derived(state);
}

void GruInt::restore_derived(std::byte* state) const noexcept {
  elementwise_->state_codes(h_of(state), rule_.codes, shape_.n, h8_of(state));
}

const std::int8_t* GruInt::step(const std::int8_t* x, std::byte* state, WorkingMemory scratch,
                                Observer* observer) const noexcept {
  const Buffers buffers = lay_out(scratch);
  GruStream stream;
  if (W_high_.cols() > 0) {
    keep_inputs(&x, 1, scratch);
    stream.input_sums = buffers.kept(x_size_).at(W_, 0);
  } else {
    stream.x = buffers.x;
    step_->prepare(x, shape_.n_in, buffers.x);
  }
  advance(buffers, &stream, &state, 1, scratch, observer);
  return h8_of(state);
}

void GruInt::step_streams(const std::int8_t* const* x, std::byte* const* states, std::size_t count,
                          WorkingMemory scratch) const noexcept {
  QUAVER_DCHECK(count <= kCellGroup);
  if (W_high_.cols() > 0) {
    keep_inputs(x, count, scratch);
    return step_kept(0, states, count, scratch);
  }
  const Buffers buffers = lay_out(scratch);
  std::array<GruStream, kCellGroup> streams{};
  for (std::size_t s = 0; s < count; ++s) {
    std::byte* operand = buffers.x + s * x_size_;
    step_->prepare(x[s], shape_.n_in, operand);
    streams[s].x = operand;
  }
  advance(buffers, streams.data(), states, count, scratch, nullptr);
}

void GruInt::keep_inputs(const std::int8_t* const* x, std::size_t count, WorkingMemory scratch) const noexcept {
  keep_input_halves(*step_, W_, W_high_, rule_.limits, x, count, lay_out(scratch).kept(x_size_),
                    team_for(scratch.team, count * weight_bytes()));
}

void GruInt::step_kept(std::size_t first, std::byte* const* states, std::size_t count,
                       WorkingMemory scratch) const noexcept {
  QUAVER_DCHECK(first + count <= kCellGroup);
  const Buffers buffers = lay_out(scratch);
  const KeptInputs kept = buffers.kept(x_size_);
  if (count == 1) {  // without the arrays
    GruStream stream;
    stream.input_sums = kept.at(W_, first);
    return advance(buffers, &stream, states, 1, scratch, nullptr);
  }
  std::array<GruStream, kCellGroup> streams{};
  for (std::size_t s = 0; s < count; ++s) streams[s].input_sums = kept.at(W_, first + s);
  advance(buffers, streams.data(), states, count, scratch, nullptr);
}

// What a pass needs of a state beside the input: `index` picks the working memory.
void GruInt::join(const Buffers& buffers, std::size_t index, std::byte* state, GruStream& stream) const noexcept {
  std::byte* operand = buffers.h + index * h_size_;
  step_->prepare(h8_of(state), shape_.n, operand);  // a copy: blocks write h8 while others read it
  stream.h8 = operand;
  stream.h = h_of(state);
  stream.out = h8_of(state);
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

void GruInt::advance(const Buffers& buffers, GruStream* streams, std::byte* const* states, std::size_t count,
                     WorkingMemory memory, Observer* observer) const noexcept {
  if (!one_pass_ || observer != nullptr) {
    for (std::size_t s = 0; s < count; ++s) compose(buffers, streams[s], states[s], observer);
    return;
  }
  for (std::size_t s = 0; s < count; ++s) join(buffers, s, states[s], streams[s]);
  pass(streams, count, memory);
}

void GruInt::compose(const Buffers& buffers, const GruStream& stream, std::byte* state,
                     Observer* observer) const noexcept {
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
  run.sigmoid(z, Q4_11::kIntegerBits, 2 * row, z);
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
  run.tanh(candidate, Q3_12::kIntegerBits, n, candidate);
  report("act_h", candidate, Q0_15::kStep);
  run.gru_state_update(z, candidate, rule_.codes, n, h, h8);
  report("state", h, Q0_15::kStep);
}

}  // namespace quaver
