// fuzz_state.cc - what a stream or a memory remembers, restored from anything: an Error or a state that runs, on two
// paths with the same bits.
//
// The first byte picks whose state it is. The rest are the bytes of a recurrent state's parts, repeated to their sizes,
// or a saved memory: as it is, and between the right mark, network and checksum.

#include <array>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "quaver/core/error.h"
#include "quaver/core/random.h"
#include "quaver/core/text.h"
#include "quaver/engine/memory/memory_session.h"
#include "quaver/engine/sequence/session.h"
#include "quaver/model/sample_models.h"

namespace quaver {
namespace {

constexpr Format kCodes{NumberType::kI8, 0.5f, 1};

// More units than a block of the widest path.
Model model_of(Operation operation, const char* scheme, Format output) {
  Model model;
  model.scheme = scheme;
  model.inputs = {{"input", {{2}, true, kCodes}}};
  samples::append(model, "r", std::move(operation), scheme, output);
  samples::fill_tensors(model, 1);
  model.outputs = {"r"};
  return model;
}

struct Pair {
  explicit Pair(const Model& model) : chosen(model), scalar(model, {.isa = Isa::kScalar}) {}
  Session chosen, scalar;

  void run(std::span<const std::byte> bytes) {
    std::vector<std::pair<std::string, std::vector<std::byte>>> parts;
    std::size_t at = 0;
    for (const StatePart& part : chosen.initial_state().layout().parts) {
      if (part.derived()) continue;
      auto& [name, values] = parts.emplace_back(part.name, part.count * type_bytes(part.type));
      for (std::byte& value : values) value = bytes.empty() ? std::byte{0} : bytes[at++ % bytes.size()];
    }
    try {
      const std::vector<std::pair<std::string, std::span<const std::byte>>> views(parts.begin(), parts.end());
      State state = chosen.restore_state(views), other = scalar.restore_state(views);
      std::vector<float> scores(chosen.score_count()), expected(scores.size());
      const std::array<float, 2> frame{1.0f, -20.0f};
      for (int step = 0; step < 2; ++step) {
        if (!chosen.step(frame, state, scores) || !scalar.step(frame, other, expected)) std::abort();
        if (state != other || scores != expected) std::abort();
      }
    } catch (const Error&) {
    }
  }
};

MemoryNetwork memory_network(const char* scheme, SentenceEncoding encoding, std::size_t slots) {
  MemoryNetwork network;
  network.name = network.task = "stories";
  network.shape = {.vocabulary = 5, .memory = 3, .d = 6, .hops = 2, .sentence = 3, .tying = MemoryTying::kLayerwise};
  network.shape.encoding = encoding;
  network.shape.slots = slots;
  network.scheme = memory_scheme_from_name(scheme);
  network.words = {"", "a", "b", "c", "d"};
  Random random(1);
  for (std::size_t i = 0; i < parameter_count(network.shape); ++i)
    network.parameters.push_back(static_cast<float>(random.uniform(-1, 1)));
  if (network.scheme.is_fixed()) network.scheme.integer_only = true;
  if (network.scheme.is_scaled()) {
    const std::size_t matrices = memory_matrices(network.shape).size(), hops = network.shape.hops;
    network.scales = {.weights = std::vector<float>(matrices, 0.01f),
                      .embedded = std::vector<float>(matrices, 0.02f),
                      .s = std::vector<float>(hops, 0.1f),
                      .u = std::vector<float>(hops + 1, 0.03f),
                      .query = std::vector<float>(hops, 1.0f)};
    network.parameters = coded_parameters(network.shape, network.scheme, network.scales, network.parameters);
  }
  return network;
}

struct MemoryPair {
  explicit MemoryPair(const MemoryNetwork& network)
      : chosen(network, {.capacity = 40}), scalar(network, {.capacity = 40, .isa = Isa::kScalar}) {}
  MemorySession chosen, scalar;
};

void restore(MemorySession& session, MemorySession& scalar, std::span<const std::byte> bytes) {
  try {
    const Memory memory = session.restore(bytes), other = scalar.restore(bytes);
    const std::vector<std::int32_t> question{2, 4};
    if (session.answer(memory, question) != scalar.answer(other, question)) std::abort();
    const std::string kept = session.save(memory);
    if (session.restore(std::as_bytes(std::span(kept))) != memory) std::abort();
  } catch (const Error&) {
  }
}

void restore_memory(MemoryPair& pair, std::span<const std::byte> bytes) {
  restore(pair.chosen, pair.scalar, bytes);
  constexpr std::size_t kMarkAndNetwork = 16, kChecksum = 8;
  std::string fitting = pair.chosen.save(pair.chosen.empty_memory()).substr(0, kMarkAndNetwork);
  fitting.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const std::uint64_t checksum = fnv1a(std::as_bytes(std::span(fitting)));
  for (std::size_t i = 0; i < kChecksum; ++i) fitting += static_cast<char>(checksum >> (8 * i) & 255u);
  restore(pair.chosen, pair.scalar, std::as_bytes(std::span(fitting)));
}

void try_bytes(std::span<const std::byte> bytes) {
  static std::array<Pair, 3> pairs{
      Pair(
          model_of(LstmAttributes{.input_size = 2, .hidden_size = 37, .peephole = true, .clip = 2.0f}, "int8", kCodes)),
      Pair(model_of(GruAttributes{.input_size = 2, .hidden_size = 37}, "int8", {NumberType::kI8, 0x1p-7f, 0})),
      Pair(model_of(GruAttributes{.input_size = 2, .hidden_size = 37, .linear_before_reset = false}, "int4",
                    {NumberType::kI8, 0x1p-7f, 0}))};
  static std::array<MemoryPair, 3> memories{
      MemoryPair(memory_network("qmann8", SentenceEncoding::kPosition, 0)),
      MemoryPair(memory_network("int8", SentenceEncoding::kWords, 4)),
      MemoryPair(memory_network("fixed-binary-weights", SentenceEncoding::kWords, 2))};
  if (bytes.empty()) return;
  const std::size_t which = std::to_integer<std::size_t>(bytes[0]) % (pairs.size() + memories.size());
  if (which < pairs.size()) {
    pairs[which].run(bytes.subspan(1));
  } else {
    restore_memory(memories[which - pairs.size()], bytes.subspan(1));
  }
}

}  // namespace
}  // namespace quaver

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  quaver::try_bytes(std::as_bytes(std::span(data, size)));
  return 0;
}
