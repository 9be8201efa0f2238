#include "quaver/io/model_file/model_file.h"

#include <bit>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "quaver/core/error.h"
#include "quaver/core/printable.h"
#include "quaver/core/text.h"
#include "quaver/files/atomic_file.h"
#include "quaver/io/container/envelope.h"
#include "quaver/io/container/safetensors.h"
#include "quaver/io/model_file/contents.h"
#include "quaver/io/model_file/graph_json.h"
#include "quaver/io/model_file/packed_tensors.h"

namespace quaver {
namespace {

constexpr std::string_view kScaleSuffix = ".scale";

// Before version 4 the half byte behind a last odd column told that it is there.
std::vector<std::int64_t> shape_of_nibbles(const std::string& name, const SafetensorsTensor& entry,
                                           std::span<const std::byte> bytes) {
  if (entry.shape.size() != 2 || bytes.empty())
    throw_bad_input(concat("tensor '", printable(name), "' is ", shape_text(entry.shape),
                           " U8, expected a matrix with two codes of four bits a byte"));
  const bool odd = upper_nibble(bytes[static_cast<std::size_t>(entry.shape[1]) - 1]) == kNoNibble;
  return {entry.shape[0], 2 * entry.shape[1] - (odd ? 1 : 0)};
}

// The upper halves of floats whose lower halves are 0: the same numbers as BF16.
std::vector<std::uint16_t> bfloat16_halves(std::span<const float> values) {
  std::vector<std::uint16_t> halves;
  for (const float value : values)
    halves.push_back(static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(value) >> 16));
  return halves;
}

void write_model(const Model& model, const ByteSink& sink) {
  validate(model);
  std::map<std::string, SafetensorsEntry> entries;
  std::map<std::string, float> single_scales;
  PackedTensors packed;
  std::deque<std::vector<std::uint16_t>> halved;  // entries view it: it must not move
  for (const auto& [name, tensor] : model.tensors) {
    if (const WeightFormat* format = packed_format_of(tensor.kind)) {
      packed[name] = {format->name, tensor.shape};
      entries[name] = {NumberType::kU8, stored_shape(packed[name]), tensor.bytes};
    } else {
      entries[name] = {tensor.kind, tensor.shape, tensor.bytes};
    }
    if (tensor.scales.size() == 1) single_scales[name] = tensor.scales[0];
    if (tensor.scales.size() <= 1) continue;
    const std::vector<std::int64_t> shape{static_cast<std::int64_t>(tensor.scales.size())};
    if (tensor.scale_type() == NumberType::kBf16) {
      halved.push_back(bfloat16_halves(tensor.scales));
      entries[concat(name, kScaleSuffix)] = {NumberType::kBf16, shape, std::as_bytes(std::span(halved.back()))};
    } else {
      entries[concat(name, kScaleSuffix)] = {NumberType::kF32, shape, std::as_bytes(std::span(tensor.scales))};
    }
  }
  write_envelope({.description = graph_to_json(model, single_scales, packed),
                  .words = model.words,
                  .provenance = model.provenance},
                 entries, sink);
}

// The tensor whose scales `name` holds, when it is such a list.
std::optional<std::string> scaled_tensor(const SafetensorsFile& file, const std::string& name) {
  if (!name.ends_with(kScaleSuffix)) return std::nullopt;
  std::string stem = name.substr(0, name.size() - kScaleSuffix.size());
  if (!file.tensors().contains(stem)) return std::nullopt;
  return stem;
}

Tensor tensor_of(const SafetensorsFile& file, const std::string& name, const PackedTensors& packed) {
  const SafetensorsTensor& entry = file.tensor(name);
  Tensor tensor;
  tensor.kind = entry.dtype;
  tensor.shape = entry.shape;
  tensor.bytes = file.bytes(name);
  switch (entry.dtype) {
    case NumberType::kF32:
    case NumberType::kI8:
    case NumberType::kI16:
    case NumberType::kI32: return tensor;
    case NumberType::kU8: break;
    default:
      throw_bad_input(
          concat("tensor '", printable(name), "' is ", dtype_name(entry.dtype), ", expected F32, U8, I8, I16 or I32"));
  }
  const auto found = packed.find(name);
  if (found == packed.end()) {  // of an older version, which had i4 alone
    tensor.kind = NumberType::kI4;
    tensor.shape = shape_of_nibbles(name, entry, tensor.bytes);
    return tensor;
  }
  tensor.kind = packed_format_of(found->second.format)->type;
  tensor.shape = found->second.shape;
  return tensor;
}

Model read_model(SafetensorsFile& file) {
  Envelope envelope = read_envelope(file);
  if (envelope.kind == FileKind::kMemoryNetwork)
    throw_bad_input(
        "this is a memory network: it answers questions about stories ('quaver eval MODEL babi') and is no model of "
        "sequences");
  return model_of(file, std::move(envelope));
}

}  // namespace

Model model_of(const SafetensorsFile& file, Envelope envelope) {
  Graph graph = graph_from_json(envelope.description, envelope.version, file);
  Model& model = graph.model;
  model.words = std::move(envelope.words);
  model.provenance = std::move(envelope.provenance);
  std::map<std::string, std::vector<float>> scales;
  for (const auto& [name, scale] : graph.tensor_scales) {
    if (!file.tensors().contains(name))
      throw_bad_input(concat("graph: there are scales for '", printable(name), "', but no such tensor"));
    scales[name] = {scale};
  }
  for (const auto& [name, entry] : file.tensors()) {
    const auto stem = scaled_tensor(file, name);
    if (!stem) {
      model.tensors[name] = tensor_of(file, name, graph.packed);
      continue;
    }
    if ((entry.dtype != NumberType::kF32 && entry.dtype != NumberType::kBf16) || entry.shape.size() != 1 ||
        scales.contains(*stem))
      throw_bad_input(concat("tensor '", printable(name), "' is ", shape_text(entry.shape), " ",
                             dtype_name(entry.dtype), ", expected the only scales of '", printable(*stem),
                             "' as one row of F32 or BF16"));
    scales[*stem] = file.as_f32(name);
  }
  for (auto& [name, list] : scales) {
    const auto tensor = model.tensors.find(name);
    if (tensor == model.tensors.end()) throw_bad_input(concat("there are scales of scales '", printable(name), "'"));
    tensor->second.scales = std::move(list);
  }
  validate(model);
  // A Session keeps what the model's border has: that must not keep the whole file.
  std::set<std::string> weights;
  for (const Node& node : model.nodes)
    for (const TensorSlot& slot : tensor_slots(node)) weights.insert(slot.name);
  for (auto& [name, tensor] : model.tensors)
    if (!weights.contains(name)) tensor.bytes = tensor.bytes.copy();
  return std::move(graph.model);
}

std::string save_bytes(const Model& model) {
  std::string bytes;
  write_model(model, [&bytes](std::span<const std::byte> piece) {
    bytes.append(reinterpret_cast<const char*>(piece.data()), piece.size());
  });
  return bytes;
}

void save(const Model& model, const std::filesystem::path& path) {
  write_file_atomically(path, [&model](const ByteSink& sink) { write_model(model, sink); });
}

Model load_bytes(std::span<const std::byte> bytes) {
  SafetensorsFile file = SafetensorsFile::parse(bytes);
  return read_model(file);
}

Model load(const std::filesystem::path& path) { return read_at(path, read_model); }

}  // namespace quaver
