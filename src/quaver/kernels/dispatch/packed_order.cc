#include "quaver/kernels/dispatch/packed_order.h"

#include <algorithm>

namespace quaver {
namespace {

constexpr std::size_t whole_units(std::size_t cols, std::size_t step) { return (cols + step - 1) / step; }

// With room for `bytes` bytes of every row and no more: no second copy while it grows.
AlignedVector<std::int8_t> with_room(const PackedOrder& order, std::size_t bytes) {
  AlignedVector<std::int8_t> packed;
  packed.reserve(order.rows() * bytes);
  return packed;
}

}  // namespace

AlignedVector<std::int8_t> pack_rows(MatrixView<const std::int8_t> weights, std::size_t gates, WeightFormatId id) {
  const WeightFormat& format = weight_format(id);
  const std::size_t units = weights.rows() / gates, row_bytes = format.row_bytes(weights.cols());
  AlignedVector<std::int8_t> packed(weights.rows() * row_bytes);
  auto* to = reinterpret_cast<std::byte*>(packed.data());
  for (std::size_t unit = 0; unit < units; ++unit) {
    for (std::size_t g = 0; g < gates; ++g, to += row_bytes)
      format.pack(weights.row(g * units + unit).data(), weights.cols(), to);
  }
  return packed;
}

AlignedVector<std::int8_t> pack_fours(const PackedOrder& order, std::size_t step) {
  const std::size_t cols = whole_units(order.weights.cols(), step) * step;
  AlignedVector<std::int8_t> packed = with_room(order, cols);
  for (std::size_t b = 0; b < order.blocks(); ++b) {
    for (std::size_t first = 0; first < cols; first += order.columns) {
      for (std::size_t g = 0; g < order.gates; ++g) {
        for (std::size_t p = 0; p < order.block; ++p) {
          for (std::size_t c = first; c < first + order.columns; ++c) packed.push_back(order.at(b, g, p, c));
        }
      }
    }
  }
  return packed;
}

AlignedVector<std::int8_t> pack_unsigned_fours(const PackedOrder& order, std::size_t step) {
  AlignedVector<std::int8_t> packed = pack_fours(order, step);
  for (std::int8_t& weight : packed) weight = static_cast<std::int8_t>(weight ^ -128);
  return packed;
}

AlignedVector<std::int8_t> pack_nibbles(const PackedOrder& order, std::uint8_t flipped) {
  const std::size_t step = 2 * order.columns;
  AlignedVector<std::int8_t> packed = with_room(order, whole_units(order.weights.cols(), step) * order.columns);
  for (std::size_t b = 0; b < order.blocks(); ++b) {
    for (std::size_t first = 0; first < order.weights.cols(); first += step) {
      for (std::size_t g = 0; g < order.gates; ++g) {
        for (std::size_t p = 0; p < order.block; ++p) {
          for (std::size_t c = first; c < first + order.columns; ++c)
            packed.push_back(pair_of_nibbles(order.at(b, g, p, c), order.at(b, g, p, c + order.columns), flipped));
        }
      }
    }
  }
  return packed;
}

AlignedVector<std::int8_t> pack_planes(const PackedOrder& order, WeightFormatId format) {
  const std::size_t step = plane_count(format) * order.columns;
  AlignedVector<std::int8_t> packed = with_room(order, whole_units(order.weights.cols(), step) * order.columns);
  for (std::size_t b = 0; b < order.blocks(); ++b) {
    for (std::size_t first = 0; first < order.weights.cols(); first += step) {
      for (std::size_t g = 0; g < order.gates; ++g) {
        for (std::size_t p = 0; p < order.block; ++p) {
          for (std::size_t c = first; c < first + order.columns; ++c) {
            unsigned byte = 0;
            for (std::size_t plane = 0; plane < plane_count(format); ++plane)
              byte |= field_of(format, order.at(b, g, p, c + plane * order.columns))
                      << plane * static_cast<unsigned>(field_bits(format));
            packed.push_back(static_cast<std::int8_t>(byte));
          }
        }
      }
    }
  }
  return packed;
}

AlignedVector<std::int8_t> pack_runs(const PackedOrder& order, WeightFormatId format, std::size_t run) {
  constexpr std::size_t kBytes = 32;
  AlignedVector<std::int8_t> packed =
      format == WeightFormatId::kI4 ? pack_nibbles(order, kPlusEight) : pack_planes(order, format);
  if (run == 1) return packed;
  const std::size_t units = whole_units(order.weights.cols(), plane_columns(format));
  const std::size_t registers = 4 * order.gates * order.block / kBytes;
  AlignedVector<std::int8_t> block(units * registers * kBytes);
  for (std::size_t at = 0; at < packed.size(); at += block.size()) {
    std::copy_n(packed.data() + at, block.size(), block.data());
    for (std::size_t unit = 0; unit < units; ++unit) {
      for (std::size_t r = 0; r < registers; ++r) {
        const std::size_t first = unit / run * run;
        const std::size_t place =
            first + run <= units ? first * registers + r * run + (unit - first) : unit * registers + r;
        std::copy_n(block.data() + (unit * registers + r) * kBytes, kBytes, packed.data() + at + place * kBytes);
      }
    }
  }
  return packed;
}

AlignedVector<std::int8_t> pack_nibbles_of_signs(const PackedOrder& order) {
  constexpr std::size_t kLanes = 8, kTogether = 4;  // rows of 32 bits a register of sums, such registers a packed one
  const std::size_t registers = order.gates * order.block / kLanes;
  AlignedVector<std::int8_t> packed;
  packed.reserve(order.blocks() * whole_units(registers, kTogether) * whole_units(order.weights.cols(), 8) * kLanes *
                 kTogether);
  for (std::size_t b = 0; b < order.blocks(); ++b) {
    for (std::size_t first = 0; first < registers; first += kTogether) {
      for (std::size_t c = 0; c < order.weights.cols(); c += 8) {
        for (std::size_t i = 0; i < kLanes; ++i) {
          for (std::size_t r = first; r < first + kTogether; ++r) {
            const std::size_t row = r * kLanes + i, gate = row / order.block;
            unsigned bits = 0;
            for (std::size_t col = 0; col < 8 && gate < order.gates; ++col)
              bits |= order.at(b, gate, row % order.block, c + col) > 0 ? 1u << col : 0u;
            packed.push_back(static_cast<std::int8_t>(bits));
          }
        }
      }
    }
  }
  return packed;
}

}  // namespace quaver
