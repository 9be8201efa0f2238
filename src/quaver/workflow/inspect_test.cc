#include "quaver/workflow/inspect.h"

#include "quaver/io/model_file/artifact_file.h"
#include "quaver/report/show/inspect_report.h"
#include "quaver/workflow/fields.h"
#include "quaver/workflow/test_networks.h"

namespace quaver {
namespace {

using io_test::contains;
using io_test::error_of;

class InspectCall : public samples::Networks {};

TEST_F(InspectCall, CountsAStepOfAModel) {
  const InspectReport report = inspect({.model = model}, heard);
  const auto& inspection = std::get<Inspection>(report.inspection);
  EXPECT_EQ(inspection.model, "chirper");
  EXPECT_EQ(inspection.bytes, std::filesystem::file_size(model));
  EXPECT_GT(inspection.macs, 0u);
  EXPECT_EQ(report.file, model.string());
  EXPECT_TRUE(heard.warnings.empty());
}

TEST_F(InspectCall, CountsAQuestionToAMemoryNetwork) {
  const auto sizes = [&](const InspectRequest& request) {
    return std::get<MemoryInspection>(inspect(request, heard).inspection).questions;
  };
  EXPECT_EQ(sizes({.model = network}).facts, 6u);
  EXPECT_EQ(sizes({.model = network, .facts = 2}).facts, 2u);
  const auto asked = sizes({.model = network, .input = "stories", .limit = 5, .data = stories});
  EXPECT_EQ(asked.questions, 5u);
}

TEST_F(InspectCall, ShowsListsOfTheOriginInALine) {
  Model made = std::get<Model>(open(model));
  made.provenance["pipeline.classes"] = "cat\ndog\x1b\n";
  save(made, model);
  EXPECT_TRUE(contains(to_text(inspect({.model = model}, heard)), "pipeline.classes: cat, dog?\n"));
}

TEST_F(InspectCall, RefusesFieldsThatMeanNothing) {
  const auto refusal = [&](const InspectRequest& request) {
    return error_of([&] { inspect(request, heard); }, ErrorKind::kUsage);
  };
  EXPECT_EQ(refusal({.model = model, .facts = 2}),
            "--facts belongs to memory networks; here " + model.string() + " is a model of sequences");
  EXPECT_TRUE(contains(refusal({.model = model, .data = stories}), "--questions belongs to memory networks"));
  EXPECT_TRUE(contains(refusal({.model = network, .limit = 0}), "--limit belongs to --input TASK"));
  EXPECT_TRUE(contains(refusal({.model = network, .input = "stories", .facts = 1, .data = stories}),
                       "--facts belongs to a question that is described"));
  EXPECT_TRUE(contains(refusal({.model = network, .facts = 7}), "the network's memory holds 6"));
  EXPECT_TRUE(contains(refusal({.model = network, .input = "chirps", .data = {.set = "en"}}), "--set belongs to"));
}

TEST_F(InspectCall, SaysWhichFileIsMissing) {
  EXPECT_TRUE(contains(error_of([&] { inspect({.model = folder.path() / "none"}, heard); }), "none"));
  EXPECT_TRUE(contains(error_of([&] { inspect({.model = model, .energy_table = "none.json"}, heard); }), "none.json"));
}

}  // namespace
}  // namespace quaver
