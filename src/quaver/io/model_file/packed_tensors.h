// packed_tensors.h - tensors of which a byte holds several elements. Not public.
//
// Containers have no dtype for them: they lie there as U8, and which format it is stands in the entry "tensors" of the
// graph or network, with the shape that the bytes do not tell. So two formats are never taken for each other. They are
// those of fixed/weight_format.h whose codes have less than eight bits.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "quaver/fixed/weight_format.h"
#include "quaver/io/container/safetensors.h"
#include "quaver/io/container/strict_json.h"

namespace quaver {

struct PackedTensor {
  std::string_view format;          // WeightFormat::name
  std::vector<std::int64_t> shape;  // [rows, columns]; a row starts a byte
  bool operator==(const PackedTensor&) const = default;
};
using PackedTensors = std::map<std::string, PackedTensor>;

// Of a tensor's type, or by the name in a file; null for what is not packed.
const WeightFormat* packed_format_of(NumberType type);
const WeightFormat* packed_format_of(std::string_view name);

// Of the U8 tensor that holds it.
std::vector<std::int64_t> stored_shape(const PackedTensor& packed);

nlohmann::ordered_json to_json(const PackedTensors& packed);
// The entry "tensors" of `parent`, which may be absent. Error unless it says of all U8 tensors in the file, and of no
// others, what they are, and their shapes agree.
PackedTensors packed_tensors_of(JsonObject& parent, const SafetensorsFile& file);

}  // namespace quaver
