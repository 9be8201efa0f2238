// format.h - how the numbers of one tensor or one edge are coded (design section 4).
#pragma once

#include <cstdint>
#include <string_view>

namespace quaver {

enum class FormatKind { kF32, kI4, kI8, kI16, kI32 };  // i4: weights only, tensor.h

std::string_view format_name(FormatKind kind);       // "f32", "i4", "i8", "i16", "i32"
FormatKind format_from_name(std::string_view name);  // Error that lists the names; of values, so without i4
std::size_t format_bytes(FormatKind kind);           // bytes of one element of a value

// Codes of an edge: real = scale (code - zero_point). For f32 scale is 1 and zero_point 0.
struct Format {
  FormatKind kind = FormatKind::kF32;
  float scale = 1.0f;
  std::int32_t zero_point = 0;
  bool operator==(const Format&) const = default;
};

inline bool is_float(const Format& format) { return format.kind == FormatKind::kF32; }

}  // namespace quaver
