// pool.h - One value of a whole sequence.
#pragma once

#include <string_view>

#include "quaver/model/operations/names.h"

namespace quaver {

class OperationRow;

struct PoolAttributes {  // over time: one value a sequence. kFinal: only right behind a reverse or bidirectional layer
  Pooling pooling = Pooling::kLast;
  bool operator==(const PoolAttributes&) const = default;

  static const OperationRow& row();
  static constexpr std::string_view kName = "pool";
  static void fields(auto& self, auto&& visit) { visit("pooling", self.pooling); }
};

}  // namespace quaver
