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
  if (shape().projection) {
    pass.m = pieces.take<std::int8_t>(kCellGroup * shape().n_cell);
    pass.acc = pieces.take<std::int32_t>(padded_rows(shape().n_out));
  }
  pass.used = pieces.used();
  return pass;
}

LstmInt::Rows LstmInt::lay_out_rows(std::byte* scratch) const noexcept {
  Scratch pieces(scratch);
  const std::size_t sums = shape().gate_count() * W_.padded();
  Rows rows{};
  rows.h = pieces.take<std::byte>(h_size_);
  rows.sums = pieces.take<std::int32_t>(sums);
  rows.gates = pieces.take<std::int16_t>(sums);
  rows.input = pieces.take<std::int16_t>(shape().n_cell);
  rows.tanh_c = pieces.take<std::int16_t>(shape().n_cell);
  rows.m = pieces.take<std::int8_t>(shape().n_cell);
  rows.acc = pieces.take<std::int32_t>(padded_rows(shape().n_out));
  rows.used = pieces.used();
  return rows;
}

template class GatedCell<LstmInt, LstmStream>;

LstmPrepared prepare(const LstmIntParams& params) {
  const LstmShape& shape = params.shape;
  const std::size_t n = shape.n_cell, gates = shape.gate_count();
  LstmPrepared prepared;
  LstmConstants& constants = prepared.constants;
  constants.shape = shape;
  for (std::size_t g = 0; g < gates; ++g)
    constants.gate_scale[g] = shape.layer_norm ? static_cast<double>(params.gate_scale[g]) : Q3_12::kStep;

  // Effective scales in float32, left to right, then a multiplier: what LiteRT does, and 2 of 68 goldens show it (A30).
  const auto to_gate = [&](std::span<const float> scales, float input_scale) {
    return row_multipliers(gates * n, scales, [&](std::size_t row, float scale) {
      return scale * input_scale / static_cast<float>(constants.gate_scale[row / n]);
    });
  };
  prepared.W = prepare_product(params.W, params.format, shape.layer_norm ? params.b_input : params.b,
                               params.wide_input ? kLowZeroPoint : params.x.zero_point,
                               to_gate(params.W_scales, params.x.scale));
  if (params.wide_input)
    prepared.W_high =
        prepare_product(params.W, params.format, {}, 0, to_gate(params.W_scales, kHighFactor * params.x.scale));
  prepared.R =
      prepare_product(params.R, params.format, {}, params.h.zero_point, to_gate(params.R_scales, params.h.scale));
  if (shape.peephole) {
    constants.P.assign(params.P.begin(), params.P.end());
    const float cell_scale = std::ldexp(1.0f, params.cell_integer_bits - 15);
    for (std::size_t g = 0; g < shape.peephole_count(); ++g) {
      const float scale = params.P_scales[g * params.P_scales.size() / shape.peephole_count()];
      constants.peephole_multipliers[g] =
          Multiplier::from_real(cell_scale * scale / static_cast<float>(constants.gate_scale[g]));
    }
  }
  if (shape.layer_norm) {
    constants.L.assign(params.L.begin(), params.L.end());
    constants.b_norm.assign(params.b.begin(), params.b.end());
    for (std::size_t g = 0; g < gates; ++g)
      constants.norm_rules[g] = LayerNormRule::from_weight_scale(params.L_scales[g * params.L_scales.size() / gates]);
  }

  constants.wide_output = params.wide_output;
  if (params.wide_output) constants.h8_codes = StateCodes::from(params.h);
  constants.h_codes = {params.h.zero_point, params.output_low, params.output_high};
  const Affine& m = shape.projection ? params.m : params.h;
  constants.m_scale = static_cast<double>(params.m.scale);
  constants.rule = {.units = n,
                    .limits = params.sums,
                    .cifg = shape.cifg,
                    .cell_integer_bits = params.cell_integer_bits,
                    .cell_clip = params.cell_clip,
                    .output = Multiplier::from_real(0x1p-15f / m.scale * 0x1p-15f),
                    .codes = shape.projection ? OutputCodes{m.zero_point, -128, 127} : constants.h_codes,
                    .curves = params.curves};
  if (shape.projection) {
    prepared.projection = prepare_product(
        params.W_projection, params.format, params.b_projection, params.m.zero_point,
        row_multipliers(shape.n_out, params.W_projection_scales,
                        [&](std::size_t, float scale) { return scale * params.m.scale / params.h.scale; }));
  }
  return prepared;
}

LstmInt::LstmInt(const LstmPrepared& prepared, Isa isa)
    : GatedCell(prepared.W, prepared.W_high, prepared.R, prepared.constants.shape.n_cell,
                prepared.constants.rule.limits, isa),
      constants_(prepared.constants),
      layer_norm_(&layer_norm_path(isa)),
      c_offset_(constants_.wide_output ? CopiedState::bytes_of_h(shape().n_out) : align_up(shape().n_out)),
      wide_h_(shape().n_out, c_offset_ + align_up(shape().n_cell * sizeof(std::int16_t)), constants_.h8_codes, isa) {
  if (shape().projection) {
    W_projection_ = PackedMatrix(prepared.projection.weights, prepared.projection.format, isa);
    B_projection_ = prepared.projection.bias;
    r_projection_ = prepared.projection.multipliers;
  }
  const LstmRule& rule = constants_.rule;
  one_pass_ = !shape().peephole && !shape().layer_norm && !constants_.wide_output && W_.shrinks() && R_.shrinks() &&
              has_step(rule.curves) && rule.output.exponent < 0 && rule.codes.zero_point >= -128 &&
              rule.codes.zero_point <= 127;
  lay_out_kept_sums();
}

std::vector<StatePart> LstmInt::state_parts() const {
  const StatePart c{.name = "c", .type = NumberType::kI16, .count = shape().n_cell, .offset = c_offset_};
  if (!constants_.wide_output) return {{.name = "h", .type = NumberType::kI8, .count = shape().n_out}, c};
  return {wide_h_.h_part(), c, wide_h_.copy_part()};
}

void LstmInt::reset(std::byte* state) const noexcept {
  if (constants_.wide_output) {
    wide_h_.reset(state);
  } else {
    std::fill_n(h_of(state), shape().n_out, static_cast<std::int8_t>(constants_.h_codes.zero_point));
  }
  std::fill_n(c_of(state), shape().n_cell, std::int16_t{0});
}

void LstmInt::join(const Pass& buffers, std::size_t index, std::byte* state, LstmStream& stream) const noexcept {
  stream.h = buffers.h + index * h_size_;
  stream.c = c_of(state);
  stream.out = shape().projection ? buffers.m + index * shape().n_cell : h_of(state);
}

void LstmInt::pass(const Pass& buffers, LstmStream* streams, std::byte* const* states, std::size_t count,
                   WorkingMemory memory) const noexcept {
  share(count, memory,
        [&](Blocks blocks) { step_->lstm(constants_.rule, W_.rows(), R_.rows(), streams, count, blocks); });
  if (shape().projection) {
    for (std::size_t s = 0; s < count; ++s) project(buffers.acc, streams[s].out, states[s], nullptr);
  }
}

void LstmInt::compose(std::byte* scratch, const LstmStream& stream, std::byte* state,
                      Observer* observer) const noexcept {
  const Rows buffers = lay_out_rows(scratch);
  const std::size_t n = shape().n_cell;
  std::int8_t* h = h_of(state);
  std::int16_t* c = c_of(state);
  const LstmRule& rule = constants_.rule;
  const ElementwisePath& run = *elementwise_;
  const auto gate = [&](std::size_t g) { return buffers.gates + g * W_.padded(); };
  const auto tell = [&](const char* prefix, std::size_t g, double scale) {
    if (observer == nullptr) return;
    char name[kNameLength];
    char* end = std::copy_n(prefix, std::char_traits<char>::length(prefix), name);
    *end++ = lstm_gate_letter(shape(), g)[0];
    report(observer, {name, static_cast<std::size_t>(end - name)}, gate(g), n, scale);
  };
  const auto finish = [&](std::size_t g, Curve curve) {  // sum -> Q3.12 -> gate in Q0.15
    if (shape().layer_norm) {
      tell("gate_", g, constants_.gate_scale[g]);
      layer_norm_->layer_norm(gate(g), constants_.L.data() + g * n, constants_.b_norm.data() + g * n,
                              constants_.norm_rules[g], n, gate(g));
    }
    tell("pre_", g, Q3_12::kStep);
    run.curve(curve, gate(g), Q3_12::kIntegerBits, n, gate(g));
    tell("act_", g, Q0_15::kStep);
  };
  const auto peephole = [&](std::size_t g) {
    if (shape().peephole)
      run.peephole_add(buffers.sums + g * W_.padded(), constants_.P.data() + g * n, c,
                       constants_.peephole_multipliers[g], n, gate(g));
  };

  std::int32_t* const sums = buffers.sums;
  const std::int32_t* halves = input_sums(stream, sums);
  const std::byte* operand = buffers.h;
  step_->prepare(h, shape().n_out, buffers.h);
  const std::size_t f = shape().forget_gate(), z = shape().cell_gate(), o = shape().output_gate();
  if (shape().peephole) {  // another addend follows, for all gates but the cell's
    if (halves != sums) std::copy_n(halves, shape().gate_count() * W_.padded(), sums);
    step_->next_sums(R_.rows(), operand, W_.padded(), {0, R_.blocks()}, rule.limits, sums);
    run.add_sums(sums + z * W_.padded(), nullptr, n, gate(z));
  } else {
    step_->last_sums(R_.rows(), operand, W_.padded(), {0, R_.blocks()}, halves, buffers.gates);
  }

  peephole(f);
  finish(f, rule.curves.gate);
  const std::int16_t* input = buffers.input;
  if (shape().cifg) {
    run.one_minus(gate(f), n, buffers.input);
  } else {
    const std::size_t i = shape().input_gate();
    peephole(i);
    finish(i, rule.curves.gate);
    input = gate(i);
  }
  finish(z, rule.curves.candidate);
  run.lstm_cell_update(input, gate(f), gate(z), 15 - rule.cell_integer_bits, rule.cell_clip, n, c);
  report(observer, "cell", c, n, std::ldexp(1.0, rule.cell_integer_bits - 15));
  peephole(o);  // sees the new cell
  finish(o, rule.curves.gate);
  run.curve(rule.curves.cell, c, rule.cell_integer_bits, n, buffers.tanh_c);
  if (constants_.wide_output) return set_wide_h(gate(o), buffers.tanh_c, state);
  std::int8_t* m = shape().projection ? buffers.m : h;
  run.lstm_hidden(gate(o), buffers.tanh_c, rule.output, rule.codes, n, m);
  if (shape().projection) project(buffers.acc, m, state, observer);
}

// (A46)
void LstmInt::set_wide_h(const std::int16_t* o, const std::int16_t* tanh_c, std::byte* state) const noexcept {
  std::int16_t* h = wide_h_.h(state);
  for (std::size_t j = 0; j < shape().n_out; ++j)
    h[j] = static_cast<std::int16_t>(divide_by_pot(std::int32_t{o[j]} * tanh_c[j], 15));
  wide_h_.set_copy(state);
}

void LstmInt::project(std::int32_t* acc, const std::int8_t* m, std::byte* state, Observer* observer) const noexcept {
  if (observer != nullptr)
    observer->codes("hidden", std::span<const std::int8_t>(m, shape().n_cell), constants_.m_scale,
                    constants_.rule.codes.zero_point);
  W_projection_.run(m, B_projection_.data(), acc);
  elementwise_->requantize_i8(acc, r_projection_, constants_.h_codes, shape().n_out, h_of(state));
}

}  // namespace quaver
