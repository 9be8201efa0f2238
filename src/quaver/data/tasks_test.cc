#include "quaver/data/tasks.h"

#include <gtest/gtest.h>

#include <set>

#include "quaver/core/error.h"
#include "quaver/data/task_row.h"
#include "quaver/data/test_support.h"

namespace quaver {
namespace {

TEST(Tasks, RowsAreComplete) {
  std::set<std::string> names;
  for (const TaskInfo& info : tasks()) {
    EXPECT_TRUE(names.insert(info.name).second) << info.name << " stands there twice";
    EXPECT_FALSE(info.summary.empty()) << info.name;
    EXPECT_EQ(info.summary.find('\n'), std::string::npos) << info.name;
    EXPECT_GE(info.features, 1u) << info.name;
    EXPECT_GE(info.classes.size(), 2u) << info.name;
    EXPECT_EQ(task_info(info.name).summary, info.summary);
  }
}

TEST(Tasks, UnknownTaskListsTheTasksAndSuggestsOne) {
  for (const auto& call : {+[] { task_info("chirp"); }, +[] { load_task("chirp", "train"); }}) {
    const Error error = expect_error(ErrorKind::kUsage, call);
    EXPECT_TRUE(says(error, "unknown task 'chirp': did you mean 'chirps'? the tasks are chirps, chirps_tags"));
  }
  EXPECT_TRUE(
      says(expect_error(ErrorKind::kUsage, [] { task_info("zzzzzzzzz"); }), "unknown task 'zzzzzzzzz': the tasks"));
}

TEST(Tasks, UnknownSplitListsTheSplitsAndSuggestsOne) {
  const Error error = expect_error(ErrorKind::kUsage, [] { load_task("chirps", "validatoin"); });
  EXPECT_TRUE(
      says(error, "unknown split 'validatoin': did you mean 'validation'? the splits are train, validation, test"));
}

TEST(Tasks, SpreadIsEvenAndComplete) {
  EXPECT_EQ(spread(4, 0), (std::vector<std::size_t>{0, 1, 2, 3}));
  EXPECT_EQ(spread(4, 9), (std::vector<std::size_t>{0, 1, 2, 3}));
  EXPECT_EQ(spread(10, 3), (std::vector<std::size_t>{0, 3, 6}));
  EXPECT_EQ(spread(0, 3), std::vector<std::size_t>{});
}

}  // namespace
}  // namespace quaver
