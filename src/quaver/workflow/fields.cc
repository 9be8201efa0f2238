#include "quaver/workflow/fields.h"

#include <utility>

#include "quaver/core/text.h"

namespace quaver {

RefusedField::RefusedField(std::string flag, std::string reason)
    : Error(ErrorKind::kUsage, flag + reason), flag_(std::move(flag)), reason_(std::move(reason)) {}

void refuse(std::initializer_list<Field> fields, const std::string& belongs_to, const std::string& here) {
  for (const Field& field : fields)
    if (field.set) throw RefusedField(field.flag, concat(" belongs to ", belongs_to, "; ", here));
}

void require_model_name(const std::filesystem::path& path) {
  if (path.extension() != ".safetensors")
    throw_usage(concat("--output ", path.string(), ": a model file is called NAME.safetensors"));
}

}  // namespace quaver
