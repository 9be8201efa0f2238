#include "quaver/engine/sequence/state.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "quaver/core/error.h"
#include "quaver/core/text.h"

namespace quaver {
namespace {

const StatePart& find(const StateLayout& layout, const std::string& name) {
  std::vector<std::string> names;
  for (const StatePart& part : layout.parts) {
    if (part.name == name) return part;
    names.push_back(part.name);
  }
  throw_bad_input(concat("state has no part '", name, "'; it has: ", join(names, ", ")));
}

}  // namespace

const StateLayout& State::layout() const {
  if (layout_ == nullptr) throw_bad_input("a state that was moved from has no parts; start from initial_state()");
  return *layout_;
}

std::span<const std::byte> State::part(const std::string& name) const {
  const StatePart& part = find(layout(), name);
  return {bytes_.data() + part.offset, part.count * type_bytes(part.type)};
}

std::span<std::byte> State::part(const std::string& name) {
  const StatePart& part = find(layout(), name);
  return {bytes_.data() + part.offset, part.count * type_bytes(part.type)};
}

namespace {

// Codes of T, cut at its ends; counts the cut ones.
template <typename T>
std::size_t code(const StatePart& part, std::span<const float> reals, std::byte* to) {
  std::size_t cut = 0;
  for (std::size_t i = 0; i < reals.size(); ++i) {
    const double steps = std::round(static_cast<double>(reals[i]) / part.scale) + part.zero_point;
    constexpr auto kLow = static_cast<double>(std::numeric_limits<T>::min());
    // The largest double at or below the end of 64 bits, which no sum of 2^40 steps reaches.
    constexpr double kHigh = sizeof(T) == 8 ? 0x1.fffffffffffffp62 : static_cast<double>(std::numeric_limits<T>::max());
    cut += steps < kLow || steps > kHigh ? 1 : 0;
    const auto coded = static_cast<T>(std::clamp(steps, kLow, kHigh));
    std::memcpy(to + i * sizeof coded, &coded, sizeof coded);
  }
  return cut;
}

template <typename T>
void decode(const StatePart& part, const std::byte* from, std::span<float> reals) {
  for (std::size_t i = 0; i < reals.size(); ++i) {
    T number;
    std::memcpy(&number, from + i * sizeof number, sizeof number);
    reals[i] = static_cast<float>(part.scale * (static_cast<double>(number) - part.zero_point));
  }
}

}  // namespace

std::vector<float> State::reals(const std::string& name) const {
  const StatePart& part = find(layout(), name);
  const std::byte* from = bytes_.data() + part.offset;
  std::vector<float> reals(part.count);
  switch (part.type) {
    case NumberType::kI8: decode<std::int8_t>(part, from, reals); break;
    case NumberType::kI16: decode<std::int16_t>(part, from, reals); break;
    case NumberType::kI64: decode<std::int64_t>(part, from, reals); break;
    default: decode<float>(part, from, reals);
  }
  return reals;
}

std::size_t State::set(const std::string& name, std::span<const float> reals) {
  const StatePart& part = find(layout(), name);
  if (part.derived()) throw_bad_input(concat("state part '", name, "' follows from the others; set those"));
  if (reals.size() != part.count)
    throw_bad_input(concat("state part '", name, "' was given ", reals.size(), " numbers, expected ", part.count));
  for (std::size_t i = 0; i < reals.size(); ++i) {
    const auto real = static_cast<double>(reals[i]);
    if (!std::isfinite(real))
      throw_bad_input(concat("state part '", name, "' was given ", reals[i], " at ", i, ", expected finite numbers"));
    if (part.counts && (real != std::floor(real) || real < 0 || real > static_cast<double>(kMostStateSteps)))
      throw_bad_input(concat("state part '", name, "' was given ", reals[i],
                             ", expected a whole number of steps from 0 to ", kMostStateSteps));
  }
  std::byte* to = bytes_.data() + part.offset;
  std::size_t cut = 0;
  switch (part.type) {
    case NumberType::kI8: cut = code<std::int8_t>(part, reals, to); break;
    case NumberType::kI16: cut = code<std::int16_t>(part, reals, to); break;
    case NumberType::kI64: cut = code<std::int64_t>(part, reals, to); break;
    default: std::memcpy(to, reals.data(), reals.size_bytes());
  }
  derive();
  return cut;
}

void State::derive() noexcept {
  for (const StatePart& part : layout_->parts)
    if (part.derived()) part.derive(bytes_.data() + part.origin);
}

}  // namespace quaver
