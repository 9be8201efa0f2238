#include "quaver/model/graph/node.h"

#include "quaver/core/text.h"
#include "quaver/model/formats/scheme.h"
#include "quaver/model/operations/row.h"

namespace quaver {

std::string value_name(const Node& node, std::size_t slot) {
  return slot == 0 ? node.name : concat(node.name, ".", row_of(node.operation).output_slots()[slot]);
}

std::string input_format_name(std::size_t slot) { return slot == 0 ? "input" : concat("input_", slot); }

bool runs_in_float(const Node& node) {
  const Scheme* scheme = find_scheme(node.scheme);
  return scheme == nullptr || scheme->weights == NumberType::kF32;
}

std::string described(const Node& node) {
  return concat("node '", node.name, "' (", operation_name(node.operation), ")");
}

}  // namespace quaver
