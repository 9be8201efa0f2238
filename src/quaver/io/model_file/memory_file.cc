#include "quaver/io/model_file/memory_file.h"

#include <map>
#include <string_view>
#include <utility>

#include "quaver/core/error.h"
#include "quaver/core/printable.h"
#include "quaver/core/text.h"
#include "quaver/io/container/contents_checksum.h"
#include "quaver/io/container/safetensors.h"
#include "quaver/io/container/strict_json.h"
#include "quaver/io/model_file/graph_json.h"

namespace quaver {
namespace {

constexpr int kNetworkDepth = 3, kWordsDepth = 1;
constexpr std::size_t kMaxJson = std::size_t{1} << 28;  // of a vocabulary of 2^24 words, 16 bytes each

nlohmann::ordered_json scales_to_json(const MemoryScales& scales) {
  const auto list = [](const std::vector<float>& values) {
    nlohmann::ordered_json numbers = nlohmann::ordered_json::array();
    for (const float value : values) numbers.emplace_back(json_real(value));
    return numbers;
  };
  return {{"weights", list(scales.weights)},
          {"embedded", list(scales.embedded)},
          {"s", list(scales.s)},
          {"u", list(scales.u)},
          {"query", list(scales.query)}};
}

MemoryScales scales_from_json(JsonObject object) {
  const auto list = [&](const std::string& key) {
    std::vector<float> values;
    for (const nlohmann::json& number : object.array(key))
      values.push_back(real_of(number, concat("network: scales: '", key, "'")));
    return values;
  };
  MemoryScales scales{
      .weights = list("weights"), .embedded = list("embedded"), .s = list("s"), .u = list("u"), .query = list("query")};
  object.expect_no_more();
  return scales;
}

nlohmann::ordered_json scheme_to_json(const MemoryScheme& scheme) {
  nlohmann::ordered_json json{{"arithmetic", memory_arithmetic_name(scheme.arithmetic)},
                              {"bits", scheme.bits},
                              {"integer_bits", scheme.integer_bits},
                              {"similarity", memory_similarity_name(scheme.similarity)},
                              {"hop_formats", scheme.hop_formats},
                              {"one_bit_query", scheme.one_bit_query},
                              {"one_bit_weights", scheme.one_bit_weights},
                              {"integer_only", scheme.integer_only},
                              {"power_of_two_scales", scheme.power_of_two_scales},
                              {"relative_similarity", scheme.relative_similarity},
                              {"one_bit_state", scheme.one_bit_state}};
  // Only measurements set these.
  if (scheme.truncation) json["truncation"] = true;
  if (scheme.shared_point) json["shared_point"] = true;
  return json;
}

// The oldest version that says all of a network, so that older programs read what they can run.
int version_of(const MemoryNetwork& network) { return network.shape.slots > 0 ? 3 : 2; }

std::string network_to_json(const MemoryNetwork& network) {
  const MemN2NShape& shape = network.shape;
  nlohmann::ordered_json json{{"name", network.name},
                              {"task", network.task},
                              {"vocabulary", shape.vocabulary},
                              {"memory", shape.memory},
                              {"embedding", shape.d},
                              {"hops", shape.hops},
                              {"sentence", shape.sentence},
                              {"tying", memory_tying_name(shape.tying)},
                              {"encoding", sentence_encoding_name(shape.encoding)},
                              {"temporal", shape.temporal}};
  if (shape.slots > 0) json["slots"] = shape.slots;
  json["scheme"] = scheme_to_json(network.scheme);
  json["scales"] = scales_to_json(network.scales);
  return dump_strict(json, "network");
}

void network_from_json(std::string_view json, int version, MemoryNetwork& network) {
  const nlohmann::json parsed = parse_strict(json, "network", kNetworkDepth);
  JsonObject object(parsed, "network");
  const auto size = [&](const std::string& key) {
    const std::int64_t value = object.integer(key);
    if (value < 0) throw_bad_input(concat("network: '", key, "' is ", value, ", expected a size"));
    return static_cast<std::size_t>(value);
  };
  network.name = object.text("name");
  network.task = object.text("task");
  network.shape.vocabulary = size("vocabulary");
  network.shape.memory = size("memory");
  network.shape.d = size("embedding");
  network.shape.hops = size("hops");
  network.shape.sentence = size("sentence");
  network.shape.tying = memory_tying_from_name(object.text("tying"));
  network.shape.encoding = sentence_encoding_from_name(object.text("encoding"));
  network.shape.temporal = object.boolean("temporal");
  if (version >= 3) {
    network.shape.slots = size("slots");
    if (network.shape.slots == 0)
      throw_bad_input("network: 'slots' is 0, expected 1 or more: without slots it is version 2");
  }
  JsonObject scheme = object.object("scheme");
  const auto bits = [&](const std::string& key) {
    const std::int64_t value = scheme.integer(key);
    if (value < 0 || value > 32)
      throw_bad_input(concat("network: '", key, "' is ", value, ", expected a number of bits"));
    return static_cast<int>(value);
  };
  // Version 1 knew no scaled arithmetic: a switch told fixed point from float.
  network.scheme = {.arithmetic = version == 1
                                      ? (scheme.boolean("fixed") ? MemoryArithmetic::kFixed : MemoryArithmetic::kFloat)
                                      : memory_arithmetic_from_name(scheme.text("arithmetic")),
                    .bits = bits("bits"),
                    .integer_bits = bits("integer_bits"),
                    .similarity = memory_similarity_from_name(scheme.text("similarity")),
                    .hop_formats = scheme.boolean("hop_formats"),
                    .one_bit_query = scheme.boolean("one_bit_query"),
                    .one_bit_weights = scheme.boolean("one_bit_weights"),
                    .integer_only = scheme.boolean("integer_only")};
  if (version >= 2) {
    network.scheme.power_of_two_scales = scheme.boolean("power_of_two_scales");
    network.scheme.relative_similarity = scheme.boolean("relative_similarity");
    network.scheme.one_bit_state = scheme.boolean("one_bit_state");
    network.scheme.truncation = scheme.find("truncation") != nullptr && scheme.boolean("truncation");
    network.scheme.shared_point = scheme.find("shared_point") != nullptr && scheme.boolean("shared_point");
    network.scales = scales_from_json(object.object("scales"));
  }
  scheme.expect_no_more();
  object.expect_no_more();
  validate(network.shape);
  validate(network.scheme);
  validate(network.scales, network.shape, network.scheme);
}

std::vector<std::string> words_from_json(std::string_view json) {
  const nlohmann::json parsed = parse_strict(json, "words", kWordsDepth);
  if (!parsed.is_array()) throw_bad_input(concat("words is a JSON ", parsed.type_name(), ", expected a list"));
  std::vector<std::string> words;
  for (const nlohmann::json& word : parsed) {
    if (!word.is_string()) throw_bad_input(concat("words: element ", words.size(), " is no text"));
    words.push_back(word.get<std::string>());
  }
  return words;
}

// How the file holds a matrix: float weights as F32; codes as I8; codes of one bit as U8, eight columns a byte.
struct StoredMatrix {
  NumberType dtype;
  std::vector<std::int64_t> shape;
};

StoredMatrix stored(const MemoryMatrix& matrix, const MemoryScheme& scheme) {
  const auto rows = static_cast<std::int64_t>(matrix.rows), cols = static_cast<std::int64_t>(matrix.cols);
  if (!scheme.is_scaled()) return {NumberType::kF32, {rows, cols}};
  if (scheme.one_bit_weights) return {NumberType::kU8, {rows, (cols + 7) / 8}};
  return {NumberType::kI8, {rows, cols}};
}

// Codes in row-major order; of one bit: bit k of a row's byte b belongs to column 8 b + k and is set for +1.
std::vector<std::byte> pack(std::span<const float> weights, const MemoryMatrix& matrix, float scale,
                            const MemoryScheme& scheme) {
  std::vector<std::byte> bytes;
  for (std::size_t row = 0; row < matrix.rows; ++row) {
    std::byte bits{};
    for (std::size_t col = 0; col < matrix.cols; ++col) {
      const std::int8_t code = weight_code(weights[row * matrix.cols + col], scale, scheme);
      if (!scheme.one_bit_weights) {
        bytes.push_back(static_cast<std::byte>(code));
        continue;
      }
      if (code > 0) bits |= std::byte{1} << (col % 8);
      if (col % 8 == 7 || col + 1 == matrix.cols) bytes.push_back(std::exchange(bits, std::byte{}));
    }
  }
  return bytes;
}

void unpack(std::span<const std::byte> stored, const MemoryMatrix& matrix, float scale, const MemoryScheme& scheme,
            std::vector<float>& parameters) {
  const std::int32_t limit = (std::int32_t{1} << (scheme.bits - 1)) - 1;
  const std::size_t row_bytes = stored.size() / matrix.rows;
  for (std::size_t row = 0; row < matrix.rows; ++row) {
    const std::span<const std::byte> bytes = stored.subspan(row * row_bytes, row_bytes);
    for (std::size_t col = 0; col < matrix.cols; ++col) {
      std::int32_t code = 0;
      if (scheme.one_bit_weights) {
        code = std::to_integer<int>(bytes[col / 8] >> (col % 8)) % 2 == 1 ? 1 : -1;
      } else {
        code = static_cast<std::int8_t>(bytes[col]);
        if (std::abs(code) > limit)
          throw_bad_input(concat("tensor '", matrix.name, "' holds the code ", code, ", expected at most ", limit,
                                 " of either sign for ", scheme.bits, " bits"));
      }
      parameters.push_back(static_cast<float>(code) * scale);
    }
    if (scheme.one_bit_weights && matrix.cols % 8 != 0 && (bytes.back() >> (matrix.cols % 8)) != std::byte{})
      throw_bad_input(concat("tensor '", matrix.name, "' has bits set behind its last column"));
  }
}

void write_network(const MemoryNetwork& network, const ByteSink& sink) {
  validate(network);
  std::map<std::string, SafetensorsEntry> entries;
  const std::vector<MemoryMatrix> matrices = memory_matrices(network.shape);
  std::vector<std::vector<std::byte>> packed;
  packed.reserve(matrices.size());
  for (std::size_t place = 0; place < matrices.size(); ++place) {
    const MemoryMatrix& matrix = matrices[place];
    const std::span<const float> weights = std::span(network.parameters).subspan(matrix.offset, matrix.size());
    std::span<const std::byte> bytes = std::as_bytes(weights);
    if (network.scheme.is_scaled())
      bytes = packed.emplace_back(pack(weights, matrix, network.scales.weights[place], network.scheme));
    const StoredMatrix as = stored(matrix, network.scheme);
    entries[matrix.name] = {as.dtype, as.shape, bytes};
  }
  const std::string json = network_to_json(network), provenance = provenance_to_json(network.provenance);
  const std::string words = dump_strict(network.words, "words");
  write_safetensors(entries,
                    {{"format", std::string(kMemoryFileFormat)},
                     {"version", concat(version_of(network))},
                     {"network", json},
                     {"words", words},
                     {"provenance", provenance},
                     {"checksum", contents_checksum({json, words, provenance}, entries)}},
                    sink);
}

MemoryNetwork read_network(const SafetensorsFile& file) {
  const auto metadata = [&](const std::string& key) -> const std::string& {
    const auto found = file.metadata().find(key);
    if (found == file.metadata().end()) throw_bad_input(concat("the metadata has no '", key, "'"));
    if (found->second.size() > kMaxJson)
      throw_bad_input(concat("the metadata '", key, "' has more than ", kMaxJson, " bytes"));
    return found->second;
  };
  if (metadata("format") != kMemoryFileFormat)
    throw_bad_input(concat("not a memory network: the metadata 'format' is '", printable(metadata("format")),
                           "', expected '", kMemoryFileFormat, "'"));
  int version = 1;
  while (version <= kMemoryFileVersion && metadata("version") != concat(version)) ++version;
  if (version > kMemoryFileVersion)
    throw_bad_input(concat("version '", printable(metadata("version")), "', this program reads versions up to ",
                           kMemoryFileVersion));
  std::map<std::string, AlignedVector<std::byte>> contents;
  ContentsChecksum checksum({metadata("network"), metadata("words"), metadata("provenance")});
  for (const auto& [name, tensor] : file.tensors())
    checksum.add(name, tensor.dtype, tensor.shape, contents[name] = file.bytes(name));
  if (checksum.text() != metadata("checksum"))
    throw_bad_input(concat("checksum ", printable(metadata("checksum")), " expected, but the contents give ",
                           checksum.text(), "; the file is damaged or was changed by another program"));
  MemoryNetwork network;
  network_from_json(metadata("network"), version, network);
  network.words = words_from_json(metadata("words"));
  network.provenance = provenance_from_json(metadata("provenance"));
  // Shapes are compared before anything of the size they claim is allocated.
  const std::vector<MemoryMatrix> matrices = memory_matrices(network.shape);
  for (const MemoryMatrix& matrix : matrices) {
    const SafetensorsTensor& entry = file.tensor(matrix.name);
    const StoredMatrix expected = stored(matrix, network.scheme);
    if (entry.dtype != expected.dtype || entry.shape != expected.shape)
      throw_bad_input(concat("tensor '", matrix.name, "' is ", shape_text(entry.shape), " ", dtype_name(entry.dtype),
                             ", expected ", shape_text(expected.shape), " ", dtype_name(expected.dtype)));
  }
  if (file.tensors().size() != matrices.size())
    throw_bad_input(concat("there are ", file.tensors().size(), " tensors, expected ", matrices.size()));
  network.parameters.reserve(parameter_count(network.shape));
  for (std::size_t place = 0; place < matrices.size(); ++place) {
    // Each matrix gives its bytes back before the next one is taken apart.
    const AlignedVector<std::byte> bytes = std::move(contents[matrices[place].name]);
    if (network.scheme.is_scaled()) {
      unpack(bytes, matrices[place], network.scales.weights[place], network.scheme, network.parameters);
      continue;
    }
    const std::size_t begin = network.parameters.size();
    network.parameters.resize(begin + matrices[place].size());
    std::ranges::copy(bytes, std::as_writable_bytes(std::span(network.parameters).subspan(begin)).begin());
  }
  validate(network);
  return network;
}

}  // namespace

std::string save_bytes(const MemoryNetwork& network) {
  std::string bytes;
  write_network(network, [&bytes](std::span<const std::byte> piece) {
    bytes.append(reinterpret_cast<const char*>(piece.data()), piece.size());
  });
  return bytes;
}

void save(const MemoryNetwork& network, const std::filesystem::path& path) {
  write_file_atomically(path, [&network](const ByteSink& sink) { write_network(network, sink); });
}

bool is_memory_network_file(const std::filesystem::path& path) {
  const SafetensorsFile file = SafetensorsFile::open(path);
  const auto found = file.metadata().find("format");
  return found != file.metadata().end() && found->second == kMemoryFileFormat;
}

MemoryNetwork load_memory_network_bytes(std::span<const std::byte> bytes) {
  return read_network(SafetensorsFile::parse(bytes));
}

MemoryNetwork load_memory_network(const std::filesystem::path& path) {
  const SafetensorsFile file = SafetensorsFile::open(path);
  try {
    return read_network(file);
  } catch (const Error& error) {
    // A wrong name in a file is bad input, whatever it would be on a command line.
    throw Error(ErrorKind::kBadInput, concat(path.string(), ": ", error.what()));
  }
}

}  // namespace quaver
