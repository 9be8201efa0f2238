// format.h - how the numbers of one tensor or one edge are coded (design section 4).
#pragma once

#include <cstdint>
#include <string_view>

#include "quaver/core/number_type.h"

namespace quaver {

// The type that a file names; Error that lists those that a value can have: f32, i8, i16, i32.
NumberType value_type_from_name(std::string_view name);

// Codes of an edge: real = scale (code - zero_point). For f32 scale is 1 and zero_point 0.
struct Format {
  NumberType kind = NumberType::kF32;
  float scale = 1.0f;
  std::int32_t zero_point = 0;
  bool operator==(const Format&) const = default;
};

inline bool is_float(const Format& format) { return format.kind == NumberType::kF32; }

}  // namespace quaver
