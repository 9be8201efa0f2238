// bAbI's text format: what is read, what is refused and with which line, splits, vocabulary, memories that are too
// short.
#include "quaver/data/babi.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <utility>

#include "quaver/data/test_support.h"

namespace quaver {
namespace {

using Words = std::vector<std::string>;

constexpr std::string_view kText =
    "1 Mary moved to the bathroom.\n2 Where is Mary? \tbathroom\t1\n3 John took the milk.\r\n"
    "4 What is John carrying?\tMilk,Football\t3 1\n\n1 Who?\tnobody\n";

TEST(Babi, ReadsFactsQuestionsAndSupportingFacts) {
  const std::vector<Story> stories = parse_stories(kText, "text");
  ASSERT_EQ(stories.size(), 2u);
  EXPECT_EQ(stories[0].facts,
            (std::vector<Words>{{"mary", "moved", "to", "the", "bathroom"}, {"john", "took", "the", "milk"}}));
  ASSERT_EQ(stories[0].questions.size(), 2u);
  EXPECT_EQ(stories[0].questions[0], (StoryQuestion{{"where", "is", "mary"}, "bathroom", 1, {0}}));
  EXPECT_EQ(stories[0].questions[1].answer, "milk,football") << "several words are one class";
  EXPECT_EQ(stories[0].questions[1].supporting, (std::vector<std::size_t>{1, 0})) << "line 3 is fact 1: no questions";
  EXPECT_TRUE(stories[1].facts.empty());
  EXPECT_EQ(stories[1].questions[0].facts, 0u);
}

TEST(Babi, AnswersOfSeveralWordsAreSpelledOneWay) {
  const auto answer = [](const std::string& text) {
    return parse_stories("1 What?\t" + text + "\n", "text")[0].questions[0].answer;
  };
  EXPECT_EQ(answer("milk,football"), "milk,football");
  EXPECT_EQ(answer("Milk, football"), "milk,football");
  EXPECT_EQ(answer("milk football"), "milk,football");
}

TEST(Babi, MalformedLinesAreRefusedByNumber) {
  const auto refused = [](const std::string& text, const std::string& line, const std::string& why) {
    const Error error = expect_error(ErrorKind::kBadInput, [&] { parse_stories(text, "qa.txt"); });
    EXPECT_TRUE(says(error, "qa.txt:" + line + ": ")) << error.what();
    EXPECT_TRUE(says(error, why)) << error.what();
  };
  refused("Mary moved.\n", "1", "starts with 'Mary'");
  refused("1 Mary moved.\n-2 John moved.\n", "2", "starts with '-2'");
  refused("99999999999999999999999 Mary moved.\n", "1", "number of the line");
  refused("2 Mary moved.\n", "1", "expected 1");
  refused("1 Mary moved.\n\n3 John moved.\n", "3", "expected 2 or 1");
  refused("1 Mary moved.\n2\n", "2", "no sentence");
  refused("1 Mary moved.\n2 ?\t yes\n", "2", "no sentence");
  refused("1 Mary moved.\n2 Where?\t\t1\n", "2", "without an answer");
  refused("1 Mary moved.\n2 Where?\tx\t1\t1\n", "2", "4 fields");
  for (const char* id : {"2", "0", "7", "x", "-1"})
    refused(std::string("1 Mary moved.\n2 Where?\tx\t") + id + "\n", "2", "supporting fact");
  refused("1 Mary moved.\n2 Where?\tx\t1\n3 Where?\tx\t2\n", "3", "supporting fact");
}

TEST(Babi, BytesThatAreNoTextAreRefusedByPlace) {
  const auto refused = [](const std::string& word, const std::string& why) {
    const Error error =
        expect_error(ErrorKind::kBadInput, [&] { parse_stories("1 Mary moved.\n2 A" + word + " moved.\n", "qa.txt"); });
    EXPECT_TRUE(says(error, "qa.txt:2: ") && says(error, why)) << error.what();
  };
  refused(std::string(1, '\0'), "byte 0 at place 4");
  refused("\x1b[1m", "byte 27");
  refused("\xe9", "byte 233");      // e acute in Latin-1
  refused("\xc3", "byte 195");      // half of it in UTF-8
  refused("\xc0\xaf", "byte 192");  // overlong
  refused("\xe0\x80\xaf", "byte 224");
  refused("\xed\xa0\x80", "byte 237");      // a surrogate
  refused("\xf4\x90\x80\x80", "byte 244");  // beyond Unicode
  for (const char* word : {"\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x8e\xb5"})
    EXPECT_EQ(parse_stories(std::string("1 ") + word + "\n", "qa.txt")[0].facts[0], Words{word});
  const Error cut = expect_error(ErrorKind::kBadInput, [] { parse_stories(std::string(500, 'x'), "qa.txt"); });
  EXPECT_LT(std::string(cut.what()).size(), 150u);
}

TEST(Babi, EmptyTextHasNoStories) { EXPECT_TRUE(parse_stories("", "text").empty()); }

TEST(Vocabulary, UnknownWordsAreNumberZero) {
  Vocabulary vocabulary({"", "mary", "moved"});
  EXPECT_EQ(vocabulary.find("moved"), 2);
  EXPECT_EQ(vocabulary.find("garden"), 0);
  EXPECT_EQ(vocabulary.add("mary"), 1);
  EXPECT_EQ(vocabulary.add("garden"), 3);
  EXPECT_EQ(vocabulary.size(), 4u);
  expect_error(ErrorKind::kBadInput, [] { Vocabulary({"mary"}); });
  expect_error(ErrorKind::kBadInput, [] { Vocabulary({"", "mary", "mary"}); });
  expect_error(ErrorKind::kBadInput, [] { Vocabulary({"", ""}); });
}

TEST(CodedStories, KeepsTheMostRecentFactsAndCountsTheOthers) {
  const std::vector<Story> stories =
      parse_stories("1 Who?\ta\n2 b.\n3 c d.\n4 e.\n5 Who f?\ta\t2\n6 Who?\tzebra\t2\n", "text");
  Vocabulary vocabulary({"", "a", "b", "c", "e", "who", "f"});
  const CodedStories coded(stories, vocabulary, 2);
  ASSERT_EQ(coded.questions().size(), 3u);
  EXPECT_TRUE(coded.questions()[0].facts.empty());
  const auto& question = coded.questions()[1];
  ASSERT_EQ(question.facts.size(), 2u);
  EXPECT_TRUE(std::ranges::equal(question.facts[0], std::vector{3, 0})) << "d was never seen";
  EXPECT_TRUE(std::ranges::equal(question.facts[1], std::vector{4}));
  EXPECT_TRUE(std::ranges::equal(question.words, std::vector{5, 6}));
  EXPECT_EQ(question.answer, 1);
  EXPECT_EQ(coded.questions()[2].answer, 0);
  EXPECT_EQ(coded.counts().facts_dropped, 2u);
  EXPECT_EQ(coded.counts().stories_cut, 2u);
  EXPECT_EQ(coded.counts().words_unknown, 1u);
  EXPECT_EQ(coded.counts().answers_unknown, 1u);
  EXPECT_EQ(coded.counts().empty_memories, 1u);
  EXPECT_EQ(coded.longest_sentence(), 2u);
  expect_error(ErrorKind::kUsage, [&] { CodedStories(stories, vocabulary, 0); });
}

std::string lines_of(std::size_t questions) {
  std::string text = "1 Mary moved.\n";
  for (std::size_t i = 0; i < questions; ++i) text += std::to_string(i + 2) + " Where?\tx\t1\n";
  return text;
}

TEST(StoryTasks, ReadsArchivesAndFoldersAndSplitsByQuestions) {
  for (const bool packed : {true, false}) {
    const TemporaryFolder folder;
    const std::string inside = "tasks_1-20_v1-2/en/";
    std::map<std::string, std::string> files{{inside + "qa1_one_train.txt", lines_of(25)},
                                             {inside + "qa1_one_test.txt", lines_of(4)},
                                             {inside + "qa12_other_train.txt", "broken"}};
    if (packed)
      write_archive(folder.path() / "babi/babi_v1-2_en.tar.xz", files);
    else
      for (const auto& [name, text] : files) write_file(folder.path() / "babi" / name, text);
    StoryOptions options{.tasks = "1", .set = "en", .data_dir = folder.path()};
    const std::vector<StoryTask> tasks = load_story_tasks("babi", options);
    ASSERT_EQ(tasks.size(), 1u);
    EXPECT_EQ(tasks[0].number, 1u);
    EXPECT_EQ(tasks[0].name, "qa1_one");
    EXPECT_EQ(tasks[0].train[0].questions.size(), 23u);
    EXPECT_EQ(tasks[0].validation[0].questions.size(), 2u);
    EXPECT_EQ(tasks[0].test[0].questions.size(), 4u);
    options.limit = 3;
    EXPECT_EQ(load_story_tasks("babi", options)[0].train[0].questions.size(), 3u);
    options.tasks = "12";
    EXPECT_TRUE(says(expect_error(ErrorKind::kBadInput, [&] { load_story_tasks("babi", options); }),
                     "qa12_other_train.txt:1: "));
    options.tasks = "2";
    EXPECT_TRUE(says(expect_error(ErrorKind::kBadInput, [&] { load_story_tasks("babi", options); }), "qa2_*_train"));
  }
}

TEST(StoryTasks, MissingDataSaysWhatIsNeeded) {
  const TemporaryFolder folder;
  const Error error =
      expect_error(ErrorKind::kBadInput, [&] { load_story_tasks("babi", {.data_dir = folder.path()}); });
  for (const char* part : {"babi/babi_v1-2_en-10k.tar.xz", "--data DIR", "QUAVER_DATA", "Weston"})
    EXPECT_TRUE(says(error, part));
}

TEST(StoryTasks, WrongOptionsAreUsageErrors) {
  for (const char* tasks : {"0", "21", "", "one", "3-1", "1,", "1-"})
    expect_error(ErrorKind::kUsage, [&] { load_story_tasks("stories", {.tasks = tasks}); });
  EXPECT_TRUE(says(expect_error(ErrorKind::kUsage, [] { load_story_tasks("stories", {.tasks = "4"}); }), "no task 4"));
  expect_error(ErrorKind::kUsage, [] { load_story_tasks("babi", {.set = "fr"}); });
  expect_error(ErrorKind::kUsage, [] { load_story_tasks("tales", {}); });
}

TEST(StoryTasks, RealDataHasItsPublishedSizes) {
  const std::string file = "babi/babi_v1-2_en.tar.xz";
  const auto folder = real_data(file);
  if (!folder) GTEST_SKIP() << skip_text(file);
  const std::vector<StoryTask> tasks = load_story_tasks("babi", {.tasks = "all", .set = "en", .data_dir = folder});
  ASSERT_EQ(tasks.size(), 20u);
  // Questions of the test files with more than 50 facts before them, and these facts: counted with awk.
  const std::map<std::size_t, std::pair<std::size_t, std::size_t>> kDropped{
      {2, {6, 176}}, {3, {387, 12922}}, {5, {41, 464}}, {8, {2, 14}}};
  const Vocabulary vocabulary = story_vocabulary(tasks);
  for (const StoryTask& task : tasks) {
    EXPECT_EQ(CodedStories(task.train, vocabulary, 50).questions().size(), 900u) << task.name;
    EXPECT_EQ(CodedStories(task.validation, vocabulary, 50).questions().size(), 100u) << task.name;
    const CodedStories test(task.test, vocabulary, 50);
    EXPECT_EQ(test.questions().size(), 1000u) << task.name;
    EXPECT_EQ(test.counts().words_unknown + test.counts().answers_unknown, 0u) << task.name;
    const auto dropped = kDropped.find(task.number);
    EXPECT_EQ(test.counts().stories_cut, dropped == kDropped.end() ? 0u : dropped->second.first) << task.name;
    EXPECT_EQ(test.counts().facts_dropped, dropped == kDropped.end() ? 0u : dropped->second.second) << task.name;
  }
}

TEST(StoryTasks, TaskThreeOfTheLargeSetTakesTheSmallTrainingFile) {
  const std::string file = "babi/babi_v1-2_en-10k.tar.xz";
  const auto folder = real_data(file);
  if (!folder) GTEST_SKIP() << skip_text(file);
  const std::vector<StoryTask> tasks = load_story_tasks("babi", {.tasks = "2-3", .data_dir = folder});
  ASSERT_EQ(tasks.size(), 2u);
  EXPECT_FALSE(tasks[0].small_train);
  EXPECT_TRUE(tasks[1].small_train);
  const Vocabulary vocabulary = story_vocabulary(tasks);
  EXPECT_EQ(CodedStories(tasks[0].train, vocabulary, 50).questions().size(), 9000u);
  EXPECT_EQ(CodedStories(tasks[1].train, vocabulary, 50).questions().size(), 900u);
}

TEST(StoryFolder, HoldsTasksOfOnesOwn) {
  const TemporaryFolder folder;
  const auto error_of = [&](const StoryOptions& options, ErrorKind kind = ErrorKind::kBadInput) {
    return expect_error(kind, [&] { load_story_tasks("babi:" + folder.path().string(), options); });
  };
  EXPECT_TRUE(says(error_of({}), "there is no file qaN_NAME_train.txt with N from 1 to 20"));
  std::string train;
  for (int i = 0; i < 20; ++i) train += "1 Ann is here.\n2 Where is Ann?\there\t1\n";
  write_file(folder.path() / "qa7_kitchen_train.txt", train);
  EXPECT_TRUE(says(error_of({.tasks = "7"}), "holds no file qa7_*_test.txt; is the copy complete?"));
  write_file(folder.path() / "qa7_kitchen_test.txt", train);
  write_file(folder.path() / "notes.txt", "no task");
  const std::vector<StoryTask> tasks = load_story_tasks("babi:" + folder.path().string(), {.tasks = "all"});
  ASSERT_EQ(tasks.size(), 1u);
  EXPECT_EQ(tasks[0].name, "qa7_kitchen");
  EXPECT_EQ(tasks[0].train.size(), 18u);
  EXPECT_EQ(tasks[0].validation.size(), 2u);
  EXPECT_EQ(tasks[0].test.size(), 20u);
  EXPECT_TRUE(says(error_of({.tasks = "1"}, ErrorKind::kUsage), "there is no task 1; the tasks are 7"));
  EXPECT_TRUE(says(error_of({.tasks = "7", .max_memory = 1000}), "have 1"));
  write_file(folder.path() / "qa7_kitchen_test.txt", "1 Ann is here.\n3 Where is Ann?\there\n");
  EXPECT_TRUE(says(error_of({.tasks = "7"}), "qa7_kitchen_test.txt:2: this line has number 3, expected 2 or 1"));
}

TEST(StoryFolder, PackedFilesAreRead) {
  const TemporaryFolder folder;
  std::string train;
  for (int i = 0; i < 20; ++i) train += "1 Ann is here.\n2 Where is Ann?\there\t1\n";
  write_xz(folder.path() / "qa7_kitchen_train.txt.xz", train);
  write_file(folder.path() / "qa7_kitchen_test.txt", train);
  const std::string name = "babi:" + folder.path().string();
  EXPECT_TRUE(is_story_task(name));
  EXPECT_EQ(story_task_numbers(name, "all"), std::vector<std::size_t>{7});
  const std::vector<StoryTask> tasks = load_story_tasks(name, {.tasks = "7"});
  EXPECT_EQ(tasks[0].train.size(), 18u);
  write_xz(folder.path() / "qa7_kitchen_test.txt.xz", train);
  EXPECT_TRUE(says(expect_error(ErrorKind::kBadInput, [&] { load_story_tasks(name, {.tasks = "7"}); }),
                   "'qa7_kitchen_test.txt' is there twice, plain or packed"));
}

}  // namespace
}  // namespace quaver
