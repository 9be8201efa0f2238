#include "quaver/io/model_file/packed_tensors.h"

#include <algorithm>
#include <array>

#include "quaver/core/error.h"
#include "quaver/core/printable.h"
#include "quaver/core/text.h"

namespace quaver {
namespace {

struct PackedFormat {
  std::string_view name;
  int bits;
};
constexpr std::array<PackedFormat, 2> kPackedFormats{{{kPackedNibbles, 4}, {kPackedSigns, 1}}};

constexpr std::int64_t kMostColumns = std::int64_t{1} << 40;  // beyond any file, and eight times it is no overflow

const PackedFormat& format_of(JsonObject& object) {
  const std::string name = object.text("format");
  const auto found = std::ranges::find(kPackedFormats, name, &PackedFormat::name);
  if (found != kPackedFormats.end()) return *found;
  std::vector<std::string> names;
  for (const PackedFormat& format : kPackedFormats) names.emplace_back(format.name);
  throw_bad_input(concat(object.what(), ": unknown format '", printable(name), "', expected ", join(names, " or ")));
}

}  // namespace

std::vector<std::int64_t> stored_shape(const PackedTensor& packed) {
  const std::int64_t bits = std::ranges::find(kPackedFormats, packed.format, &PackedFormat::name)->bits;
  return {packed.shape[0], (packed.shape[1] * bits + 7) / 8};
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
      const PackedFormat& format = format_of(object);
      const std::vector<std::int64_t> shape = object.integers("shape");
      object.expect_no_more();
      const auto found = file.tensors().find(name);
      if (found == file.tensors().end())
        throw_bad_input(concat(tensors.what(), " says what '", printable(name), "' is, but there is no such tensor"));
      const SafetensorsTensor& stored = found->second;
      const bool matrix = shape.size() == 2 && shape[0] >= 0 && shape[1] >= 0 && shape[1] <= kMostColumns;
      const PackedTensor tensor{format.name, shape};
      if (!matrix || stored.dtype != NumberType::kU8 || stored.shape != stored_shape(tensor))
        throw_bad_input(concat("tensor '", printable(name), "' is ", shape_text(stored.shape), " ",
                               dtype_name(stored.dtype), ", which does not hold ", shape_text(shape), " ", format.name,
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
