#include "quaver/report/cost/memory_inspect.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "quaver/core/error.h"
#include "quaver/quantize/memory.h"
#include "quaver/report/memory_samples.h"

namespace quaver {
namespace {

const QuestionSizes kTwoQuestions{2, 4, 14, 6};

TEST(MemoryInspect, TellsMatricesFormatsAndParts) {
  MemoryNetwork network = samples::memory_network(samples::kMemoryShape, memory_scheme_from_name("qmann8"));
  const MemoryInspection inspection = inspect(network, kTwoQuestions, "two questions", 4321);
  EXPECT_EQ(inspection.bytes, 4321u);
  EXPECT_EQ(inspection.weights_bytes, 4 * parameter_count(network.shape));
  EXPECT_EQ(inspection.state_bytes, 6 * bytes_of_a_fact(network.shape, network.scheme));
  ASSERT_EQ(inspection.matrices.size(), 5u);
  EXPECT_EQ(inspection.matrices[0].use, "A of every hop");
  EXPECT_EQ(inspection.matrices[4].use, "H");
  ASSERT_EQ(inspection.hops.size(), 3u);
  EXPECT_EQ(inspection.hops[0].embeddings, "3.4");
  EXPECT_EQ(inspection.hops[2].embeddings, "1.6");
  EXPECT_EQ(inspection.hops[1].similarity, "hamming");
  EXPECT_DOUBLE_EQ(*inspection.hops[1].similarity_limit, 4);
  EXPECT_GT(inspection.float_ops, 0u) << "softmax and answer are float";
  double pj = 0;
  for (const MemoryPartReport& part : inspection.parts) pj += part.energy_pj;
  EXPECT_NEAR(pj, inspection.energy.pj, 1e-9 * pj);
  network.scheme.integer_only = true;
  EXPECT_EQ(inspect(network, kTwoQuestions, "").float_ops, 0u);
  network.shape.tying = MemoryTying::kAdjacent;
  network.parameters.resize(parameter_count(network.shape));
  EXPECT_EQ(inspect(network, kTwoQuestions, "").matrices[1].use, "A of hop 2, C of hop 1");
  EXPECT_EQ(inspect(network, kTwoQuestions, "").matrices[3].use, "C of hop 3, W");
}

TEST(MemoryInspect, TellsScaledIntegers) {
  const MemoryNetwork in_float = samples::memory_network(samples::kMemoryShape, {});
  const samples::MemoryQuestions asked = samples::memory_questions(in_float.shape, 14);
  const MemoryNetwork network = quantize_memory(in_float, memory_scheme_from_name("int8"), asked.questions);
  const MemoryInspection inspection = inspect(network, question_sizes(asked.questions), "fourteen");
  EXPECT_EQ(inspection.float_ops, 0u);
  EXPECT_EQ(inspection.hops[2].embeddings, "i8");
  EXPECT_GT(inspection.hops[2].similarity_step, 0);
  EXPECT_EQ(inspection.weights_bytes_run, parameter_count(network.shape));
  EXPECT_GT(inspection.energy.paper_gain(), inspection.energy.gain());
}

TEST(MemoryInspect, FloatGainsNothing) {
  const MemoryInspection inspection = inspect(samples::memory_network(samples::kMemoryShape, {}), kTwoQuestions, "");
  EXPECT_DOUBLE_EQ(inspection.energy.gain(), 1);
  EXPECT_DOUBLE_EQ(inspection.energy.paper_gain(), 1);
  EXPECT_EQ(inspection.bytes, inspection.weights_bytes);
  EXPECT_EQ(inspection.weights_bytes_run, inspection.weights_bytes);
  EXPECT_FALSE(inspection.hops[0].similarity_limit.has_value());
}

TEST(MemoryInspect, JsonHasTheKeysThatProgramsRead) {
  const MemoryInspection inspection =
      inspect(samples::memory_network(samples::kMemoryShape, memory_scheme_from_name("fixed8")), kTwoQuestions, "two");
  const auto json = to_json(inspection);
  for (const char* key : {"bytes", "weights_bytes", "state_bytes", "macs", "float_ops", "scheme", "layers", "energy_pj",
                          "energy_gain_vs_f32", "paper_rules", "energy_table", "traffic", "matrices", "formats"})
    EXPECT_TRUE(json.contains(key)) << key;
  EXPECT_EQ(json["questions"]["facts"], 2);
  EXPECT_EQ(json["slots"], 0);
  EXPECT_EQ(json["layers"].size(), 7u);
  const std::string text = to_text(inspection);
  for (const char* word : {"float_ops: ", "by rules fitted to the paper's 22x", "similarity", "moved"})
    EXPECT_NE(text.find(word), std::string::npos) << word;
}

TEST(MemoryInspect, CountsWithTheTableThatIsGiven) {
  EnergyTable table = horowitz_2014();
  for (const OperationType& type : operation_types()) table.pj.at(type.kind, type.width) *= 2;
  table.dram_pj_per_byte.reset();
  const MemoryNetwork network = samples::memory_network(samples::kMemoryShape, memory_scheme_from_name("fixed8"));
  const MemoryInspection once = inspect(network, kTwoQuestions, ""),
                         twice = inspect(network, kTwoQuestions, "", 0, table);
  EXPECT_NEAR(twice.energy.pj, 2 * once.energy.pj, 1e-9 * once.energy.pj);
  EXPECT_TRUE(to_json(twice)["memory_pj_dram"].is_null());
}

TEST(MemoryInspect, NeedsAQuestion) {
  EXPECT_THROW(inspect(samples::memory_network(samples::kMemoryShape, {}), {0, 0, 0, 0}, ""), Error);
}

}  // namespace
}  // namespace quaver
