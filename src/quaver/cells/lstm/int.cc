#include "quaver/cells/lstm/int.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>

#include "quaver/cells/row_scales.h"
#include "quaver/core/check.h"
#include "quaver/fixed/q_format.h"

namespace quaver {
namespace {

constexpr std::size_t kNameLength = 16;  // "pre_i" and the like, built without allocation

}  // namespace

// Working memory of a step that is one pass, and of one that is made row by row: no step needs both.
struct LstmInt::Pass {
  std::byte* h;       // kCellGroup operands
  std::int8_t* m;     // [kCellGroup, n_cell] before the projection
  std::int32_t* acc;  // of the projection
  std::size_t used;
};
struct LstmInt::Rows {
  std::byte* h;          // operand
  std::int32_t* sums;    // [G, padded]
  std::int16_t* gates;   // [G, padded]
  std::int16_t* input;   // [n_cell] CIFG's input gate
  std::int16_t* tanh_c;  // [n_cell]
  std::int8_t* m;        // [n_cell] before the projection
  std::int32_t* acc;     // of the projection
  std::size_t used;
};

LstmInt::Pass LstmInt::lay_out_pass(std::byte* scratch) const noexcept {
  Scratch pieces(scratch);
  Pass pass{};
  pass.h = pieces.take<std::byte>(kCellGroup * h_size_);
  if (shape_.projection) {
    pass.m = pieces.take<std::int8_t>(kCellGroup * shape_.n_cell);
    pass.acc = pieces.take<std::int32_t>(padded_rows(shape_.n_out));
  }
  pass.used = pieces.used();
  return pass;
}

LstmInt::Rows LstmInt::lay_out_rows(std::byte* scratch) const noexcept {
  Scratch pieces(scratch);
  const std::size_t sums = shape_.gate_count() * W_.padded();
  Rows rows{};
  rows.h = pieces.take<std::byte>(h_size_);
  rows.sums = pieces.take<std::int32_t>(sums);
  rows.gates = pieces.take<std::int16_t>(sums);
  rows.input = pieces.take<std::int16_t>(shape_.n_cell);
  rows.tanh_c = pieces.take<std::int16_t>(shape_.n_cell);
  rows.m = pieces.take<std::int8_t>(shape_.n_cell);
  rows.acc = pieces.take<std::int32_t>(padded_rows(shape_.n_out));
  rows.used = pieces.used();
  return rows;
}

LstmInt::LstmInt(const LstmIntParams& params, Isa isa)
    : GatedCell(recurrent_step(isa, params.format), params.sums),
      shape_(params.shape),
      elementwise_(&elementwise_path(isa)),
      layer_norm_(&layer_norm_path(isa)),
      h_size_(step_->operand_bytes(shape_.n_out)),
      P_(params.P.begin(), params.P.end()),
      L_(params.L.begin(), params.L.end()),
      wide_output_(params.wide_output),
      c_offset_(align_up(shape_.n_out * (wide_output_ ? sizeof(std::int16_t) : sizeof(std::int8_t)))),
      h8_offset_(wide_output_ ? c_offset_ + align_up(shape_.n_cell * sizeof(std::int16_t)) : 0),
      m_scale_(params.m.scale),
      cell_integer_bits_(params.cell_integer_bits),
      cell_clip_(params.cell_clip) {
  const std::size_t n = shape_.n_cell;
  for (std::size_t g = 0; g < shape_.gate_count(); ++g)
    gate_scale_[g] = shape_.layer_norm ? static_cast<double>(params.gate_scale[g]) : Q3_12::kStep;

  // Effective scales in float32, left to right, then a multiplier: what LiteRT does, and 2 of 68 goldens show it (A30).
  const auto to_gate = [&](std::span<const float> scales, float input_scale) {
    return row_multipliers(shape_.gate_count() * n, scales, [&](std::size_t row, float scale) {
      return scale * input_scale / static_cast<float>(gate_scale_[row / n]);
    });
  };
  set_input(params.W, shape_.gate_count(), shape_.layer_norm ? params.b_input : params.b, params.x, params.wide_input,
            [&](float x_scale) { return to_gate(params.W_scales, x_scale); });
  R_ = GateMatrix(*step_, params.R, shape_.gate_count(), fold_zero_point(params.R, {}, params.h.zero_point),
                  to_gate(params.R_scales, params.h.scale));
  const float cell_scale = std::ldexp(1.0f, cell_integer_bits_ - 15);
  if (shape_.peephole) {
    for (std::size_t g = 0; g < shape_.peephole_count(); ++g) {
      const float scale = params.P_scales[g * params.P_scales.size() / shape_.peephole_count()];
      r_P_[g] = Multiplier::from_real(cell_scale * scale / static_cast<float>(gate_scale_[g]));
    }
  }
  if (shape_.layer_norm) {
    b_norm_.assign(params.b.begin(), params.b.end());
    for (std::size_t g = 0; g < shape_.gate_count(); ++g)
      norm_rule_[g] =
          LayerNormRule::from_weight_scale(params.L_scales[g * params.L_scales.size() / shape_.gate_count()]);
  }

  if (wide_output_) h8_codes_ = StateCodes::from(params.h);
  h_codes_ = {params.h.zero_point, params.output_low, params.output_high};
  m_codes_ = shape_.projection ? OutputCodes{params.m.zero_point, -128, 127} : h_codes_;
  const float m_scale = shape_.projection ? params.m.scale : params.h.scale;
  r_m_ = Multiplier::from_real(0x1p-15f / m_scale * 0x1p-15f);
  if (shape_.projection) {
    W_projection_ = PackedMatrix(params.W_projection, params.format, isa);
    B_projection_ = fold_zero_point(params.W_projection, params.b_projection, params.m.zero_point);
    r_projection_ = row_multipliers(shape_.n_out, params.W_projection_scales,
                                    [&](std::size_t, float scale) { return scale * params.m.scale / params.h.scale; });
  }
  rule_ = {.units = n,
           .limits = params.sums,
           .cifg = shape_.cifg,
           .cell_integer_bits = cell_integer_bits_,
           .cell_clip = cell_clip_,
           .output = r_m_,
           .codes = m_codes_,
           .curves = params.curves};
  one_pass_ = !shape_.peephole && !shape_.layer_norm && !wide_output_ && has_step(params.curves) && W_.shrinks() &&
              R_.shrinks() && r_m_.exponent < 0 && m_codes_.zero_point >= -128 && m_codes_.zero_point <= 127;
}

std::size_t LstmInt::weight_bytes() const { return W_.bytes() + R_.bytes() + W_projection_.bytes(); }

std::vector<StatePart> LstmInt::state_parts() const {
  const StatePart c{"c", NumberType::kI16, shape_.n_cell, c_offset_};
  if (!wide_output_) return {{"h", NumberType::kI8, shape_.n_out}, c};
  return {
      {"h", NumberType::kI16, shape_.n_out}, c, {"h8", NumberType::kI8, shape_.n_out, h8_offset_, /*derived=*/true}};
}

std::size_t LstmInt::scratch_bytes() const {
  return input_bytes() + std::max(lay_out_pass(nullptr).used, lay_out_rows(nullptr).used);
}

void LstmInt::reset(std::byte* state) const noexcept {
  if (wide_output_) std::fill_n(wide_h_of(state), shape_.n_out, std::int16_t{0});
  std::fill_n(h_of(state), shape_.n_out, static_cast<std::int8_t>(h_codes_.zero_point));
  std::fill_n(c_of(state), shape_.n_cell, std::int16_t{0});
}

void LstmInt::restore_derived(std::byte* state) const noexcept {
  if (wide_output_) elementwise_->state_codes(wide_h_of(state), h8_codes_, shape_.n_out, h_of(state));
}

// What a pass needs of a state beside the input: `index` picks the working memory.
void LstmInt::join(const Pass& buffers, std::size_t index, std::byte* state, LstmStream& stream) const noexcept {
  std::byte* operand = buffers.h + index * h_size_;
  step_->prepare(h_of(state), shape_.n_out, operand);  // a copy: blocks write h while others read it
  stream.h = operand;
  stream.c = c_of(state);
  stream.out = shape_.projection ? buffers.m + index * shape_.n_cell : h_of(state);
}

void LstmInt::pass(const LstmStream* streams, std::size_t count, WorkingMemory memory) const noexcept {
  share_blocks(team_for(memory.team, count * weight_bytes()), R_.blocks(), [&](std::size_t first, std::size_t end) {
    step_->lstm(rule_, W_.rows(), R_.rows(), streams, count, {first, end, memory.backwards});
  });
}

void LstmInt::advance(LstmStream* streams, std::byte* const* states, std::size_t count, WorkingMemory memory,
                      Observer* observer) const noexcept {
  if (!one_pass_ || observer != nullptr) {
    for (std::size_t s = 0; s < count; ++s) compose(memory, streams[s], states[s], observer);
    return;
  }
  const Pass buffers = lay_out_pass(memory);
  for (std::size_t s = 0; s < count; ++s) join(buffers, s, states[s], streams[s]);
  pass(streams, count, memory);
  if (shape_.projection) {
    for (std::size_t s = 0; s < count; ++s) project(buffers.acc, streams[s].out, states[s], nullptr);
  }
}

void LstmInt::compose(std::byte* scratch, const LstmStream& stream, std::byte* state,
                      Observer* observer) const noexcept {
  const Rows buffers = lay_out_rows(scratch);
  const std::size_t n = shape_.n_cell;
  std::int8_t* h = h_of(state);
  std::int16_t* c = c_of(state);
  const ElementwisePath& run = *elementwise_;
  const auto gate = [&](std::size_t g) { return buffers.gates + g * W_.padded(); };
  const auto report = [&](const char* prefix, std::size_t g, double scale) {
    if (observer == nullptr) return;
    char name[kNameLength];
    char* end = std::copy_n(prefix, std::char_traits<char>::length(prefix), name);
    *end++ = lstm_gate_letter(shape_, g)[0];
    observer->codes({name, static_cast<std::size_t>(end - name)}, std::span<const std::int16_t>(gate(g), n), scale);
  };
  const auto finish = [&](std::size_t g, Curve curve) {  // sum -> Q3.12 -> gate in Q0.15
    if (shape_.layer_norm) {
      report("gate_", g, gate_scale_[g]);
      layer_norm_->layer_norm(gate(g), L_.data() + g * n, b_norm_.data() + g * n, norm_rule_[g], n, gate(g));
    }
    report("pre_", g, Q3_12::kStep);
    run.curve(curve, gate(g), Q3_12::kIntegerBits, n, gate(g));
    report("act_", g, Q0_15::kStep);
  };
  const auto peephole = [&](std::size_t g) {
    if (shape_.peephole) run.peephole_add(buffers.sums + g * W_.padded(), P_.data() + g * n, c, r_P_[g], n, gate(g));
  };

  std::int32_t* const sums = buffers.sums;
  const std::int32_t* halves = stream.input_sums;
  if (halves == nullptr) {
    step_->sums(W_.rows(), &stream.x, 1, W_.padded(), {0, W_.blocks()}, rule_.limits, &sums);
    halves = sums;
  }
  const std::byte* operand = buffers.h;
  step_->prepare(h, shape_.n_out, buffers.h);
  const std::size_t f = shape_.forget_gate(), z = shape_.cell_gate(), o = shape_.output_gate();
  if (shape_.peephole) {  // another addend follows, for all gates but the cell's
    if (halves != sums) std::copy_n(halves, shape_.gate_count() * W_.padded(), sums);
    step_->next_sums(R_.rows(), operand, W_.padded(), {0, R_.blocks()}, rule_.limits, sums);
    run.add_sums(sums + z * W_.padded(), nullptr, n, gate(z));
  } else {
    step_->last_sums(R_.rows(), operand, W_.padded(), {0, R_.blocks()}, halves, buffers.gates);
  }

  peephole(f);
  finish(f, rule_.curves.gate);
  const std::int16_t* input = buffers.input;
  if (shape_.cifg) {
    run.one_minus(gate(f), n, buffers.input);
  } else {
    const std::size_t i = shape_.input_gate();
    peephole(i);
    finish(i, rule_.curves.gate);
    input = gate(i);
  }
  finish(z, rule_.curves.candidate);
  run.lstm_cell_update(input, gate(f), gate(z), 15 - cell_integer_bits_, cell_clip_, n, c);
  if (observer != nullptr)
    observer->codes("cell", std::span<const std::int16_t>(c, n), std::ldexp(1.0, cell_integer_bits_ - 15));
  peephole(o);  // sees the new cell
  finish(o, rule_.curves.gate);
  run.curve(rule_.curves.cell, c, cell_integer_bits_, n, buffers.tanh_c);
  if (wide_output_) return set_wide_h(gate(o), buffers.tanh_c, state);
  std::int8_t* m = shape_.projection ? buffers.m : h;
  run.lstm_hidden(gate(o), buffers.tanh_c, r_m_, m_codes_, n, m);
  if (shape_.projection) project(buffers.acc, m, state, observer);
}

// (A46)
void LstmInt::set_wide_h(const std::int16_t* o, const std::int16_t* tanh_c, std::byte* state) const noexcept {
  std::int16_t* h = wide_h_of(state);
  for (std::size_t j = 0; j < shape_.n_out; ++j)
    h[j] = static_cast<std::int16_t>(divide_by_pot(std::int32_t{o[j]} * tanh_c[j], 15));
  restore_derived(state);
}

void LstmInt::project(std::int32_t* acc, const std::int8_t* m, std::byte* state, Observer* observer) const noexcept {
  if (observer != nullptr)
    observer->codes("hidden", std::span<const std::int8_t>(m, shape_.n_cell), m_scale_, m_codes_.zero_point);
  W_projection_.run(m, B_projection_.data(), acc);
  elementwise_->requantize_i8(acc, r_projection_, h_codes_, shape_.n_out, h_of(state));
}

}  // namespace quaver
