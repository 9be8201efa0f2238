// make_memory_goldens FOLDER - writes a saved memory of FOLDER/network.safetensors and what the network answers from
// it: the golden of a version, made before the version changes. Where FOLDER has no network it gets a random one with
// slots.
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "quaver/core/error.h"
#include "quaver/core/random.h"
#include "quaver/engine/memory/memory_session.h"
#include "quaver/files/atomic_file.h"
#include "quaver/io/model_file/memory_file.h"
#include "quaver/npz/npz.h"

namespace quaver {
namespace {

MemoryNetwork with_slots() {
  MemoryNetwork network;
  network.name = "golden";
  network.shape = {.vocabulary = 7, .memory = 4, .d = 5, .hops = 2, .sentence = 3, .tying = MemoryTying::kAdjacent};
  network.shape.slots = 12;
  network.scheme = {.arithmetic = MemoryArithmetic::kScaled, .integer_only = true, .relative_similarity = true};
  const std::size_t matrices = memory_matrices(network.shape).size();
  network.scales = {.weights = std::vector<float>(matrices, 0.02f),
                    .embedded = std::vector<float>(matrices, 0.04f),
                    .s = {0.0625f, 0.0625f},
                    .u = {0.1f, 0.2f, 0.3f},
                    .query = {1, 1}};
  network.words = {"", "mary", "john", "went", "kitchen", "garden", "where"};
  network.provenance = {{"command", "make_memory_goldens"}};
  Random random(5);
  network.parameters.resize(parameter_count(network.shape));
  for (float& value : network.parameters) value = static_cast<float>(random.normal());
  network.parameters = coded_parameters(network.shape, network.scheme, network.scales, network.parameters);
  return network;
}

void make(const std::filesystem::path& folder) {
  constexpr std::size_t kFacts = 9, kQuestions = 40, kWords = 3;
  const std::filesystem::path path = folder / "network.safetensors";
  if (!std::filesystem::exists(path)) save(with_slots(), path);
  const MemoryNetwork network = load_memory_network(path);
  MemorySession session(network, {.capacity = kFacts - 2});  // the oldest two are dropped
  Random random(6);
  const auto sentence = [&] {
    std::vector<std::int32_t> words(kWords);
    for (std::int32_t& word : words)
      word = static_cast<std::int32_t>(1 + random.below(static_cast<std::uint64_t>(network.words.size()) - 1));
    return words;
  };
  Memory memory = session.empty_memory();
  for (std::size_t i = 0; i < kFacts; ++i) session.write(memory, sentence());
  write_file_atomically(folder / "memory.bin", session.save(memory));
  std::vector<std::int32_t> questions, answers;
  for (std::size_t i = 0; i < kQuestions; ++i) {
    const std::vector<std::int32_t> question = sentence();
    questions.insert(questions.end(), question.begin(), question.end());
    answers.push_back(session.answer(memory, question));
  }
  write_npz(folder / "answers.npz", {{"questions", NpzArray::from<std::int32_t>({kQuestions, kWords}, questions)},
                                     {"answers", NpzArray::from<std::int32_t>({kQuestions}, answers)}});
}

}  // namespace
}  // namespace quaver

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: make_memory_goldens FOLDER\n");
    return 2;
  }
  try {
    std::filesystem::create_directories(argv[1]);
    quaver::make(argv[1]);
  } catch (const quaver::Error& error) {
    std::fprintf(stderr, "make_memory_goldens: %s\n", error.what());
    return 1;
  }
  return 0;
}
