// fuzz_model_file.cc - open_bytes() on anything: an Error, a model or a memory network, never a crash, a hang or memory
// without end.
//
// The checksum would stop nearly every mutation at the door, so each input is tried twice: as it is, and, when its
// container can be read, with the checksum that fits it. A model that loads must survive being saved and loaded again.
// What loads also runs a few steps or questions, on two paths that must agree: nothing that validates may reach past a
// buffer.
// PyTorch's weights come in the same container, so that their converter reads every input too.

#include <cstdint>
#include <cstdlib>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "given_frames.h"
#include "quaver/core/error.h"
#include "quaver/engine/memory/memory_session.h"
#include "quaver/engine/sequence/session.h"
#include "quaver/io/container/envelope.h"
#include "quaver/io/container/safetensors.h"
#include "quaver/io/model_file/artifact_file.h"
#include "quaver/io/model_file/model_file.h"
#include "quaver/io/torch/torch_names.h"

namespace quaver {
namespace {

std::string with_fitting_checksum(const SafetensorsFile& file) {
  std::map<std::string, std::string> metadata = file.metadata();
  std::map<std::string, SharedBytes> contents;
  std::map<std::string, SafetensorsEntry> entries;
  for (const auto& [name, tensor] : file.tensors())
    entries[name] = {tensor.dtype, tensor.shape, contents[name] = file.bytes(name)};
  metadata["checksum"] = envelope_checksum(metadata, entries);
  std::string text;
  write_safetensors(entries, metadata, [&text](std::span<const std::byte> piece) {
    text.append(reinterpret_cast<const char*>(piece.data()), piece.size());
  });
  return text;
}

// Models are as small as their files.
void run(const Model& model) {
  Session session(model), scalar(model, {.isa = Isa::kScalar});
  const std::vector<GivenInput> given = frames_for(model);
  const SequenceView sequence{.steps = kSteps, .inputs = views(model, given, nullptr)};
  const std::vector<Result> results = session.run(sequence), expected = scalar.run(sequence);
  for (std::size_t i = 0; i < results.size(); ++i) {  // not the floats: a NaN differs from itself
    if (results[i].value.format.kind != NumberType::kF32 && results[i] != expected[i]) std::abort();
  }
}

// A few facts and a question of known and unknown words, also after the memory was kept and restored.
void run(const MemoryNetwork& network) {
  constexpr std::size_t kCapacity = 4;
  MemorySession session(network, {.capacity = kCapacity}),
      scalar(network, {.capacity = kCapacity, .isa = Isa::kScalar});
  const auto last = static_cast<std::int32_t>(network.words.size()) - 1;
  const std::vector<std::int32_t> fact{1, 0, last}, question{last, 1};
  Memory memory = session.empty_memory(), other = scalar.empty_memory();
  for (std::size_t i = 0; i <= kCapacity; ++i) {
    session.write(memory, fact);
    scalar.write(other, fact);
    if (session.answer(memory, question) != scalar.answer(other, question) && session.on_codes()) std::abort();
  }
  const std::string kept = session.save(memory);
  if (session.restore(std::as_bytes(std::span(kept))) != memory) std::abort();
}

void open_and_save(std::span<const std::byte> bytes) {
  try {
    const Artifact artifact = open_bytes(bytes);
    const std::string saved = save_bytes(artifact);
    if (open_bytes(std::as_bytes(std::span(saved))) != artifact) std::abort();
    std::visit([](const auto& network) { run(network); }, artifact);
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
  open_and_save(bytes);
  try {
    const SafetensorsFile file = SafetensorsFile::parse(bytes);
    convert(file);
    const std::string fitting = with_fitting_checksum(file);
    open_and_save(std::as_bytes(std::span(fitting)));
  } catch (const Error&) {
  }
}

}  // namespace
}  // namespace quaver

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  quaver::try_bytes(std::as_bytes(std::span(data, size)));
  return 0;
}
