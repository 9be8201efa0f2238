#include "quaver/io/model_file/artifact_file.h"

#include <utility>

#include "quaver/io/container/envelope.h"
#include "quaver/io/model_file/contents.h"
#include "quaver/io/model_file/memory_file.h"
#include "quaver/io/model_file/model_file.h"

namespace quaver {
namespace {

Artifact read_artifact(SafetensorsFile& file) {
  Envelope envelope = read_envelope(file);
  if (envelope.kind == FileKind::kModel) return model_of(file, std::move(envelope));
  return memory_network_of(file, std::move(envelope));
}

}  // namespace

Artifact open(const std::filesystem::path& path) { return read_at(path, read_artifact); }

Artifact open_bytes(std::span<const std::byte> bytes) {
  SafetensorsFile file = SafetensorsFile::parse(bytes);
  return read_artifact(file);
}

void save(const Artifact& artifact, const std::filesystem::path& path) {
  std::visit([&path](const auto& network) { save(network, path); }, artifact);
}

std::string save_bytes(const Artifact& artifact) {
  return std::visit([](const auto& network) { return save_bytes(network); }, artifact);
}

bool is_ours(const SafetensorsFile& file) { return has_envelope(file); }

}  // namespace quaver
