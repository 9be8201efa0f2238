#include "quaver/model/format.h"

#include <array>
#include <string>

#include "quaver/core/error.h"
#include "quaver/core/printable.h"
#include "quaver/core/text.h"

namespace quaver {
namespace {

constexpr std::array<FormatKind, 4> kKinds{FormatKind::kF32, FormatKind::kI8, FormatKind::kI16, FormatKind::kI32};

}  // namespace

std::string_view format_name(FormatKind kind) {
  switch (kind) {
    case FormatKind::kF32: return "f32";
    case FormatKind::kI4: return "i4";
    case FormatKind::kI8: return "i8";
    case FormatKind::kI16: return "i16";
    case FormatKind::kI32: return "i32";
  }
  return "unknown";
}

FormatKind format_from_name(std::string_view name) {
  for (const FormatKind kind : kKinds) {
    if (format_name(kind) == name) return kind;
  }
  throw_bad_input(concat("unknown format '", printable(name), "'; the formats are f32, i8, i16, i32"));
}

std::size_t format_bytes(FormatKind kind) {
  switch (kind) {
    case FormatKind::kI4:
    case FormatKind::kI8: return 1;
    case FormatKind::kI16: return 2;
    case FormatKind::kF32:
    case FormatKind::kI32: return 4;
  }
  return 4;
}

}  // namespace quaver
