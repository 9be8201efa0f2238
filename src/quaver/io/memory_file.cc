#include "quaver/io/memory_file.h"

#include <map>
#include <string_view>

#include "quaver/core/error.h"
#include "quaver/core/text.h"
#include "quaver/io/contents_checksum.h"
#include "quaver/io/graph_json.h"
#include "quaver/io/printable.h"
#include "quaver/io/safetensors.h"
#include "quaver/io/strict_json.h"

namespace quaver {
namespace {

constexpr std::string_view kFormat = "quaver memory network";
constexpr int kNetworkDepth = 3, kWordsDepth = 1;
constexpr std::size_t kMaxJson = std::size_t{1} << 28;  // of a vocabulary of 2^24 words, 16 bytes each

std::string network_to_json(const MemoryNetwork& network) {
  const MemN2NShape& shape = network.shape;
  const MemoryScheme& scheme = network.scheme;
  return dump_strict({{"name", network.name},
                      {"task", network.task},
                      {"vocabulary", shape.vocabulary},
                      {"memory", shape.memory},
                      {"embedding", shape.d},
                      {"hops", shape.hops},
                      {"sentence", shape.sentence},
                      {"tying", memory_tying_name(shape.tying)},
                      {"encoding", sentence_encoding_name(shape.encoding)},
                      {"temporal", shape.temporal},
                      {"scheme",
                       {{"fixed", scheme.fixed},
                        {"bits", scheme.bits},
                        {"integer_bits", scheme.integer_bits},
                        {"similarity", memory_similarity_name(scheme.similarity)},
                        {"hop_formats", scheme.hop_formats},
                        {"one_bit_query", scheme.one_bit_query},
                        {"one_bit_weights", scheme.one_bit_weights},
                        {"integer_only", scheme.integer_only}}}},
                     "network");
}

void network_from_json(std::string_view json, MemoryNetwork& network) {
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
  JsonObject scheme = object.object("scheme");
  const auto bits = [&](const std::string& key) {
    const std::int64_t value = scheme.integer(key);
    if (value < 0 || value > 32)
      throw_bad_input(concat("network: '", key, "' is ", value, ", expected a number of bits"));
    return static_cast<int>(value);
  };
  network.scheme = {.fixed = scheme.boolean("fixed"),
                    .bits = bits("bits"),
                    .integer_bits = bits("integer_bits"),
                    .similarity = memory_similarity_from_name(scheme.text("similarity")),
                    .hop_formats = scheme.boolean("hop_formats"),
                    .one_bit_query = scheme.boolean("one_bit_query"),
                    .one_bit_weights = scheme.boolean("one_bit_weights"),
                    .integer_only = scheme.boolean("integer_only")};
  scheme.expect_no_more();
  object.expect_no_more();
  validate(network.shape);
  validate(network.scheme);
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

void write_network(const MemoryNetwork& network, const ByteSink& sink) {
  validate(network);
  std::map<std::string, SafetensorsEntry> entries;
  for (const MemoryMatrix& matrix : memory_matrices(network.shape))
    entries[matrix.name] = {Dtype::kF32,
                            {static_cast<std::int64_t>(matrix.rows), static_cast<std::int64_t>(matrix.cols)},
                            std::as_bytes(std::span(network.parameters).subspan(matrix.offset, matrix.size()))};
  const std::string json = network_to_json(network), provenance = provenance_to_json(network.provenance);
  const std::string words = dump_strict(network.words, "words");
  write_safetensors(entries,
                    {{"format", std::string(kFormat)},
                     {"version", concat(kMemoryFileVersion)},
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
  if (metadata("format") != kFormat)
    throw_bad_input(concat("not a memory network: the metadata 'format' is '", printable(metadata("format")),
                           "', expected '", kFormat, "'"));
  if (metadata("version") != concat(kMemoryFileVersion))
    throw_bad_input(
        concat("version '", printable(metadata("version")), "', this program reads version ", kMemoryFileVersion));
  const std::string found =
      contents_checksum({metadata("network"), metadata("words"), metadata("provenance")}, file.entries());
  if (found != metadata("checksum"))
    throw_bad_input(concat("checksum ", printable(metadata("checksum")), " expected, but the contents give ", found,
                           "; the file is damaged or was changed by another program"));
  MemoryNetwork network;
  network_from_json(metadata("network"), network);
  network.words = words_from_json(metadata("words"));
  network.provenance = provenance_from_json(metadata("provenance"));
  // Shapes are compared before anything of the size they claim is allocated.
  const std::vector<MemoryMatrix> matrices = memory_matrices(network.shape);
  for (const MemoryMatrix& matrix : matrices) {
    const SafetensorsEntry& entry = file.entry(matrix.name);
    const std::vector<std::int64_t> expected{static_cast<std::int64_t>(matrix.rows),
                                             static_cast<std::int64_t>(matrix.cols)};
    if (entry.dtype != Dtype::kF32 || entry.shape != expected)
      throw_bad_input(concat("tensor '", matrix.name, "' is ", shape_text(entry.shape), " ", dtype_name(entry.dtype),
                             ", expected ", shape_text(expected), " F32"));
  }
  if (file.entries().size() != matrices.size())
    throw_bad_input(concat("there are ", file.entries().size(), " tensors, expected ", matrices.size()));
  for (const MemoryMatrix& matrix : matrices) {
    const std::vector<float> values = file.as_f32(matrix.name);
    network.parameters.insert(network.parameters.end(), values.begin(), values.end());
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
  return found != file.metadata().end() && found->second == kFormat;
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
