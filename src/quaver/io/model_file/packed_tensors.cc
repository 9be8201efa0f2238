#include "quaver/io/model_file/packed_tensors.h"

#include <cstddef>

#include "quaver/core/error.h"
#include "quaver/core/printable.h"
#include "quaver/core/text.h"

namespace quaver {
namespace {

constexpr std::int64_t kMostColumns = std::int64_t{1} << 40;  // beyond any file, and what packs them does not overflow

std::vector<std::string> packed_names() {
  std::vector<std::string> names;
  for (const WeightFormat& format : weight_formats())
    if (format.is_packed()) names.emplace_back(format.name);
  return names;
}

std::string_view format_name_of(JsonObject& object) {
  const std::string name = object.text("format");
  if (const WeightFormat* format = packed_format_of(name)) return format->name;
  throw_bad_input(
      concat(object.what(), ": unknown format '", printable(name), "', expected one of ", join(packed_names(), ", ")));
}

}  // namespace

const WeightFormat* packed_format_of(NumberType type) {
  const WeightFormat* format = weight_format_of(type);
  return format != nullptr && format->is_packed() ? format : nullptr;
}

const WeightFormat* packed_format_of(std::string_view name) {
  for (const WeightFormat& format : weight_formats())
    if (format.is_packed() && format.name == name) return &format;
  return nullptr;
}

std::vector<std::int64_t> stored_shape(const PackedTensor& packed) {
  const auto cols = static_cast<std::size_t>(packed.shape[1]);
  return {packed.shape[0], static_cast<std::int64_t>(packed_format_of(packed.format)->row_bytes(cols))};
}

nlohmann::ordered_json to_json(const PackedTensors& packed) {
  nlohmann::ordered_json json = nlohmann::ordered_json::object();
  for (const auto& [name, tensor] : packed) json[name] = {{"format", tensor.format}, {"shape", tensor.shape}};
  return json;
}

PackedTensors packed_tensors_of(JsonObject& parent, const SafetensorsFile& file) {
  PackedTensors packed;
  if (parent.has("tensors")) {
    JsonObject tensors = parent.object("tensors");
    for (const auto& entry : tensors.value().items()) {
      const std::string& name = entry.key();
      JsonObject object = tensors.object(name);
      const std::string_view format = format_name_of(object);
      const std::vector<std::int64_t> shape = object.integers("shape");
      object.expect_no_more();
      const auto found = file.tensors().find(name);
      if (found == file.tensors().end())
        throw_bad_input(concat(tensors.what(), " says what '", printable(name), "' is, but there is no such tensor"));
      const SafetensorsTensor& stored = found->second;
      const bool matrix = shape.size() == 2 && shape[0] >= 0 && shape[1] >= 0 && shape[1] <= kMostColumns;
      const PackedTensor tensor{format, shape};
      if (!matrix || stored.dtype != NumberType::kU8 || stored.shape != stored_shape(tensor))
        throw_bad_input(concat("tensor '", printable(name), "' is ", shape_text(stored.shape), " ",
                               dtype_name(stored.dtype), ", which does not hold ", shape_text(shape), " ", format,
                               matrix ? concat(", expected ", shape_text(stored_shape(tensor)), " U8") : ""));
      packed[name] = tensor;
    }
  }
  for (const auto& [name, tensor] : file.tensors())
    if (tensor.dtype == NumberType::kU8 && !packed.contains(name))
      throw_bad_input(concat("tensor '", printable(name), "' is U8, but ", parent.what(),
                             ": 'tensors' does not say what it holds"));
  return packed;
}

}  // namespace quaver
