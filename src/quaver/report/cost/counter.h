// counter.h - the arithmetic operations of one node, as the cells execute them. Internal.
#pragma once

#include <cstdint>

#include "quaver/report/cost/energy.h"

namespace quaver {

// Adds up the operations of one node, in f32 or in integers, in the order in which the cells compute.
class Counter {
  using enum OperationKind;
  using enum OperandWidth;

 public:
  explicit Counter(bool in_float) : float_(in_float) {}

  OperationCounts operations;

  void matrix(std::uint64_t rows, std::uint64_t cols) {
    if (float_) {
      operations.mac(kF32, kF32, rows * cols);
    } else {
      operations.mac(kI8, kI32, rows * cols);
    }
  }
  // Biases, or two sums that become one.
  void add(std::uint64_t count) { operations.add(kAdd, float_ ? kF32 : kI32, count); }
  void add_i16(std::uint64_t count) { operations.add(kAdd, float_ ? kF32 : kI16, count); }
  void compare(std::uint64_t count) { operations.add(kCompare, float_ ? kF32 : kI16, count); }
  // A product of two int16 numbers with the rounding shift after it.
  void multiply(std::uint64_t count) {
    if (float_) {
      operations.add(kMultiply, kF32, count);
    } else {
      operations.add(kMultiply, kI16, count);
      rounding_shift(count);
    }
  }
  void multiply_i32(std::uint64_t count) { operations.add(kMultiply, float_ ? kF32 : kI32, count); }
  void curve(std::uint64_t count) {
    if (float_) {
      operations.f32_curve += count;
    } else {
      operations.add(kMultiply, kI16, kCurveSteps * count);
      operations.add(kAdd, kI16, kCurveSteps * count);
    }
  }
  // From one scale to another: a product and two rounding shifts' additions. Float needs none.
  void requantize(std::uint64_t count) {
    if (float_) return;
    operations.add(kMultiply, kI32, count);
    operations.add(kAdd, kI32, count);
    rounding_shift(count);
  }
  // The zero point of an affine output.
  void shift_zero(std::uint64_t count) {
    if (!float_) operations.add(kAdd, kI32, count);
  }
  bool in_float() const { return float_; }

 private:
  void rounding_shift(std::uint64_t count) {
    operations.add(kAdd, kI32, count);
    operations.add(kShift, kI32, count);
  }

  bool float_;
};

}  // namespace quaver
