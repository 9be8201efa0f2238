#include "quaver/model/operations/operation.h"

#include <string>
#include <utility>

#include "quaver/core/error.h"
#include "quaver/core/printable.h"
#include "quaver/core/text.h"
#include "quaver/model/operations/row.h"

namespace quaver {
namespace {

// One operation of each kind, in the order of the list.
template <std::size_t... kIndices>
std::vector<Operation> one_of_each(std::index_sequence<kIndices...>) {
  return {Operation(std::in_place_index<kIndices>)...};
}
const std::vector<Operation>& all() {
  static const std::vector<Operation> kAll = one_of_each(std::make_index_sequence<std::variant_size_v<Operation>>());
  return kAll;
}

}  // namespace

const OperationRow& row_of(const Operation& operation) {
  return std::visit([](const auto& attributes) -> const OperationRow& { return attributes.row(); }, operation);
}

std::string_view operation_name(const Operation& operation) {
  return std::visit([](const auto& attributes) { return attributes.kName; }, operation);
}

std::vector<std::string_view> operation_names() {
  std::vector<std::string_view> names;
  for (const Operation& operation : all()) names.push_back(operation_name(operation));
  return names;
}

std::vector<std::string> recurrent_names() {
  std::vector<std::string> names;
  for (const Operation& operation : all())
    if (row_of(operation).direction(operation)) names.emplace_back(operation_name(operation));
  return names;
}

bool has_field(const Operation& operation, std::string_view name) {
  bool found = false;
  visit_fields(operation, [&](std::string_view field, const auto&) { found = found || field == name; });
  return found;
}

Operation operation_from_name(std::string_view name) {
  std::vector<std::string> names;
  for (const Operation& operation : all()) {
    if (operation_name(operation) == name) return operation;
    names.emplace_back(operation_name(operation));
  }
  throw_bad_input(concat("unknown operation '", printable(name), "', expected one of: ", join(names, ", ")));
}

}  // namespace quaver
