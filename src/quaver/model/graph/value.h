// value.h - what flows along an edge of a graph: the shape of one frame, whether there is one a step, its codes.
//
// The stream axis is no part of a shape: step() advances it by one frame, run() over a sequence by all of them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>

#include "quaver/model/formats/format.h"

namespace quaver {

// Sizes of the axes of one frame, outermost first: [features], [steps, features], [channels, height, width], ...
class Shape {
 public:
  static constexpr std::size_t kMostAxes = 4;

  Shape() = default;  // of a single number
  // Error for more than kMostAxes sizes; sizes themselves are for validate() to judge.
  Shape(std::initializer_list<std::int64_t> sizes) : Shape(std::span(sizes.begin(), sizes.size())) {}
  explicit Shape(std::span<const std::int64_t> sizes);

  std::size_t axes() const { return axes_; }
  std::int64_t operator[](std::size_t axis) const { return sizes_[axis]; }
  std::span<const std::int64_t> sizes() const { return {sizes_.data(), axes_}; }
  std::int64_t elements() const {
    std::int64_t product = 1;
    for (const std::int64_t size : sizes()) product *= size;
    return product;
  }
  // The innermost axis, along which matrices, softmax and channels count; 1 of a single number.
  std::int64_t features() const { return axes_ == 0 ? 1 : sizes_[axes_ - 1]; }
  // The same with another innermost axis; of a single number a vector.
  Shape with_features(std::int64_t features) const;
  bool operator==(const Shape&) const = default;

 private:
  std::array<std::int64_t, kMostAxes> sizes_{};
  std::size_t axes_ = 0;
};

struct Value {
  Shape shape{};
  bool has_time = true;  // one a step; else one a sequence: given with it, or what a pool has found by now
  Format format{};
  // A value once every `rate` steps of the stream, `delay` steps late: 1 and 0, the only ones so far.
  std::int64_t rate = 1, delay = 0;
  bool operator==(const Value&) const = default;

  std::int64_t size() const { return shape.elements(); }  // elements of one frame
};

}  // namespace quaver
