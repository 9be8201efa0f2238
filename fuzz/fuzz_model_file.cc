// fuzz_model_file.cc - load_bytes() on anything: an Error or a model, never a crash, a hang or memory without end.
//
// The checksum would stop nearly every mutation at the door, so each input is tried twice: as it is, and, when its
// container can be read, with the checksum that fits it. A model that loads must survive being saved and loaded again.
// PyTorch's weights come in the same container, so that their converter reads every input too.

#include <cstdint>
#include <cstdlib>
#include <string>

#include "quaver/core/error.h"
#include "quaver/core/text.h"
#include "quaver/io/model_file.h"
#include "quaver/io/safetensors.h"
#include "quaver/io/torch_names.h"

namespace quaver {
namespace {

// docs/file_format.md, "checksum".
std::string with_fitting_checksum(const SafetensorsFile& file) {
  std::map<std::string, std::string> metadata = file.metadata();
  std::uint64_t hash = fnv1a({});
  const auto add = [&hash](std::string text) {
    text += '\0';
    hash = fnv1a(std::as_bytes(std::span(text)), hash);
  };
  add(metadata["graph"]);
  add(metadata["provenance"]);
  for (const auto& [name, entry] : file.entries()) {
    add(name);
    add(std::string(dtype_name(entry.dtype)));
    add(shape_text(entry.shape));
    hash = fnv1a(entry.bytes, hash);
  }
  metadata["checksum"] = hex64(hash);
  std::string text;
  write_safetensors(file.entries(), metadata, [&text](std::span<const std::byte> piece) {
    text.append(reinterpret_cast<const char*>(piece.data()), piece.size());
  });
  return text;
}

void load_and_save(std::span<const std::byte> bytes) {
  try {
    const Model model = load_bytes(bytes);
    const std::string saved = save_bytes(model);
    if (load_bytes(std::as_bytes(std::span(saved))) != model) std::abort();
  } catch (const Error&) {
  }
}

void convert(const SafetensorsFile& file) {
  try {
    TorchOptions options;
    options.nonlinearity = Nonlinearity::kTanh;
    save_bytes(model_from_torch(file, options));
  } catch (const Error&) {
  }
}

void try_bytes(std::span<const std::byte> bytes) {
  load_and_save(bytes);
  try {
    const SafetensorsFile file = SafetensorsFile::parse(bytes);
    convert(file);
    const std::string fitting = with_fitting_checksum(file);
    load_and_save(std::as_bytes(std::span(fitting)));
  } catch (const Error&) {
  }
}

}  // namespace
}  // namespace quaver

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  quaver::try_bytes(std::as_bytes(std::span(data, size)));
  return 0;
}
