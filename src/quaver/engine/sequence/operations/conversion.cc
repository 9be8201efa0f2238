#include "quaver/engine/sequence/operations/conversion.h"

#include <cmath>

#include "quaver/core/error.h"
#include "quaver/core/text.h"
#include "quaver/fixed/multiplier.h"
#include "quaver/fixed/quantization.h"
#include "quaver/fixed/rounding.h"

namespace quaver {
namespace {

double real_at(const std::byte* bytes, std::size_t index, const Format& format) {
  switch (format.kind) {
    case NumberType::kF32: return static_cast<double>(typed<float>(bytes)[index]);
    case NumberType::kI8:
      return static_cast<double>(format.scale) * (typed<std::int8_t>(bytes)[index] - format.zero_point);
    case NumberType::kI16:
      return static_cast<double>(format.scale) * (typed<std::int16_t>(bytes)[index] - format.zero_point);
    case NumberType::kI32: return static_cast<double>(typed<std::int32_t>(bytes)[index]);
    default: break;  // no value is another
  }
  return 0;
}

// The edge of a float island: the only float arithmetic an integer model can hold, and only when the user allowed it.
class IslandBorderLayer final : public Layer {
 public:
  IslandBorderLayer(const Value& from, const Value& to) : Layer("", {from}, {to}) {}
  void step(const std::byte* const* in_slots, std::byte* const* out_slots, std::byte*, WorkingMemory,
            Observer*) const noexcept override {
    const std::byte* in = in_slots[0];
    std::byte* out = out_slots[0];
    const Format& to = output().format;
    const auto features = static_cast<std::size_t>(input().shape.features());
    for (std::size_t j = 0; j < static_cast<std::size_t>(input().size()); ++j) {
      const Channels &from = input_channels(), &into = output_channels();
      const std::size_t c = j % features;
      const double found = from.offset_of(c) + from.scale_of(c) * real_at(in, j, input().format);
      // A float island can overflow; codes hold no such number.
      const double real = ((std::isnan(found) ? 0.0 : found) - into.offset_of(c)) / into.scale_of(c);
      const auto code = [&](std::int32_t low, std::int32_t high) {
        return quantize(real, static_cast<double>(to.scale), to.zero_point, low, high);
      };
      switch (to.kind) {
        case NumberType::kF32: typed<float>(out)[j] = static_cast<float>(real); break;
        case NumberType::kI8: typed<std::int8_t>(out)[j] = static_cast<std::int8_t>(code(-128, 127)); break;
        case NumberType::kI16: typed<std::int16_t>(out)[j] = static_cast<std::int16_t>(code(-32768, 32767)); break;
        default: break;  // make_conversion() refuses the others
      }
    }
  }
};

// Codes to codes of another scale: code' = sat(m.apply(code - zero_point) + zero_point').
template <typename From, typename To>
class RescaleLayer final : public Layer {
 public:
  RescaleLayer(const Value& from, const Value& to)
      : Layer("", {from}, {to}),
        multiplier_(Multiplier::from_real(static_cast<double>(from.format.scale / to.format.scale))) {}
  void step(const std::byte* const* in_slots, std::byte* const* out_slots, std::byte*, WorkingMemory,
            Observer*) const noexcept override {
    const std::byte* in = in_slots[0];
    std::byte* out = out_slots[0];
    for (std::int64_t j = 0; j < input().size(); ++j) {
      const std::int32_t offset = typed<From>(in)[j] - input().format.zero_point;
      typed<To>(out)[j] = saturate<To>(std::int64_t{multiplier_.apply(offset)} + output().format.zero_point);
    }
  }

 private:
  Multiplier multiplier_;
};

}  // namespace

std::unique_ptr<Layer> make_conversion(const Value& from, const Format& to) {
  Value result = from;
  result.format = to;
  if (is_float(from.format) != is_float(to)) return std::make_unique<IslandBorderLayer>(from, result);
  const bool from_i8 = from.format.kind == NumberType::kI8, from_i16 = from.format.kind == NumberType::kI16;
  const bool to_i8 = to.kind == NumberType::kI8, to_i16 = to.kind == NumberType::kI16;
  if (from_i8 && to_i8) return std::make_unique<RescaleLayer<std::int8_t, std::int8_t>>(from, result);
  if (from_i8 && to_i16) return std::make_unique<RescaleLayer<std::int8_t, std::int16_t>>(from, result);
  if (from_i16 && to_i8) return std::make_unique<RescaleLayer<std::int16_t, std::int8_t>>(from, result);
  if (from_i16 && to_i16) return std::make_unique<RescaleLayer<std::int16_t, std::int16_t>>(from, result);
  throw_bad_input(concat("no conversion from ", type_name(from.format.kind), " to ", type_name(to.kind),
                         " between two nodes; only f32, i8 and i16 can be converted"));
}

}  // namespace quaver
