#include "quaver/model/operations/names.h"

#include "quaver/core/name_table.h"

namespace quaver {
namespace {

constexpr NameTable<Direction, 3> kDirections{"direction", {"forward", "reverse", "bidirectional"}};
constexpr NameTable<Nonlinearity, 7> kNonlinearities{
    "nonlinearity", {"identity", "relu", "sigmoid", "tanh", "hard_sigmoid", "elu", "gelu"}};
constexpr NameTable<Pooling, 4> kPoolings{"pooling", {"last", "mean", "max", "final"}};
constexpr NameTable<Sums, 2> kSums{"sums", {"halves", "whole"}};

}  // namespace

std::string_view direction_name(Direction direction) { return kDirections.name(direction); }
std::string_view nonlinearity_name(Nonlinearity nonlinearity) { return kNonlinearities.name(nonlinearity); }
std::string_view pooling_name(Pooling pooling) { return kPoolings.name(pooling); }
std::string_view sums_name(Sums sums) { return kSums.name(sums); }
Direction direction_from_name(std::string_view name) { return kDirections.value(name); }
Nonlinearity nonlinearity_from_name(std::string_view name) { return kNonlinearities.value(name); }
Pooling pooling_from_name(std::string_view name) { return kPoolings.value(name); }
Sums sums_from_name(std::string_view name) { return kSums.value(name); }

std::vector<std::string> direction_suffixes(Direction direction) {
  if (direction == Direction::kBidirectional) return {"", "_reverse"};
  return {direction == Direction::kReverse ? "_reverse" : ""};
}

}  // namespace quaver
