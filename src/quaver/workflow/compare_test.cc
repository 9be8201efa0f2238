#include "quaver/workflow/compare.h"

#include "quaver/workflow/fields.h"
#include "quaver/workflow/quantize.h"
#include "quaver/workflow/test_networks.h"

namespace quaver {
namespace {

using io_test::contains;
using io_test::error_of;

class CompareCall : public samples::Networks {};

TEST_F(CompareCall, ComparesModelsOnSequences) {
  quantize({.in = model, .out = out, .calib = sequences().string()}, heard);
  const CompareReport report = compare({.reference = model, .quantized = out, .input = "chirps", .limit = 3}, heard);
  const auto& of_kind = std::get<SequenceCompareReport>(report.of_kind);
  EXPECT_EQ(of_kind.comparison.sequences, 3u);
  EXPECT_GT(of_kind.reference_energy_pj, of_kind.energy_pj);
  EXPECT_EQ(report.input, "chirps:test");
  EXPECT_EQ(heard.begun.back(), "comparing sequences");
  EXPECT_EQ(heard.done, 3u);
  EXPECT_TRUE(contains(error_of([&] { compare({.reference = out, .quantized = model, .input = "chirps"}, heard); }),
                       "expected the float one first"));
}

TEST_F(CompareCall, ComparesMemoryNetworksOnQuestions) {
  quantize({.in = network, .out = out, .calib = "stories", .data = stories}, heard);
  const CompareReport report =
      compare({.reference = network, .quantized = out, .input = "stories", .limit = 9, .data = stories}, heard);
  const auto& of_kind = std::get<MemoryCompareReport>(report.of_kind);
  EXPECT_EQ(of_kind.comparison.questions, 9u);
  EXPECT_EQ(of_kind.schemes[0], "f32");
  EXPECT_EQ(heard.begun.back(), "comparing questions");
}

TEST_F(CompareCall, RefusesTwoKindsAndFieldsThatMeanNothing) {
  EXPECT_TRUE(contains(error_of([&] { compare({.reference = model, .quantized = network, .input = "chirps"}, heard); }),
                       "a memory network; expected two forms of one network"));
  EXPECT_EQ(
      error_of(
          [&] { compare({.reference = model, .quantized = model, .input = "stories", .data = {.tasks = "1"}}, heard); },
          ErrorKind::kUsage),
      "--tasks belongs to memory networks; here are models of sequences");
  EXPECT_TRUE(contains(
      error_of([&] { compare({.reference = model, .quantized = folder.path() / "none", .input = "chirps"}, heard); }),
      "none"));
}

}  // namespace
}  // namespace quaver
