// One unit at a time, front to back, in the words of fixed/: a block is one unit, its weights are the rows of its
// gates as files have them.
#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "quaver/fixed/rounding.h"
#include "quaver/kernels/recurrent_step/paths.h"

namespace quaver {
namespace {

using enum WeightFormatId;

constexpr int kGateIntegerBits = 3;     // Q3.12
constexpr int kGruGateIntegerBits = 4;  // z and r: Q4.11

std::size_t operand_bytes(std::size_t cols) noexcept { return cols; }

template <WeightFormatId kFormat>
AlignedVector<std::int8_t> pack(MatrixView<const std::int8_t> weights, std::size_t gates) {
  return pack_rows(weights, gates, kFormat);
}

void prepare(const std::int8_t* x, std::size_t cols, std::byte* operand) noexcept {
  std::copy_n(x, cols, reinterpret_cast<std::int8_t*>(operand));
}

// m.apply(bias + w x) of one row.
template <WeightFormatId kFormat>
std::int32_t requantized(const GateRows& half, std::size_t unit, std::size_t gate, const std::byte* operand) {
  const auto* x = reinterpret_cast<const std::int8_t*>(operand);
  const std::size_t row = unit * half.gates + gate;
  const std::int8_t* weights = half.weights + unit * half.block_bytes + gate * (half.block_bytes / half.gates);
  std::int32_t acc = half.bias[row];
  for (std::size_t c = 0; c < half.cols; ++c)
    acc += code_in(kFormat, static_cast<std::byte>(weights[c / plane_count(kFormat)]), c) * x[c];
  const std::int32_t left_shift = half.shrinks ? 0 : half.left_shift[row];
  return Multiplier{half.mantissa[row], left_shift - half.right_shift[row]}.apply(acc);
}

// (A16) The input half of a sum, or what was computed of it before.
template <WeightFormatId kFormat>
std::int32_t input_sum(const GateRows& half, std::size_t unit, std::size_t units, std::size_t gate,
                       const std::byte* operand, const std::int32_t* before, SumLimits limits) {
  return before != nullptr ? before[gate * units + unit]
                           : std::clamp(requantized<kFormat>(half, unit, gate, operand), limits.low, limits.high);
}

template <WeightFormatId kFormat>
void sums(const GateRows& half, const std::byte* const* operands, std::size_t streams, std::size_t padded,
          Blocks blocks, SumLimits limits, std::int32_t* const* sums) noexcept {
  for (std::size_t unit = blocks.first; unit < blocks.end; ++unit) {
    for (std::size_t s = 0; s < streams; ++s) {
      for (std::size_t g = 0; g < half.gates; ++g)
        sums[s][g * padded + unit] =
            std::clamp(requantized<kFormat>(half, unit, g, operands[s]), limits.low, limits.high);
    }
  }
}

template <WeightFormatId kFormat>
void next_sums(const GateRows& half, const std::byte* operand, std::size_t padded, Blocks blocks, SumLimits limits,
               std::int32_t* sums) noexcept {
  for (std::size_t unit = blocks.first; unit < blocks.end; ++unit) {
    for (std::size_t g = 0; g < half.gates; ++g) {
      std::int32_t& sum = sums[g * padded + unit];
      const std::int64_t next = std::int64_t{sum} + requantized<kFormat>(half, unit, g, operand);
      sum = static_cast<std::int32_t>(std::clamp<std::int64_t>(next, limits.low, limits.high));
    }
  }
}

template <WeightFormatId kFormat>
void last_sums(const GateRows& half, const std::byte* operand, std::size_t padded, Blocks blocks,
               const std::int32_t* sums, std::int16_t* gates) noexcept {
  for (std::size_t unit = blocks.first; unit < blocks.end; ++unit) {
    for (std::size_t g = 0; g < half.gates; ++g) {
      const std::size_t at = g * padded + unit;
      gates[at] = saturate<std::int16_t>(std::int64_t{sums[at]} + requantized<kFormat>(half, unit, g, operand));
    }
  }
}

template <WeightFormatId kFormat>
void lstm(const LstmRule& rule, const GateRows& input, const GateRows& recurrent, const LstmStream* streams,
          std::size_t count, Blocks blocks) noexcept {
  const std::size_t o = rule.cifg ? 0 : 1;
  const auto gate = curve_row(rule.curves.gate).apply, candidate = curve_row(rule.curves.candidate).apply,
             of_cell = curve_row(rule.curves.cell).apply;
  for (std::size_t unit = blocks.first; unit < blocks.end; ++unit) {
    for (std::size_t s = 0; s < count; ++s) {
      const LstmStream& stream = streams[s];
      const auto sum = [&](std::size_t row) {  // (A17)
        return saturate<std::int16_t>(
            std::int64_t{input_sum<kFormat>(input, unit, rule.units, row, stream.x, stream.input_sums, rule.limits)} +
            requantized<kFormat>(recurrent, unit, row, stream.h));
      };
      const std::int16_t f = gate(sum(o + 1), kGateIntegerBits);
      const std::int16_t i = rule.cifg ? saturate<std::int16_t>(32767 - f) : gate(sum(0), kGateIntegerBits);
      const std::int16_t z = candidate(sum(o + 2), kGateIntegerBits);
      std::int16_t& c = stream.c[unit];
      c = saturate<std::int16_t>(divide_by_pot(f * c, 15) +
                                 divide_by_pot(i * z, 15 + rule.cell_integer_bits));  // (A22)
      if (rule.cell_clip > 0)
        c = static_cast<std::int16_t>(std::clamp<std::int32_t>(c, -rule.cell_clip, rule.cell_clip));
      const std::int32_t h = rule.output.apply(gate(sum(o), kGateIntegerBits) * of_cell(c, rule.cell_integer_bits));
      stream.out[unit] = static_cast<std::int8_t>(
          std::clamp<std::int64_t>(std::int64_t{h} + rule.codes.zero_point, rule.codes.low, rule.codes.high));  // (A23)
    }
  }
}

void update_gru(const GruRule& rule, const GruStream& stream, std::size_t unit, std::int16_t z,
                std::int16_t pre_candidate) {
  const std::int16_t candidate = curve_row(rule.curves.candidate).apply(pre_candidate, kGateIntegerBits);
  std::int16_t& h = stream.h[unit];
  h = saturate<std::int16_t>(candidate + divide_by_pot(z * (h - candidate), 15));  // (A26)
  stream.out[unit] = rule.codes.code(h);                                           // (A27)
}

// (A20) The gate of a unit whose two halves were requantized apart.
template <WeightFormatId kFormat>
std::int16_t gru_gate(const GruRule& rule, const GateRows& input, const GateRows& recurrent, const GruStream& stream,
                      std::size_t unit, std::size_t gate) {
  const std::int32_t a = input_sum<kFormat>(input, unit, rule.units, gate, stream.x, stream.input_sums, rule.limits);
  const std::int32_t u =
      std::clamp(requantized<kFormat>(recurrent, unit, gate, stream.h8), rule.limits.low, rule.limits.high);
  return curve_row(rule.curves.gate).apply(saturate<std::int16_t>(a + u), kGruGateIntegerBits);
}

template <WeightFormatId kFormat>
void gru_after(const GruRule& rule, const GateRows& input, const GateRows& recurrent, const GruStream* streams,
               std::size_t count, Blocks blocks) noexcept {
  for (std::size_t unit = blocks.first; unit < blocks.end; ++unit) {
    for (std::size_t s = 0; s < count; ++s) {
      const GruStream& stream = streams[s];
      const std::int16_t z = gru_gate<kFormat>(rule, input, recurrent, stream, unit, 0);
      const std::int16_t r = gru_gate<kFormat>(rule, input, recurrent, stream, unit, 1);
      const std::int32_t a = input_sum<kFormat>(input, unit, rule.units, 2, stream.x, stream.input_sums, rule.limits);
      const auto u = saturate<std::int16_t>(requantized<kFormat>(recurrent, unit, 2, stream.h8));
      update_gru(rule, stream, unit, z, saturate<std::int16_t>(a + divide_by_pot(r * u, rule.reset_shift)));  // (A24)
    }
  }
}

template <WeightFormatId kFormat>
void gru_gates(const GruRule& rule, const GateRows& input, const GateRows& recurrent, const GruStream* streams,
               std::size_t count, Blocks blocks) noexcept {
  for (std::size_t unit = blocks.first; unit < blocks.end; ++unit) {
    for (std::size_t s = 0; s < count; ++s) {
      const GruStream& stream = streams[s];
      const std::int16_t r = gru_gate<kFormat>(rule, input, recurrent, stream, unit, 1);
      stream.reset[unit] = rule.codes.code_of_product(r, stream.h[unit]);  // (A25)
      stream.update[unit] = gru_gate<kFormat>(rule, input, recurrent, stream, unit, 0);
      stream.candidate[unit] = input_sum<kFormat>(input, unit, rule.units, 2, stream.x, stream.input_sums, rule.limits);
    }
  }
}

template <WeightFormatId kFormat>
void gru_candidate(const GruRule& rule, const GateRows& recurrent, const GruStream* streams, std::size_t count,
                   Blocks blocks) noexcept {
  for (std::size_t unit = blocks.first; unit < blocks.end; ++unit) {
    for (std::size_t s = 0; s < count; ++s) {
      const GruStream& stream = streams[s];
      const std::int64_t sum =
          std::int64_t{stream.candidate[unit]} + requantized<kFormat>(recurrent, unit, 0, stream.h8);
      update_gru(rule, stream, unit, stream.update[unit], saturate<std::int16_t>(sum));
    }
  }
}

template <WeightFormatId kFormat>
constexpr RecurrentStep kStep{.format = kFormat,
                              .block = 1,
                              .operand_bias = 0,
                              .unsigned_sums = false,
                              .operand_bytes = operand_bytes,
                              .pack = pack<kFormat>,
                              .prepare = prepare,
                              .sums = sums<kFormat>,
                              .next_sums = next_sums<kFormat>,
                              .last_sums = last_sums<kFormat>,
                              .lstm = lstm<kFormat>,
                              .gru_after = gru_after<kFormat>,
                              .gru_gates = gru_gates<kFormat>,
                              .gru_candidate = gru_candidate<kFormat>};

}  // namespace

const RecurrentStepPath kScalarRecurrentStep{
    Isa::kScalar,
    {kStep<kI8>,
     {{kI4, kStep<kI4>}, {kTernary, kStep<kTernary>}, {kQuaternary, kStep<kQuaternary>}, {kBinary, kStep<kBinary>}}}};

}  // namespace quaver
