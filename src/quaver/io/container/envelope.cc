#include "quaver/io/container/envelope.h"

#include <charconv>
#include <nlohmann/json.hpp>

#include "quaver/core/error.h"
#include "quaver/core/printable.h"
#include "quaver/core/text.h"
#include "quaver/io/container/contents_checksum.h"
#include "quaver/io/container/strict_json.h"

namespace quaver {
namespace {

using Metadata = std::map<std::string, std::string>;

constexpr std::string_view kFormat = "quaver";
constexpr std::string_view kOlderMemoryFormat = "quaver memory network";  // before version 4
constexpr int kLastModelVersion = 2, kLastMemoryVersion = 3;              // before both had one version
// A tree of JSON values takes tens of times its text: more than any graph needs, little enough for any machine.
constexpr std::size_t kMostText = std::size_t{1} << 24;
constexpr std::size_t kMostWords = std::size_t{1} << 24;

std::string_view description_key(FileKind kind) { return kind == FileKind::kModel ? "graph" : "network"; }

// Null where it is not there.
const std::string* find_text(const Metadata& metadata, std::string_view key) {
  const auto found = metadata.find(std::string(key));
  return found == metadata.end() ? nullptr : &found->second;
}

const std::string& text_of(const Metadata& metadata, std::string_view key) {
  const std::string* text = find_text(metadata, key);
  if (text == nullptr) throw_bad_input(concat("the metadata has no '", key, "'"));
  return *text;
}

int version_of(const Metadata& metadata) {
  const std::string& text = text_of(metadata, "version");
  std::uint64_t version = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), version);
  if (error != std::errc() || end != text.data() + text.size() || version < 1)
    throw_bad_input(concat("version '", printable(text), "' is no version number"));
  if (version > kFileVersion)
    throw_bad_input(concat("version ", version, ", this program reads up to ", kFileVersion, ": update quaver"));
  return static_cast<int>(version);
}

// What the file holds. Error where it says both, neither, or a version that its kind never had.
FileKind kind_of(const Metadata& metadata, int version) {
  const std::string& format = text_of(metadata, "format");
  const bool older_memory = format == kOlderMemoryFormat;
  if (version < kFileVersion) {
    const int last = older_memory ? kLastMemoryVersion : kLastModelVersion;
    if (version > last)
      throw_bad_input(concat("version ", version, " with the format '", format, "', of which there are 1 to ", last));
    return older_memory ? FileKind::kMemoryNetwork : FileKind::kModel;
  }
  if (older_memory)
    throw_bad_input(concat("version ", version, " with the format '", format, "', expected '", kFormat, "'"));
  const bool graph = metadata.contains("graph"), network = metadata.contains("network");
  if (graph == network)
    throw_bad_input(concat("the metadata has ", graph ? "both" : "neither", " 'graph' of a model ",
                           graph ? "and" : "nor", " 'network' of a memory network"));
  return graph ? FileKind::kModel : FileKind::kMemoryNetwork;
}

// What the checksum covers beside the tensors, in its order; of a text that is not there nothing.
std::vector<std::string_view> covered_texts(const Metadata& metadata, FileKind kind, int version) {
  std::vector<std::string_view> texts;
  const auto add = [&](std::string_view key) {
    const std::string* text = find_text(metadata, key);
    texts.push_back(text == nullptr ? std::string_view() : *text);
  };
  add(description_key(kind));
  if (kind == FileKind::kMemoryNetwork || version >= kFileVersion) add("words");
  add("provenance");
  return texts;
}

std::string words_to_json(const std::vector<std::string>& words) {
  return dump_strict(nlohmann::ordered_json(words), "words");
}

std::string provenance_to_json(const Metadata& provenance) {
  nlohmann::ordered_json json = nlohmann::ordered_json::object();
  for (const auto& [key, text] : provenance) json[key] = text;
  return dump_strict(json, "provenance");
}

Metadata provenance_from_json(std::string_view json) {
  constexpr int kDepth = 1;
  const nlohmann::json parsed = parse_strict(json, "provenance", kDepth);
  JsonObject object(parsed, "provenance");
  Metadata provenance;
  for (const auto& entry : parsed.items()) provenance[entry.key()] = object.text(entry.key());
  return provenance;
}

void expect_short(std::string_view key, const std::string& text) {
  if (text.size() > kMostText)
    throw_bad_input(concat("the metadata '", key, "' has ", text.size(), " bytes, more than the limit of ", kMostText));
}

}  // namespace

bool has_envelope(const SafetensorsFile& file) {
  const std::string* format = find_text(file.metadata(), "format");
  return format != nullptr && (*format == kFormat || *format == kOlderMemoryFormat);
}

Envelope read_envelope(SafetensorsFile& file) {
  const Metadata& metadata = file.metadata();
  if (!has_envelope(file))
    throw_bad_input(
        "not a Quaver model: the metadata 'format' does not say 'quaver'; a file of PyTorch weights is turned into a "
        "model by 'quaver convert'");
  Envelope envelope;
  envelope.version = version_of(metadata);
  envelope.kind = kind_of(metadata, envelope.version);
  const std::string& description = text_of(metadata, description_key(envelope.kind));
  const std::string& checksum = text_of(metadata, "checksum");
  const bool older = envelope.version < kFileVersion;  // then even empty texts are there
  const std::string* provenance = older ? &text_of(metadata, "provenance") : find_text(metadata, "provenance");
  const std::string* words = older && envelope.kind == FileKind::kMemoryNetwork ? &text_of(metadata, "words")
                             : older                                            ? nullptr
                                                                                : find_text(metadata, "words");
  file.hold();
  ContentsChecksum found(covered_texts(metadata, envelope.kind, envelope.version));
  for (const auto& [name, tensor] : file.tensors()) found.add(name, tensor.dtype, tensor.shape, file.bytes(name));
  if (found.text() != checksum)
    throw_bad_input(concat("checksum ", printable(checksum), " expected, but the contents give ", found.text(),
                           "; the file is damaged or was changed by another program"));
  expect_short(description_key(envelope.kind), description);
  envelope.description = description;
  if (provenance != nullptr) {
    expect_short("provenance", *provenance);
    envelope.provenance = provenance_from_json(*provenance);
  }
  if (words != nullptr) envelope.words = texts_from_json(*words, "words", kMostWords);
  return envelope;
}

void write_envelope(const Envelope& envelope, const std::map<std::string, SafetensorsEntry>& entries,
                    const ByteSink& sink) {
  Metadata metadata{{"format", std::string(kFormat)},
                    {"version", concat(kFileVersion)},
                    {std::string(description_key(envelope.kind)), envelope.description}};
  if (!envelope.words.empty()) metadata["words"] = words_to_json(envelope.words);
  if (!envelope.provenance.empty()) metadata["provenance"] = provenance_to_json(envelope.provenance);
  metadata["checksum"] = contents_checksum(covered_texts(metadata, envelope.kind, kFileVersion), entries);
  write_safetensors(entries, metadata, sink);
}

std::string envelope_checksum(const std::map<std::string, std::string>& metadata,
                              const std::map<std::string, SafetensorsEntry>& entries) {
  const int version = version_of(metadata);
  return contents_checksum(covered_texts(metadata, kind_of(metadata, version), version), entries);
}

}  // namespace quaver
