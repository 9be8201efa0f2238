#include "quaver/bench/bench.h"

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "quaver/kernels/dispatch/dispatch.h"
#include "quaver/model/memory/memory_network.h"
#include "quaver/workflow/fields.h"
#include "quaver/workflow/test_networks.h"

namespace quaver {
namespace {

using io_test::contains;
using io_test::error_of;
using nlohmann::ordered_json;

class BenchCall : public samples::Networks {
 protected:
  std::string refusal(const BenchRequest& request, ErrorKind kind = ErrorKind::kUsage) {
    return error_of([&] { bench(request, heard); }, kind);
  }
  // A shape that takes no time, and one turn of it.
  static BenchRequest small() { return {.cells = {"gru"}, .repetitions = 1, .hidden = {4}, .input = 3}; }
  static BenchRequest small_memory() {
    return {.cells = {kMemoryCell}, .repetitions = 1, .facts = {8}, .embedding = 8, .vocabulary = 20};
  }
};

TEST_F(BenchCall, TimesCellsInTurnsWithTheirOtherForms) {
  BenchRequest request = small();
  request.schemes = {"int8", "f32"};
  request.resets = {"after", "before"};
  request.frames = {"real", "codes"};
  const BenchReport report = bench(request, heard);
  const auto& of_kind = std::get<SequenceBenchReport>(report.of_kind);
  ASSERT_EQ(of_kind.rows.size(), 6u);  // int8 of real frames, of codes, and f32
  EXPECT_EQ(of_kind.rows[1].frames, Frames::kCodes);
  EXPECT_EQ(of_kind.rows[2].scheme, "f32");
  EXPECT_EQ(of_kind.rows[3].shape.reset, "before");
  for (const BenchRow& row : of_kind.rows) {
    EXPECT_GT(row.us_per_step(), 0);
    EXPECT_EQ(row.path, isa_name(chosen_isa()));
    EXPECT_EQ(row.shape.hidden, 4u);
    EXPECT_TRUE(row.read.has_value());
  }
  ASSERT_EQ(of_kind.own_ratios.size(), 4u);  // over the first row of each shape
  EXPECT_EQ(of_kind.own_ratios[2].ours, 4u);
  EXPECT_EQ(of_kind.own_ratios[2].other, 3u);
  EXPECT_TRUE(of_kind.ratios.empty());
  EXPECT_EQ(heard.stages.size(), 2u);
  EXPECT_TRUE(contains(heard.stages[1], "2 of 2: gru hidden 4 input 3"));
}

TEST_F(BenchCall, TimesAModelAndItsLoadingAndWritesIt) {
  const std::filesystem::path name = folder.path() / "saved";
  const BenchReport report =
      bench({.model = model, .batch = {2}, .repetitions = 1, .save = name, .command = "a test", .steps = {3}}, heard);
  const auto& of_kind = std::get<SequenceBenchReport>(report.of_kind);
  ASSERT_EQ(of_kind.rows.size(), 1u);
  EXPECT_EQ(of_kind.rows[0].shape.cell, "gru");
  EXPECT_EQ(of_kind.rows[0].shape.hidden, 4u);
  EXPECT_EQ(of_kind.rows[0].scheme, "f32");
  ASSERT_TRUE(of_kind.loading.has_value());
  EXPECT_GT(to_json(report).at("load_ms").get<double>(), 0);
  EXPECT_TRUE(contains(to_text(report), "loads and is ready in"));
  const ordered_json saved = ordered_json::parse(io_test::read_text(name.string() + ".json"));
  EXPECT_EQ(saved, to_json(report));
  EXPECT_EQ(saved.at("command"), "a test");
  EXPECT_EQ(io_test::read_text(name.string() + ".md"), to_markdown(report));
  EXPECT_TRUE(contains(to_markdown(report), to_text(report)));
}

TEST_F(BenchCall, TimesMemoryNetworksByTheirForms) {
  BenchRequest request = small_memory();
  request.schemes = {"qmann8", "f32"};
  const BenchReport report = bench(request, heard);
  const auto& of_kind = std::get<MemoryBenchReport>(report.of_kind);
  ASSERT_EQ(of_kind.rows.size(), 4u);
  EXPECT_EQ(of_kind.rows[0].form, "told");
  EXPECT_EQ(of_kind.rows[1].form, "stored");
  EXPECT_EQ(of_kind.rows[2].form, "write");
  EXPECT_EQ(of_kind.rows[3].path, "c++");
  EXPECT_EQ(of_kind.rows[1].bytes, 8u * 8u * 3u);
  ASSERT_EQ(of_kind.ratios.size(), 1u);  // f32 over ours that is told, too
  EXPECT_EQ(of_kind.ratios[0].ours, 0u);
  EXPECT_EQ(of_kind.ratios[0].other, 3u);
  const ordered_json json = to_json(report);
  for (const char* key : {"cell", "hidden", "input", "steps", "us_per_step", "bytes_per_step", "peer", "version"})
    EXPECT_TRUE(json.at("results")[0].contains(key)) << key;
}

TEST_F(BenchCall, APeerThatIsMissingCostsItsRowsAndAWarning) {
  BenchRequest request = small();
  request.peers = {"litert"};
  request.peer_python = "/does/not/exist";
  const BenchReport report = bench(request, heard);
  const auto& rows = std::get<SequenceBenchReport>(report.of_kind).rows;
  EXPECT_EQ(rows.size(), 2u);  // beside peers real frames and codes
  ASSERT_EQ(heard.warnings.size(), 1u);
  EXPECT_TRUE(contains(heard.warnings[0], "no rows of litert"));
}

TEST_F(BenchCall, TellsPeersThatDoNotHaveAllOfTheCpu) {
  BenchRequest request = small();
  request.peers = {"litert", "torch"};
  request.peer_python = folder.path() / "python";
  std::ofstream(request.peer_python) << "#!/bin/sh\n[ $2 = torch ] || limit=', \"isa_limit\": \"avx2\"'\n"
                                        "echo '{\"version\": \"1\"'$limit'}'\n";
  std::filesystem::permissions(request.peer_python, std::filesystem::perms::owner_all);
  const BenchReport report = bench(request, heard);
  EXPECT_EQ(to_json(report).at("peer_isa_limits"), ordered_json({{"litert", "avx2"}}));
  EXPECT_TRUE(contains(to_text(report), "Held to fewer instruction sets than the CPU has: litert to avx2.\n"));
  request.peers = {"torch"};
  const BenchReport free = bench(request, heard);
  EXPECT_TRUE(to_json(free).at("peer_isa_limits").empty());
  EXPECT_FALSE(contains(to_text(free), "Held to"));
}

TEST_F(BenchCall, RefusesFieldsThatMeanNothing) {
  BenchRequest request = small();
  request.model = model;
  EXPECT_EQ(refusal(request), "--cell belongs to cells with random weights; here a model file is timed");
  request = small();
  request.projection = 0;
  EXPECT_EQ(refusal(request), "--projection belongs to cell lstm; here the cells are gru");
  request = small();
  request.facts = {3};
  EXPECT_EQ(refusal(request), "--facts belongs to --cell memn2n; here other cells are timed");
  request = small_memory();
  request.threads = 1;
  EXPECT_EQ(refusal(request), "--threads belongs to the cells lstm, gru, rnn; here the cell is memn2n");
  request = {.presets = {"silero"}, .batch = {2}};
  EXPECT_EQ(refusal(request), "--batch belongs to shapes without a name; here --preset says them");
  request = small();
  request.peer_python = "python3";
  EXPECT_EQ(refusal(request), "--peer-python belongs to --peers and --peer; here no other engine is asked for");
  request = small();
  request.pin = true;
  request.threads = 2;
  EXPECT_EQ(refusal(request), "--pin belongs to one thread; here --threads asks for more");
}

TEST_F(BenchCall, RefusesNamesAndSizesBeforeItMeasures) {
  BenchRequest request = small();
  request.schemes = {"int88"};
  EXPECT_TRUE(contains(refusal(request), "did you mean 'int8'"));
  request = small();
  request.frames = {"whole"};
  EXPECT_TRUE(contains(refusal(request), "unknown frames 'whole'"));
  EXPECT_TRUE(contains(refusal({.presets = {"none"}}), "unknown preset 'none'"));
  request = small();
  request.batch = {65536};
  request.steps = {65536};
  EXPECT_TRUE(contains(refusal(request), "these sizes make 4,294,967,296 frames"));
  request = small_memory();
  request.facts = {10'000'000};
  request.embedding = 4096;
  EXPECT_TRUE(contains(refusal(request), "these sizes make a memory of"));
  request = small();
  request.plot = folder.path() / "plot.pdf";
  EXPECT_TRUE(contains(refusal(request), "ends in neither .svg nor .png"));
  EXPECT_TRUE(contains(refusal({.model = folder.path() / "none"}, ErrorKind::kBadInput), "none"));
  EXPECT_TRUE(heard.stages.empty());
}

}  // namespace
}  // namespace quaver
