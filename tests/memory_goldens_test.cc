// memory_goldens_test.cc - memory networks of every version of their file restore a memory that was saved with them and
// answer from it as they did then, on every path.
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "quaver/engine/memory/memory_session.h"
#include "quaver/io/model_file/memory_file.h"
#include "support/goldens.h"
#include "support/paths.h"

namespace quaver::testing_support {
namespace {

struct Golden {
  const char* folder;
  Isa isa;
};

std::vector<Golden> all_goldens() {
  std::vector<Golden> all;
  for (const char* folder : {"memory_v1", "memory_v2", "memory_v3", "memory_v4"}) {
    for (const Isa isa : all_isas()) all.push_back({folder, isa});
  }
  return all;
}

class MemoryGoldens : public ::testing::TestWithParam<Golden> {};

TEST_P(MemoryGoldens, SavedMemoriesAnswer) {
  QUAVER_SKIP_WITHOUT(GetParam().isa);
  const std::filesystem::path folder = own_goldens(GetParam().folder);
  const MemoryNetwork network = load_memory_network(folder / "network.safetensors");
  const std::string newest = save_bytes(network);
  EXPECT_EQ(load_memory_network_bytes(std::as_bytes(std::span(newest))), network);
  std::ifstream file(folder / "memory.bin", std::ios::binary);
  const std::string saved(std::istreambuf_iterator<char>(file), {});
  constexpr std::size_t kFacts = 7, kQuestions = 40, kWords = 3;
  MemorySession session(network, {.capacity = kFacts, .isa = GetParam().isa});
  const Memory memory = session.restore(std::as_bytes(std::span(saved)));
  EXPECT_EQ(memory.size(), kFacts);
  EXPECT_EQ(memory.dropped(), 2u);
  EXPECT_EQ(session.save(memory), saved);
  const Npz arrays = read_npz(folder / "answers.npz");
  const auto questions = golden_array<std::int32_t>(arrays, "questions", {kQuestions, kWords});
  const auto answers = golden_array<std::int32_t>(arrays, "answers", {kQuestions});
  for (std::size_t i = 0; i < kQuestions; ++i)
    EXPECT_EQ(session.answer(memory, std::span(questions).subspan(i * kWords, kWords)), answers[i]) << "question " << i;
}

INSTANTIATE_TEST_SUITE_P(All, MemoryGoldens, ::testing::ValuesIn(all_goldens()),
                         [](const ::testing::TestParamInfo<Golden>& golden) {
                           return std::string(golden.param.folder) + "_" + std::string(isa_name(golden.param.isa));
                         });

}  // namespace
}  // namespace quaver::testing_support
