// envelope.h - what every file of ours says of itself, whatever it holds (docs/file_format.md). Not public.
//
// One header for both kinds of network: the metadata "format" and "version", "graph" of a model or "network" of a
// memory network (JSON), "words" and "provenance" where there are any, and a checksum over these texts and all tensors.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "quaver/files/atomic_file.h"
#include "quaver/io/container/safetensors.h"

namespace quaver {

inline constexpr int kFileVersion = 4;  // written, and the newest that is read

enum class FileKind { kModel, kMemoryNetwork };

struct Envelope {
  FileKind kind = FileKind::kModel;
  int version = kFileVersion;
  std::string description{};  // JSON
  std::vector<std::string> words{};
  std::map<std::string, std::string> provenance{};
};

// Whether the file says that it is ours.
bool has_envelope(const SafetensorsFile& file);

// Holds the file: what the checksum was taken over is what is read later. Error (bad input): not ours, of a newer
// version, a text that is missing or too long, a checksum that does not fit. Read too are versions from when each kind
// had its own: models 1 and 2, memory networks 1 to 3.
Envelope read_envelope(SafetensorsFile& file);

// In version kFileVersion. Error when a text is not UTF-8.
void write_envelope(const Envelope& envelope, const std::map<std::string, SafetensorsEntry>& entries,
                    const ByteSink& sink);

// The checksum that a file with this metadata must have.
std::string envelope_checksum(const std::map<std::string, std::string>& metadata,
                              const std::map<std::string, SafetensorsEntry>& entries);

}  // namespace quaver
