#include "quaver/workflow/fields.h"

#include <algorithm>
#include <utility>

#include "quaver/core/text.h"
#include "quaver/model/operations/operation.h"

namespace quaver {

RefusedField::RefusedField(std::string flag, std::string reason)
    : Error(ErrorKind::kUsage, flag + reason), flag_(std::move(flag)), reason_(std::move(reason)) {}

void refuse(std::initializer_list<Field> fields, const std::string& belongs_to, const std::string& here) {
  for (const Field& field : fields)
    if (field.set) throw RefusedField(field.flag, concat(" belongs to ", belongs_to, "; ", here));
}

void refuse_attribute(const Field& field, std::string_view attribute, const std::vector<std::string>& cells,
                      const std::string& here) {
  const auto has = [&](const std::string& cell) { return has_field(operation_from_name(cell), attribute); };
  if (std::ranges::any_of(cells, has)) return;
  std::vector<std::string> owners;
  for (const std::string& cell : recurrent_names())
    if (has(cell)) owners.push_back(cell);
  refuse({field}, concat("cell ", join(owners, ", ")), here);
}

void require_model_name(const std::filesystem::path& path) {
  if (path.extension() != ".safetensors")
    throw_usage(concat("--output ", path.string(), ": a model file is called NAME.safetensors"));
}

}  // namespace quaver
