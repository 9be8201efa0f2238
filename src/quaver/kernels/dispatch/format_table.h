// format_table.h - the products of one path of a kernel, by the format of their weights.
#pragma once

#include <array>
#include <cstddef>
#include <initializer_list>

#include "quaver/fixed/weight_format.h"

namespace quaver {

// Kernels are handed codes as bytes, so the product for bytes computes any format: every path has that one, and it runs
// the formats that the path has no product of its own for. A product that reads packed codes is a matter of speed.
template <typename Product>
class FormatTable {
 public:
  struct Row {
    WeightFormatId format;
    Product product;
  };
  constexpr FormatTable(const Product& of_bytes, std::initializer_list<Row> own) {
    products_.fill(of_bytes);
    for (const Row& row : own) products_[static_cast<std::size_t>(row.format)] = row.product;
  }
  constexpr const Product& of(WeightFormatId format) const { return products_[static_cast<std::size_t>(format)]; }

 private:
  std::array<Product, kWeightFormatCount> products_{};
};

}  // namespace quaver
