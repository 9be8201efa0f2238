// dense.h - A matrix and a bias, along the innermost axis.
//
//   W [units, input]  b [units]
#pragma once

#include <cstdint>
#include <string_view>

namespace quaver {

class OperationRow;

struct DenseAttributes {
  std::int64_t input_size = 0;
  std::int64_t units = 0;
  bool operator==(const DenseAttributes&) const = default;

  static const OperationRow& row();
  static constexpr std::string_view kName = "dense";
  static void fields(auto& self, auto&& visit) {
    visit("input_size", self.input_size);
    visit("units", self.units);
  }
};

}  // namespace quaver
