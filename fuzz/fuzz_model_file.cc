// fuzz_model_file.cc - load_bytes() and load_memory_network_bytes() on anything: an Error or a model, never a crash, a
// hang or memory without end.
//
// The checksum would stop nearly every mutation at the door, so each input is tried twice: as it is, and, when its
// container can be read, with the checksum that fits it. A model that loads must survive being saved and loaded again.
// What loads also runs a few steps or questions, on two paths that must agree: nothing that validates may reach past a
// buffer.
// PyTorch's weights come in the same container, so that their converter reads every input too.

#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "quaver/core/error.h"
#include "quaver/engine/memory/memory_session.h"
#include "quaver/engine/sequence/session.h"
#include "quaver/io/container/contents_checksum.h"
#include "quaver/io/container/safetensors.h"
#include "quaver/io/model_file/memory_file.h"
#include "quaver/io/model_file/model_file.h"
#include "quaver/io/torch/torch_names.h"

namespace quaver {
namespace {

std::string with_fitting_checksum(const SafetensorsFile& file) {
  std::map<std::string, std::string> metadata = file.metadata();
  std::map<std::string, AlignedVector<std::byte>> contents;
  std::map<std::string, SafetensorsEntry> entries;
  for (const auto& [name, tensor] : file.tensors())
    entries[name] = {tensor.dtype, tensor.shape, contents[name] = file.bytes(name)};
  metadata["checksum"] =
      metadata.contains("network")
          ? contents_checksum({metadata["network"], metadata["words"], metadata["provenance"]}, entries)
          : contents_checksum({metadata["graph"], metadata["provenance"]}, entries);
  std::string text;
  write_safetensors(entries, metadata, [&text](std::span<const std::byte> piece) {
    text.append(reinterpret_cast<const char*>(piece.data()), piece.size());
  });
  return text;
}

// Three steps of numbers that reach both ends of most formats, or of ids. Models are as small as their files.
void run(const Model& model) {
  constexpr std::size_t kSteps = 3;
  Session session(model), scalar(model, {.isa = Isa::kScalar});
  SequenceView sequence{.steps = kSteps};
  std::vector<float> real(kSteps * session.input_features());
  for (std::size_t i = 0; i < real.size(); ++i) real[i] = static_cast<float>(i % 7) - 3.0f;
  const std::vector<std::int32_t> ids{0, 1, 0};
  if (model.inputs[0].value.format.kind == NumberType::kI32) {
    sequence.ids = ids;
  } else {
    sequence.real = real;
  }
  const std::vector<Result> results = session.run(sequence), expected = scalar.run(sequence);
  for (std::size_t i = 0; i < results.size(); ++i) {  // not the floats: a NaN differs from itself
    if (results[i].value.format.kind != NumberType::kF32 && results[i] != expected[i]) std::abort();
  }
}

void load_and_save(std::span<const std::byte> bytes) {
  try {
    const Model model = load_bytes(bytes);
    const std::string saved = save_bytes(model);
    if (load_bytes(std::as_bytes(std::span(saved))) != model) std::abort();
    run(model);
  } catch (const Error&) {
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

void load_and_save_memory(std::span<const std::byte> bytes) {
  try {
    const MemoryNetwork network = load_memory_network_bytes(bytes);
    const std::string saved = save_bytes(network);
    if (load_memory_network_bytes(std::as_bytes(std::span(saved))) != network) std::abort();
    run(network);
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
  load_and_save_memory(bytes);
  try {
    const SafetensorsFile file = SafetensorsFile::parse(bytes);
    convert(file);
    const std::string fitting = with_fitting_checksum(file);
    load_and_save(std::as_bytes(std::span(fitting)));
    load_and_save_memory(std::as_bytes(std::span(fitting)));
  } catch (const Error&) {
  }
}

}  // namespace
}  // namespace quaver

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  quaver::try_bytes(std::as_bytes(std::span(data, size)));
  return 0;
}
