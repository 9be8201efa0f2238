#include "quaver/data/tasks.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <optional>
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
    EXPECT_NE(info.features == 0, info.vocabulary == 0) << info.name;
    const bool reals = info.target == Target::kReals || info.target == Target::kRealSteps;
    EXPECT_EQ(info.outputs > 0, reals) << info.name;
    EXPECT_EQ(info.classes.size() >= 2, !reals) << info.name;
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

// Sets QUAVER_DATA for a test and puts back what it was.
class DataEnvironment {
 public:
  explicit DataEnvironment(const std::string& value) {
    if (const char* old = std::getenv(kName)) old_ = old;
    setenv(kName, value.c_str(), 1);
  }
  DataEnvironment(const DataEnvironment&) = delete;
  DataEnvironment& operator=(const DataEnvironment&) = delete;
  ~DataEnvironment() { old_ ? setenv(kName, old_->c_str(), 1) : unsetenv(kName); }

 private:
  static constexpr const char* kName = "QUAVER_DATA";
  std::optional<std::string> old_;
};

const DataFile kWanted{.task = "birds", .file = "birds/songs.tar.xz", .set = "Bird Set (Finch)", .contents = "songs"};

TEST(Tasks, DataFolderIsTheGivenOneElseTheEnvironmentsElseTheDefault) {
  const TemporaryFolder given, environment;
  for (const TemporaryFolder* folder : {&given, &environment}) write_file(folder->path() / kWanted.file, "tweet");
  const DataEnvironment set(environment.path().string());
  EXPECT_EQ(find_data_file(kWanted, {.data_dir = given.path()}), given.path() / kWanted.file);
  EXPECT_EQ(find_data_file(kWanted, {}), environment.path() / kWanted.file);
  const DataEnvironment empty("");
  const Error error = expect_error(ErrorKind::kBadInput, [] { find_data_file(kWanted, {}); });
  EXPECT_TRUE(says(error, "no file ../shared/data/birds/songs.tar.xz (in the default data folder"));
}

TEST(Tasks, MissingDataSaysWhatItIsAndWhereToPutIt) {
  const TemporaryFolder folder;
  const DataEnvironment set(folder.path().string());
  const Error given = expect_error(ErrorKind::kBadInput, [&] { find_data_file(kWanted, {.data_dir = "/nowhere"}); });
  EXPECT_TRUE(
      says(given,
           "task 'birds': no file /nowhere/birds/songs.tar.xz (in the given data folder); it needs the Bird Set "
           "(Finch): the data folder must hold birds/songs.tar.xz with songs; point to the folder with --data DIR "
           "or the environment variable QUAVER_DATA"));
  EXPECT_TRUE(says(expect_error(ErrorKind::kBadInput, [] { find_data_file(kWanted, {}); }),
                   folder.path().string() + "/birds/songs.tar.xz (in the folder of QUAVER_DATA)"));
}

TEST(Tasks, EveryTaskOnFilesNamesWhatItMisses) {
  const TemporaryFolder empty;
  for (const TaskInfo& info : tasks()) {
    if (info.needs.empty()) continue;
    const Error error =
        expect_error(ErrorKind::kBadInput, [&] { load_task(info.name, "test", {.data_dir = empty.path()}); });
    EXPECT_TRUE(says(error, "task '" + info.name + "': no file " + (empty.path() / info.needs).string()));
    EXPECT_TRUE(says(error, "github.com") || says(error, "UCI")) << "where the data comes from: " << error.what();
  }
}

TEST(Tasks, SpreadIsEvenAndComplete) {
  EXPECT_EQ(spread(4, 0), (std::vector<std::size_t>{0, 1, 2, 3}));
  EXPECT_EQ(spread(4, 9), (std::vector<std::size_t>{0, 1, 2, 3}));
  EXPECT_EQ(spread(10, 3), (std::vector<std::size_t>{0, 3, 6}));
  EXPECT_EQ(spread(0, 3), std::vector<std::size_t>{});
}

}  // namespace
}  // namespace quaver
