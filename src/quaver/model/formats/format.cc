#include "quaver/model/formats/format.h"

#include <string>

#include "quaver/core/error.h"
#include "quaver/core/printable.h"
#include "quaver/core/text.h"

namespace quaver {

NumberType value_type_from_name(std::string_view name) {
  for (const NumberType type : {NumberType::kF32, NumberType::kI8, NumberType::kI16, NumberType::kI32}) {
    if (type_name(type) == name) return type;
  }
  throw_bad_input(concat("unknown format '", printable(name), "'; the formats are f32, i8, i16, i32"));
}

}  // namespace quaver
