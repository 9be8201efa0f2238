// test_cells.h - random cells and a plain quantizer for tests: from float parameters and known ranges to integer ones.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "quaver/cells/observer.h"
#include "quaver/cells/state_part.h"
#include "quaver/core/aligned.h"
#include "quaver/core/random.h"
#include "quaver/fixed/quantization.h"
#include "support/paths.h"

namespace quaver::testing_support {

using Floats = std::vector<float>;

inline Floats uniform(Random& random, std::size_t count, double low, double high) {
  Floats values(count);
  for (float& value : values) value = static_cast<float>(random.uniform(low, high));
  return values;
}
inline Floats normal(Random& random, std::size_t count, double deviation) {
  Floats values(count);
  for (float& value : values) value = static_cast<float>(deviation * random.normal());
  return values;
}

inline double max_abs(std::span<const float> values) {
  double largest = 0;
  for (const float value : values) largest = std::max(largest, std::abs(static_cast<double>(value)));
  return largest;
}

// Codes of values whose element i has scale scales[i / (size / scales.size())] * factor.
template <typename T>
std::vector<T> codes_of(std::span<const float> values, std::span<const float> scales, double factor,
                        std::int32_t limit) {
  std::vector<T> codes(values.size());
  const std::size_t block = values.size() / std::max<std::size_t>(scales.size(), 1);
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double scale = factor * static_cast<double>(scales[i / block]);
    codes[i] = static_cast<T>(quantize(static_cast<double>(values[i]), scale, 0, -limit, limit));
  }
  return codes;
}

// One scale for each of `groups` runs of rows, max |w| / limit; `bias` (may be empty, one a row) widens a scale so that
// bias / (scale input_scale) stays below 2^28.
inline Floats weight_scales(std::span<const float> weights, std::size_t groups, std::int32_t limit,
                            std::span<const float> bias = {}, double input_scale = 1) {
  Floats scales;
  const std::size_t run = weights.size() / groups, bias_run = bias.size() / groups;
  for (std::size_t g = 0; g < groups; ++g) {
    const float scale = symmetric_scale(max_abs(weights.subspan(g * run, run)), limit);
    const double room = max_abs(bias.subspan(g * bias_run, bias_run)) / (input_scale * 0x1p28);
    scales.push_back(std::max(scale, static_cast<float>(room)));
  }
  return scales;
}

// A little wider than what was seen, so that rounding the zero point does not cut its ends off.
inline Affine affine_of(double low, double high) { return affine_i8(1.01 * low, 1.01 * high); }

inline std::vector<std::int8_t> codes_of(std::span<const float> values, const Affine& affine) {
  std::vector<std::int8_t> codes;
  for (const float value : values)
    codes.push_back(static_cast<std::int8_t>(
        quantize(static_cast<double>(value), static_cast<double>(affine.scale), affine.zero_point, -128, 127)));
  return codes;
}

// How a cell's matrices are scaled: one scale for each gate's block of rows, or one a row.
enum class WeightScales { kPerGate, kPerRow };

// A cell with a state and working memory.
template <typename Cell>
class Running {
 public:
  explicit Running(const Cell& cell) : cell_(&cell), parts_(cell.state_parts()), scratch_(cell.scratch_bytes()) {
    const StatePart& last = parts_.back();
    state_.resize(align_up(last.offset + last.count * type_bytes(last.type)));
    cell_->reset(state_.data());
  }
  const typename Cell::Output* step(const typename Cell::Input* x, Observer* observer = nullptr) {
    return cell_->step(x, state_.data(), scratch_.data(), observer);
  }
  template <typename T>
  std::span<T> part(std::size_t index) {
    return {reinterpret_cast<T*>(state_.data() + parts_[index].offset), parts_[index].count};
  }
  AlignedVector<std::byte>& state() { return state_; }

 private:
  const Cell* cell_;
  std::vector<StatePart> parts_;
  AlignedVector<std::byte> state_, scratch_;
};

// The points a cell reports in one step, with their sizes: "pre_z:4 pre_r:4 ".
class PointNames : public Observer {
 public:
  void at(std::string_view, std::string_view, std::size_t) override {}
  void real(std::string_view point, std::span<const float> values) override { note(point, values.size()); }
  void codes(std::string_view point, std::span<const std::int8_t> codes, double, std::int32_t) override {
    note(point, codes.size());
  }
  void codes(std::string_view point, std::span<const std::int16_t> codes, double) override {
    note(point, codes.size());
  }
  std::string text;

 private:
  void note(std::string_view point, std::size_t size) { text += std::string(point) + ":" + std::to_string(size) + " "; }
};

// The paths of this CPU beside scalar; a loop over them compares with scalar.
inline std::vector<Isa> other_paths() {
  std::vector<Isa> paths = paths_here();
  std::erase(paths, Isa::kScalar);
  return paths;
}

// What restores a state whose other parts were set.
template <typename Cell>
void restore_derived(const Cell& cell, std::byte* state) {
  for (const StatePart& part : cell.state_parts())
    if (part.derived()) part.derive(state);
}

}  // namespace quaver::testing_support
