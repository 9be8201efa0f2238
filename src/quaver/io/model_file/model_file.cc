#include "quaver/io/model_file/model_file.h"

#include <bit>
#include <charconv>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "quaver/core/error.h"
#include "quaver/core/printable.h"
#include "quaver/core/text.h"
#include "quaver/io/container/atomic_file.h"
#include "quaver/io/container/contents_checksum.h"
#include "quaver/io/container/safetensors.h"
#include "quaver/io/model_file/graph_json.h"
#include "quaver/io/model_file/memory_file.h"

namespace quaver {
namespace {

constexpr std::string_view kScaleSuffix = ".scale";
// A tree of JSON values takes tens of times its text: more than any graph needs, little enough for any machine.
constexpr std::size_t kMaxJson = std::size_t{1} << 24;

// Containers know no dtype of four bits: an i4 matrix is one of U8, a byte for each two columns.
NumberType stored_type(NumberType kind) { return kind == NumberType::kI4 ? NumberType::kU8 : kind; }

NumberType kind_of(const std::string& name, NumberType stored) {
  for (const NumberType kind :
       {NumberType::kF32, NumberType::kI4, NumberType::kI8, NumberType::kI16, NumberType::kI32}) {
    if (stored_type(kind) == stored) return kind;
  }
  throw_bad_input(
      concat("tensor '", printable(name), "' is ", dtype_name(stored), ", expected F32, U8, I8, I16 or I32"));
}

std::vector<std::int64_t> stored_shape(const Tensor& tensor) {
  if (tensor.kind != NumberType::kI4) return tensor.shape;
  return {tensor.rows(), (tensor.row_size() + 1) / 2};
}

// The half byte behind a last odd column tells that it is there.
std::vector<std::int64_t> shape_of_nibbles(const std::string& name, const SafetensorsTensor& entry,
                                           std::span<const std::byte> bytes) {
  if (entry.shape.size() != 2 || bytes.empty())
    throw_bad_input(concat("tensor '", printable(name), "' is ", shape_text(entry.shape),
                           " U8, expected a matrix with two codes of four bits a byte"));
  const bool odd = upper_nibble(bytes[static_cast<std::size_t>(entry.shape[1]) - 1]) == kNoNibble;
  return {entry.shape[0], 2 * entry.shape[1] - (odd ? 1 : 0)};
}

// The upper halves of floats whose lower halves are 0: the same numbers as BF16. Nothing when one is not.
std::optional<std::vector<std::uint16_t>> bfloat16_halves(std::span<const float> values) {
  std::vector<std::uint16_t> halves;
  for (const float value : values) {
    const auto bits = std::bit_cast<std::uint32_t>(value);
    if ((bits & 0xffffu) != 0) return std::nullopt;
    halves.push_back(static_cast<std::uint16_t>(bits >> 16));
  }
  return halves;
}

void write_model(const Model& model, const ByteSink& sink) {
  validate(model);
  std::map<std::string, SafetensorsEntry> entries;
  std::map<std::string, float> single_scales;
  std::deque<std::vector<std::uint16_t>> halved;  // entries view it: it must not move
  for (const auto& [name, tensor] : model.tensors) {
    entries[name] = {stored_type(tensor.kind), stored_shape(tensor), tensor.bytes};
    if (tensor.scales.size() == 1) single_scales[name] = tensor.scales[0];
    if (tensor.scales.size() <= 1) continue;
    const std::vector<std::int64_t> shape{static_cast<std::int64_t>(tensor.scales.size())};
    if (const auto halves = bfloat16_halves(tensor.scales)) {
      halved.push_back(*halves);
      entries[concat(name, kScaleSuffix)] = {NumberType::kBf16, shape, std::as_bytes(std::span(halved.back()))};
    } else {
      entries[concat(name, kScaleSuffix)] = {NumberType::kF32, shape, std::as_bytes(std::span(tensor.scales))};
    }
  }
  const std::string graph = graph_to_json(model, single_scales);
  const std::string provenance = provenance_to_json(model.provenance);
  write_safetensors(entries,
                    {{"format", "quaver"},
                     {"version", concat(kModelFileVersion)},
                     {"graph", graph},
                     {"provenance", provenance},
                     {"checksum", contents_checksum({graph, provenance}, entries)}},
                    sink);
}

const std::string& metadata_of(const SafetensorsFile& file, const std::string& key) {
  const auto found = file.metadata().find(key);
  if (found == file.metadata().end()) throw_bad_input(concat("the metadata has no '", key, "'"));
  return found->second;
}

int version_of(const SafetensorsFile& file) {
  const auto format = file.metadata().find("format");
  if (format != file.metadata().end() && format->second == kMemoryFileFormat)
    throw_bad_input(
        "this is a memory network: it answers questions about stories ('quaver eval MODEL babi') and is no model of "
        "sequences");
  if (format == file.metadata().end() || format->second != "quaver")
    throw_bad_input(
        "not a Quaver model: the metadata 'format' does not say 'quaver'; a file of PyTorch weights is turned into a "
        "model by 'quaver convert'");
  const std::string& text = metadata_of(file, "version");
  std::uint64_t version = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), version);
  if (error != std::errc() || end != text.data() + text.size() || version < 1)
    throw_bad_input(concat("version '", printable(text), "' is no version number"));
  if (version > kModelFileVersion)
    throw_bad_input(concat("version ", version, ", this program reads up to ", kModelFileVersion, ": update quaver"));
  return static_cast<int>(version);
}

// The tensor whose scales `name` holds, when it is such a list.
std::optional<std::string> scaled_tensor(const SafetensorsFile& file, const std::string& name) {
  if (!name.ends_with(kScaleSuffix)) return std::nullopt;
  std::string stem = name.substr(0, name.size() - kScaleSuffix.size());
  if (!file.tensors().contains(stem)) return std::nullopt;
  return stem;
}

Model read_model(const SafetensorsFile& file) {
  const int version = version_of(file);
  const std::string& graph = metadata_of(file, "graph");
  const std::string& provenance = metadata_of(file, "provenance");
  const std::string& expected = metadata_of(file, "checksum");
  // Read once, into the place where they stay.
  std::map<std::string, AlignedVector<std::byte>> contents;
  ContentsChecksum checksum({graph, provenance});
  for (const auto& [name, tensor] : file.tensors())
    checksum.add(name, tensor.dtype, tensor.shape, contents[name] = file.bytes(name));
  if (checksum.text() != expected)
    throw_bad_input(concat("checksum ", printable(expected), " expected, but the contents give ", checksum.text(),
                           "; the file is damaged or was changed by another program"));
  for (const std::string& text : {std::cref(graph), std::cref(provenance)}) {
    if (text.size() > kMaxJson)
      throw_bad_input(concat("the graph or provenance has ", text.size(), " bytes, more than the limit of ", kMaxJson));
  }
  Model model;
  std::map<std::string, float> single_scales;
  graph_from_json(graph, version, model, single_scales);
  model.provenance = provenance_from_json(provenance);
  std::map<std::string, std::vector<float>> scales;
  for (const auto& [name, scale] : single_scales) {
    if (!file.tensors().contains(name))
      throw_bad_input(concat("graph: there are scales for '", printable(name), "', but no such tensor"));
    scales[name] = {scale};
  }
  for (const auto& [name, entry] : file.tensors()) {
    if (const auto stem = scaled_tensor(file, name)) {
      if ((entry.dtype != NumberType::kF32 && entry.dtype != NumberType::kBf16) || entry.shape.size() != 1 ||
          scales.contains(*stem))
        throw_bad_input(concat("tensor '", printable(name), "' is ", shape_text(entry.shape), " ",
                               dtype_name(entry.dtype), ", expected the only scales of '", printable(*stem),
                               "' as one row of F32 or BF16"));
      scales[*stem] = file.as_f32(name);
      continue;
    }
    Tensor& tensor = model.tensors[name];
    tensor.kind = kind_of(name, entry.dtype);
    tensor.bytes = std::move(contents[name]);
    tensor.shape = tensor.kind == NumberType::kI4 ? shape_of_nibbles(name, entry, tensor.bytes) : entry.shape;
  }
  for (auto& [name, list] : scales) {
    const auto tensor = model.tensors.find(name);
    if (tensor == model.tensors.end()) throw_bad_input(concat("there are scales of scales '", printable(name), "'"));
    tensor->second.scales = std::move(list);
  }
  validate(model);
  return model;
}

}  // namespace

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

Model load_bytes(std::span<const std::byte> bytes) { return read_model(SafetensorsFile::parse(bytes)); }

Model load(const std::filesystem::path& path) {
  const SafetensorsFile file = SafetensorsFile::open(path);
  try {
    return read_model(file);
  } catch (const Error& error) {
    throw Error(error.kind(), concat(path.string(), ": ", error.what()));
  }
}

}  // namespace quaver
