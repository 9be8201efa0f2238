#include "quaver/engine/sequence/layer.h"

#include <algorithm>
#include <array>
#include <type_traits>

namespace quaver {

std::size_t value_bytes(const Value& value) {
  return static_cast<std::size_t>(value.size()) * type_bytes(value.format.kind);
}

void decode(const Value& value, const Channels& channels, const std::byte* bytes, std::span<float> real) noexcept {
  const Format& format = value.format;
  const auto features = static_cast<std::size_t>(value.shape.features());
  const auto from_codes = [&](const auto* codes) {
    // 32 bits hold the difference where the codes have fewer: compilers make vectors of that.
    using Steps = std::conditional_t<sizeof *codes == sizeof(std::int32_t), std::int64_t, std::int32_t>;
    const Steps zero_point = format.zero_point;
    const float scale = format.scale;
    if (channels.empty()) {
      for (std::size_t j = 0; j < real.size(); ++j)
        real[j] = scale * static_cast<float>(static_cast<Steps>(codes[j]) - zero_point);
      return;
    }
    for (std::size_t j = 0; j < real.size(); ++j) {
      const double step = channels.scale_of(j % features) * static_cast<double>(scale);
      const auto steps = static_cast<double>(static_cast<Steps>(codes[j]) - zero_point);
      real[j] = static_cast<float>(channels.offset_of(j % features) + step * steps);
    }
  };
  switch (format.kind) {
    case NumberType::kF32: std::copy_n(reinterpret_cast<const float*>(bytes), real.size(), real.data()); break;
    case NumberType::kI8: from_codes(reinterpret_cast<const std::int8_t*>(bytes)); break;
    case NumberType::kI16: from_codes(reinterpret_cast<const std::int16_t*>(bytes)); break;
    case NumberType::kI32: from_codes(reinterpret_cast<const std::int32_t*>(bytes)); break;
    default: break;  // no value is another
  }
}

void report_value(Observer& observer, std::string_view point, const Value& value, const Channels& channels,
                  const std::byte* bytes) {
  const auto count = static_cast<std::size_t>(value.size());
  switch (value.format.kind) {
    case NumberType::kF32: observer.real(point, {reinterpret_cast<const float*>(bytes), count}); break;
    case NumberType::kI8: {
      const std::span codes(reinterpret_cast<const std::int8_t*>(bytes), count);
      const auto scale = static_cast<double>(value.format.scale);
      if (channels.empty()) {
        observer.codes(point, codes, scale, value.format.zero_point);
      } else {
        observer.channel_codes(point, codes, scale, value.format.zero_point, channels.scale, channels.offset);
      }
      break;
    }
    case NumberType::kI16:
      if (!channels.empty()) {
        std::vector<float> real(count);
        decode(value, channels, bytes, real);
        observer.real(point, real);
        break;
      }
      observer.codes(point, std::span(reinterpret_cast<const std::int16_t*>(bytes), count),
                     static_cast<double>(value.format.scale));
      break;
    default: break;  // ids
  }
}

Layer::Layer(std::string name, std::vector<Value> inputs, std::vector<Value> outputs)
    : name_(std::move(name)),
      inputs_(std::move(inputs)),
      outputs_(std::move(outputs)),
      input_channels_(inputs_.size()) {
  const auto stride = [](const Value& value) { return value.has_time ? value_bytes(value) : 0; };
  for (const Value& value : inputs_) input_strides_.push_back(stride(value));
  for (const Value& value : outputs_) output_strides_.push_back(stride(value));
}

void Layer::report_inputs(Observer& observer, const std::byte* const* in) const {
  report_value(observer, "input", inputs_[0], input_channels_[0], in[0]);
  for (std::size_t slot = 1; slot < inputs_.size(); ++slot)
    report_value(observer, input_format_name(slot), inputs_[slot], input_channels_[slot], in[slot]);
}

void Layer::step_streams(const std::byte* const* in, std::byte* const* out, std::byte* const* states, std::size_t count,
                         WorkingMemory scratch) const noexcept {
  std::array<const std::byte*, kMostSlots> from{};
  std::array<std::byte*, kMostSlots> to{};
  for (std::size_t s = 0; s < count; ++s) {
    for (std::size_t slot = 0; slot < inputs_.size(); ++slot) from[slot] = in[slot] + s * value_bytes(inputs_[slot]);
    for (std::size_t slot = 0; slot < outputs_.size(); ++slot) to[slot] = out[slot] + s * value_bytes(outputs_[slot]);
    step(from.data(), to.data(), states[s], scratch, nullptr);
  }
}

void Layer::run(const Passage& passage, std::byte* scratch, Observer* observer, Team*) const {
  const bool observed = observer != nullptr && !name_.empty();
  std::array<const std::byte*, kMostSlots> in{};
  std::array<std::byte*, kMostSlots> out{};
  for (std::size_t t = 0; t < passage.steps; ++t) {
    for (std::size_t slot = 0; slot < inputs_.size(); ++slot) in[slot] = passage.in[slot] + t * input_strides_[slot];
    for (std::size_t slot = 0; slot < outputs_.size(); ++slot)
      out[slot] = passage.out[slot] + t * output_strides_[slot];
    if (observed) {
      observer->at(name_, "", t);
      report_inputs(*observer, in.data());
    }
    step(in.data(), out.data(), passage.state, scratch, observer);
    if (observed) report_value(*observer, "output", outputs_[0], output_channels_, out[0]);
  }
}

void Layer::run_batch(std::span<const Passage> passages, std::byte* scratch) const {
  for (const Passage& passage : passages) run(passage, scratch, nullptr, nullptr);
}

}  // namespace quaver
