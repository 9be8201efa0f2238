// name_table.h - the names of an enum's values, as files, listings and flags write them; the values are 0, 1, 2, ...
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "quaver/core/error.h"
#include "quaver/core/printable.h"
#include "quaver/core/text.h"

namespace quaver {

template <typename Enum, std::size_t kCount>
class NameTable {
 public:
  // what: the enum in words, for the error. names: of value 0, of value 1, ...
  constexpr NameTable(std::string_view what, std::array<std::string_view, kCount> names) : what_(what), names_(names) {}

  constexpr std::string_view name(Enum value) const { return names_[static_cast<std::size_t>(value)]; }
  std::vector<std::string> names() const { return {names_.begin(), names_.end()}; }
  // Error (bad input) that lists the names.
  Enum value(std::string_view name) const {
    for (std::size_t i = 0; i < kCount; ++i)
      if (names_[i] == name) return static_cast<Enum>(i);
    throw_bad_input(concat("unknown ", what_, " '", printable(name), "', expected one of: ", join(names(), ", ")));
  }

 private:
  std::string_view what_;
  std::array<std::string_view, kCount> names_;
};

}  // namespace quaver
