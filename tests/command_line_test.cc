// What the program does with command lines, streams and names that are wrong or hostile: refused before any work, with
// the flag and what was expected, and nothing lost. Tables of whole command lines; what verbs do when all is well has
// tests of its own.
#include <gtest/gtest.h>

#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "quaver/core/random.h"
#include "quaver/io/model_file/memory_file.h"
#include "quaver/io/model_file/model_file.h"
#include "quaver/model/sample_models.h"
#include "quaver/npz/npz.h"
#include "support/built_programs.h"
#include "support/places.h"
#include "support/program.h"

namespace quaver {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kFeatures = 4, kSteps = 6;

Model small_model(const std::string& name) {
  Model model;
  model.name = name;
  model.inputs = {{"input", {{kFeatures}, true, {}}}};
  samples::append(model, "gru0", GruAttributes{.input_size = kFeatures, .hidden_size = 5}, "f32", {});
  samples::fill_tensors(model, 5);
  model.outputs = {"gru0"};
  return model;
}

MemoryNetwork small_network(const std::string& scheme) {
  MemoryNetwork network;
  network.name = "story";
  network.words = {"", "garden", "is", "mary", "the", "to", "went", "where"};
  network.shape = {.vocabulary = network.words.size(), .memory = 5, .d = 6, .hops = 2, .sentence = 5};
  network.scheme = memory_scheme_from_name(scheme);
  Random random(12);
  network.parameters.resize(parameter_count(network.shape));
  for (float& value : network.parameters) value = static_cast<float>(0.4 * random.normal());
  return network;
}

struct Refusal {
  std::string arguments;
  std::vector<std::string> words;  // of the message
};

class CommandLineTest : public testing_support::ProgramTest {
 protected:
  CommandLineTest() : ProgramTest("quaver_command_line") {
    save(small_model("small"), path("m.safetensors"));
    save(small_network("f32"), path("n.safetensors"));
    save(small_network("qmann8"), path("q.safetensors"));
    Random random(3);
    std::vector<float> values(static_cast<std::size_t>(2 * kSteps * kFeatures));
    for (float& value : values) value = static_cast<float>(random.uniform(-1, 1));
    write_npz(path("x.npz"), {{"x", NpzArray::from<float>({2, kSteps, kFeatures}, values)}});
    write("story.txt", "1 Mary went to the garden.\n2 Where is Mary?\tgarden\t1\n");
    write("talk.txt", "Mary went to the garden.\nWhere is Mary?\n");
  }
  std::vector<std::string> listing() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(path(""))) names.push_back(entry.path().filename().string());
    std::erase_if(names, [](const std::string& name) { return name.starts_with(".std"); });
    std::ranges::sort(names);
    return names;
  }
  // Each is refused as a wrong command line, and neither makes nor changes a file.
  void expect_refusals(const std::vector<Refusal>& refusals, int exit_code = 2) const {
    const std::vector<std::string> before = listing();
    const std::string model = read("m.safetensors"), network = read("n.safetensors"), x = read("x.npz");
    for (const Refusal& refusal : refusals) expect_failure(exit_code, refusal.arguments, refusal.words);
    EXPECT_EQ(listing(), before);
    EXPECT_EQ(read("m.safetensors"), model);
    EXPECT_EQ(read("n.safetensors"), network);
    EXPECT_EQ(read("x.npz"), x);
  }
};

// ---- streams
// ---------------------------------------------------------------------------------------------------------

TEST_F(CommandLineTest, MessagesThatCannotBeWrittenChangeNothing) {
  for (const std::string lost : {"2>/dev/full", "2>&-"}) {
    EXPECT_EQ(shell("$quaver inspect none.safetensors >out " + lost), 3) << lost;
    EXPECT_EQ(shell("$quaver inspect --nothing >out " + lost), 2) << lost;
    EXPECT_EQ(shell("$quaver quantize m.safetensors --calib x.npz -o i.safetensors >out " + lost), 0) << lost;
    EXPECT_TRUE(fs::remove(path("i.safetensors"))) << lost;
    EXPECT_EQ(shell("echo 'Who is Zoe?' | $quaver run q.safetensors >out " + lost), 0) << lost;  // two warnings
  }
}

TEST_F(CommandLineTest, AnswersThatCannotBeWrittenAreAFailure) {
  for (const std::string lost : {">/dev/full", ">&-"})
    for (const std::string arguments :
         {"--help", "--version", "train --help", "inspect m.safetensors", "inspect m.safetensors --json",
          "run q.safetensors --input talk.txt", "run q.safetensors --input talk.txt --json",
          "run m.safetensors --input x.npz -o y.npz"}) {
      EXPECT_EQ(shell("$quaver " + arguments + " 2>err " + lost), 1) << arguments << lost;
      EXPECT_NE(read("err").find("standard output"), std::string::npos) << arguments << lost << read("err");
    }
}

TEST_F(CommandLineTest, FilesDoNotTakeThePlaceOfClosedStreams) {
  ASSERT_EQ(run("run m.safetensors --input x.npz -o y.npz").exit_code, 0);
  EXPECT_EQ(shell("$quaver run m.safetensors --input x.npz -o z.npz <&- >&- 2>&-"), 1);
  EXPECT_EQ(read("z.npz"), read("y.npz"));
  EXPECT_EQ(shell("$quaver run m.safetensors --nothing <&- >&- 2>&-"), 2);
}

// ---- files
// -----------------------------------------------------------------------------------------------------------

TEST_F(CommandLineTest, OutputsDoNotReplaceInputsOrEachOther) {
  fs::create_directory(path("folder"));
  fs::create_symlink("m.safetensors", path("link.safetensors"));
  fs::create_hard_link(path("x.npz"), path("hard.npz"));
  fs::create_symlink(path(""), path("folder/up"));
  expect_refusals(
      {{"run m.safetensors --input x.npz -o x.npz", {"--output", "--input", "x.npz"}},
       {"run m.safetensors --input x.npz -o hard.npz", {"--output", "--input", "hard.npz", "x.npz"}},
       {"run m.safetensors --input x.npz -o ./folder/../x.npz", {"--output", "--input"}},
       {"run m.safetensors --input x.npz -o folder/up/x.npz", {"--output", "--input"}},
       {"run m.safetensors --input x.npz -o m.safetensors", {"--output", "MODEL"}},
       {"run m.safetensors --input x.npz -o y.npz --save-state y.npz", {"--output", "--save-state"}},
       {"run m.safetensors --input x.npz -o y.npz --save-state folder/up/y.npz", {"--save-state", "y.npz"}},
       {"run m.safetensors --input x.npz -o y.npz --save-state x.npz", {"--save-state", "--input"}},
       {"run n.safetensors --input talk.txt --save-state n.safetensors", {"--save-state", "MODEL"}},
       {"run n.safetensors --input talk.txt --save-state talk.txt", {"--save-state", "--input"}},
       {"quantize m.safetensors --calib x.npz -o m.safetensors", {"--output", "IN"}},
       {"quantize link.safetensors --calib x.npz -o m.safetensors", {"--output", "IN"}},
       {"quantize m.safetensors --calib x.npz -o link.safetensors", {"--output", "IN"}},
       {"quantize m.safetensors --calib x.npz -o r.safetensors --calib-report r.safetensors",
        {"--calib-report", "--output"}},
       {"quantize m.safetensors --calib x.npz -o r.safetensors --calib-report x.npz", {"--calib-report", "--calib"}},
       {"quantize n.safetensors --calib stories --questions 20 -o n.safetensors", {"--output", "IN"}},
       {"convert m.safetensors -o m.safetensors", {"--output", "IN"}},
       {"train chirps --checkpoint c.safetensors -o c.safetensors", {"--checkpoint", "--output"}},
       {"train stories --warm-start n.safetensors -o n.safetensors", {"--output", "--warm-start"}},
       {"train stories --checkpoint c.safetensors -o c.safetensors", {"--checkpoint", "--output"}}});
}

// Of a folder every file in it is data.
TEST_F(CommandLineTest, NoOutputIsDataOfOnesOwn) {
  fs::create_directories(path("sounds/a/deep"));
  fs::create_directory(path("tales"));
  write("tales/qa1_one_train.txt", "story");
  fs::create_hard_link(path("tales/qa1_one_train.txt"), path("tale.safetensors"));
  write("sounds/a/deep/one.wav", "sound");
  write("sounds/a/model.safetensors", "older");
  write("rows.safetensors", "a,b");
  write("rows.curve.svg", "a,b");
  fs::create_symlink("rows.safetensors", path("soft.safetensors"));
  fs::create_hard_link(path("sounds/a/deep/one.wav"), path("hard.safetensors"));
  fs::create_symlink("sounds", path("linked"));
  expect_refusals(
      {{"train csv:rows.safetensors -o rows.safetensors", {"--output", "csv:rows.safetensors"}},
       {"train csv:rows.safetensors -o soft.safetensors", {"--output", "csv:rows.safetensors"}},
       {"train csv:rows.curve.svg -o rows.safetensors", {"learning curve of --output", "csv:rows.curve.svg"}},
       {"train text:rows.safetensors -o t.safetensors --checkpoint rows.safetensors", {"--checkpoint", "text:rows"}},
       {"train wav:sounds -o t.safetensors --checkpoint sounds/a/deep/one.wav", {"--checkpoint", "wav:sounds"}},
       {"train wav:sounds -o hard.safetensors", {"--output hard", "wav:sounds reads (sounds/a/deep/one.wav)"}},
       {"train wav:linked -o sounds/a/model.safetensors", {"--output", "wav:linked"}},
       {"train babi:tales -o tale.safetensors", {"--output", "babi:tales"}},
       {"quantize m.safetensors --calib csv:rows.safetensors -o rows.safetensors", {"--output", "csv:rows"}},
       {"quantize m.safetensors --calib wav:sounds -o q.safetensors --calib-report sounds/a/deep/one.wav",
        {"--calib-report", "wav:sounds"}},
       {"quantize n.safetensors --calib babi:tales -o tale.safetensors", {"--output", "babi:tales"}}});
}

// They would be written after the work, to whoever reads a pipe then.
TEST_F(CommandLineTest, ModelsAreFiles) {
  ASSERT_EQ(::mkfifo(path("pipe.safetensors").c_str(), 0600), 0);
  ASSERT_EQ(::mkfifo(path("t.curve.svg").c_str(), 0600), 0);
  expect_refusals({{"train chirps -o pipe.safetensors", {"--output pipe.safetensors", "pipe"}},
                   {"train stories -o pipe.safetensors", {"--output pipe.safetensors", "pipe"}},
                   {"train chirps -o t.safetensors", {"learning curve", "t.curve.svg", "pipe"}},
                   {"train chirps -o u.safetensors --checkpoint pipe.safetensors", {"--checkpoint", "pipe"}},
                   {"quantize m.safetensors --calib x.npz -o pipe.safetensors", {"--output", "pipe"}},
                   {"convert m.safetensors -o pipe.safetensors", {"--output", "pipe"}}});
}

TEST_F(CommandLineTest, ACheckpointIsNotOverwritten) {
  const std::string train =
      "train stories --tasks 1 --questions 60 --epochs 3 --threads 1 --checkpoint c -o n2.safetensors";
  ASSERT_EQ(run(train).exit_code, 0);
  const std::string kept = read("c");
  expect_refusals({{train, {"c: ", "3 epochs", "--resume", "remove it"}},
                   {"train chirps -o t.safetensors --checkpoint c", {"c: ", "3 epochs", "--resume"}},
                   {"train chirps -o t.safetensors --checkpoint x.npz", {"x.npz: ", "no checkpoint", "--checkpoint"}}});
  EXPECT_EQ(read("c"), kept);
}

TEST_F(CommandLineTest, AStateMayBeReplacedByTheOneAfterIt) {
  const std::string arguments = "run m.safetensors --input x.npz -o y.npz ";
  ASSERT_EQ(run(arguments + "--save-state s.npz").exit_code, 0);
  const std::string first = read("s.npz");
  ASSERT_EQ(run(arguments + "--state s.npz --save-state s2.npz").exit_code, 0);
  ASSERT_EQ(run(arguments + "--state s.npz --save-state s.npz").exit_code, 0);
  EXPECT_NE(read("s.npz"), first);
  EXPECT_EQ(read("s.npz"), read("s2.npz"));
  expect_failure(2, "run m.safetensors --input x.npz --state s.npz -o s.npz", {"--output", "--state"});
  // Nothing of a device's is replaced.
  EXPECT_EQ(run("run m.safetensors --input x.npz -o /dev/null --save-state /dev/null").exit_code, 0);
}

TEST_F(CommandLineTest, OutputsAreTriedBeforeTheWork) {
  fs::create_directory(path("folder.safetensors"));
  fs::create_directory(path("folder.npz"));
  fs::create_symlink("circle.npz", path("circle.npz"));
  write("file", "");
  const std::string long_name = std::string(252, 'a') + ".npz", long_model = std::string(244, 'a') + ".safetensors";
  expect_refusals(
      {{"run m.safetensors --input x.npz -o folder.npz", {"--output", "folder.npz", "a folder"}},
       {"run m.safetensors --input x.npz -o nowhere/y.npz", {"--output", "'nowhere'", "no folder"}},
       {"run m.safetensors --input x.npz -o file/y.npz", {"--output", "'file'"}},
       {"run m.safetensors --input x.npz -o circle.npz", {"--output", "circle.npz"}},
       {"run m.safetensors --input x.npz -o " + long_name, {"--output", "too long"}},
       {"run m.safetensors --input x.npz -o y.npz --save-state nowhere/s.npz", {"--save-state", "'nowhere'"}},
       {"quantize m.safetensors --calib x.npz -o " + long_model, {"--output", "too long"}},
       {"quantize m.safetensors --calib x.npz -o i.safetensors --calib-report nowhere/r", {"--calib-report"}},
       {"convert m.safetensors -o nowhere/c.safetensors", {"--output", "'nowhere'"}},
       {"bench --save nowhere/b", {"--save", "'nowhere'"}},
       {"bench --cell memn2n --save nowhere/b", {"--save", "'nowhere'"}},
       {"demo --keep nowhere", {"--keep", "'nowhere'"}},
       {"train chirps -o folder.safetensors", {"--output", "a folder"}},
       {"train chirps -o nowhere/t.safetensors", {"--output", "'nowhere'"}},
       {"train chirps -o t.safetensors --checkpoint nowhere/c", {"--checkpoint", "'nowhere'"}},
       {"train chirps -o " + std::string(235, 'a') + ".safetensors", {"checkpoint", "too long"}},
       {"train stories -o folder.safetensors", {"--output", "a folder"}},
       {"train stories --tasks 1,2 -o nowhere/t.safetensors", {"--output", "t.qa1.safetensors"}},
       {"reproduce qmann --task stories --quick --save nowhere/r", {"--save", "'nowhere'"}}},
      1);
}

TEST_F(CommandLineTest, NamesThatAreNoUtf8) {
  const std::vector<std::string> before = listing();
  for (const std::string arguments :
       {"train chirps -o 'a\xff.safetensors'", "train stories -o 'a\xff.safetensors'",
        "quantize m.safetensors --calib x.npz -o 'a\xff.safetensors'",
        "quantize n.safetensors --calib stories --questions 20 -o 'a\xff.safetensors'",
        "run m.safetensors --input x.npz -o 'a\xff.npz'", "convert m.safetensors -o 'a\xff.safetensors'"})
    expect_failure(2, arguments, {"--output", "UTF-8"});
  EXPECT_EQ(listing(), before);
  // As an input it is taken; what is written about it has the bytes replaced.
  fs::copy_file(path("m.safetensors"), path("b\xff.safetensors"));
  fs::copy_file(path("n.safetensors"), path("c\xff.safetensors"));
  EXPECT_EQ(run("quantize b?.safetensors --calib x.npz -o i.safetensors --json").exit_code, 0);
  EXPECT_EQ(run_json("inspect i.safetensors")["provenance"]["quantize_command"],
            "quaver quantize b?.safetensors --calib x.npz -o i.safetensors --json");
  EXPECT_EQ(run("quantize c?.safetensors --calib stories --questions 20 -o j.safetensors --json").exit_code, 0);
  EXPECT_EQ(run_json("inspect b?.safetensors")["model"], "small");
}

// ---- numbers
// ---------------------------------------------------------------------------------------------------------

TEST_F(CommandLineTest, NumbersAreInTheirRange) {
  struct Flag {
    std::string before, flag, range;
  };
  const std::vector<Flag> counts{
      {"eval m.safetensors chirps", "--limit", "0 to 1,000,000,000"},
      {"eval m.safetensors chirps", "--seed", "0 to 9,223,372,036,854,775,807"},
      {"eval n.safetensors stories", "--questions", "20 to 1,000,000"},
      {"eval m.safetensors chirps", "--threads", "0 to 1,024"},
      {"compare m.safetensors m.safetensors --input x.npz", "--limit", "0 to 1,000,000,000"},
      {"run n.safetensors", "--memory", "1 to 2,147,483,648"},
      {"quantize m.safetensors -o i.safetensors --calib x.npz", "--calib-limit", "0 to 1,0"},
      {"quantize n.safetensors -o i.safetensors --calib stories", "--bits", "2 to 15"},
      {"quantize n.safetensors -o i.safetensors --calib stories", "--integer-bits", "0 to 14"},
      {"inspect n.safetensors", "--facts", "1 to 16,777,216"},
      {"inspect n.safetensors", "--words", "1 to 4,096"},
      {"inspect n.safetensors --input story.txt", "--limit", "0 to 1,000,000,000"},
      {"train chirps -o t.safetensors", "--hidden", "1 to 65,536"},
      {"train chirps -o t.safetensors", "--layers", "1 to 64"},
      {"train chirps -o t.safetensors", "--projection", "0 to 65,536"},
      {"train chirps -o t.safetensors", "--epochs", "1 to 65,536"},
      {"train chirps -o t.safetensors", "--batch", "1 to 65,536"},
      {"train chirps -o t.safetensors", "--limit", "0 to 1,000,000,000"},
      {"train chirps -o t.safetensors", "--patience", "0 to 65,536"},
      {"train chirps -o t.safetensors", "--seed", "0 to 9,223,372,036,854,775,807"},
      {"train wav:sounds -o t.safetensors", "--sample-rate", "1,000 to 192,000"},
      {"train csv:log.csv -o t.safetensors", "--window", "1 to 1,000,000"},
      {"train csv:log.csv -o t.safetensors", "--horizon", "1 to 1,000,000"},
      {"train lm:a.txt -o t.safetensors", "--vocabulary", "2 to 10,000,000"},
      {"train stories -o t.safetensors", "--data-seed", "0 to 9,223,372,036,854,775,807"},
      {"train stories -o t.safetensors", "--repeats", "1 to 1,000"},
      {"train stories -o t.safetensors", "--hops", "1 to 6"},
      {"train stories -o t.safetensors", "--memory", "1 to 1,000,000"},
      {"train stories -o t.safetensors", "--linear-epochs", "0 to 65,536"},
      {"train stories -o t.safetensors", "--halve-every", "0 to 65,536"},
      {"train stories -o t.safetensors", "--questions", "20 to 1,000,000"},
      {"bench", "--hidden", "1 to 65,536"},
      {"bench", "--input-size", "0 to 65,536"},
      {"bench", "--projection", "0 to 65,536"},
      {"bench", "--steps", "1 to 65,536"},
      {"bench", "--repetitions", "1 to 100,000"},
      {"bench", "--seed", "0 to 9,223,372,036,854,775,807"},
      {"bench --cell memn2n", "--facts", "1 to 10,000,000"},
      {"reproduce qmann --task stories", "--questions", "20 to 1,000,000"},
      {"reproduce qmann", "--seeds", "1 to 1,000"},
      {"reproduce qmann", "--epochs", "0 to 65,536"},
      {"demo", "--questions", "20 to 1,000,000"},
      {"demo", "--seed", "0 to 9,223,372,036,854,775,807"}};
  std::vector<Refusal> refusals;
  for (const Flag& flag : counts)
    for (const std::string value : {"-5", "99999999999999999999999"})
      refusals.push_back({flag.before + " " + flag.flag + " " + value, {flag.flag, "'" + value + "'", flag.range}});
  for (const std::string value : {"''", "+5", "5x", "' 5'", "0x10", "1e3", "nan", "5.0", "18446744073709551616"})
    refusals.push_back({"eval m.safetensors chirps --limit " + value, {"--limit", "whole number"}});
  refusals.push_back({"eval m.safetensors chirps --limit=", {"--limit="}});
  refusals.push_back({"bench --hidden 64,-3", {"--hidden", "'-3'"}});
  for (const std::string flag : {"--clip", "--dropout", "--learning-rate", "--weight-decay", "--time-stretch"})
    for (const std::string value : {"nan", "inf", "-1", "''", "1e30", "0.1x"})
      refusals.push_back({"train chirps -o t.safetensors " + flag + " " + value, {flag, " to "}});
  refusals.push_back({"train stories -o t.safetensors --noise nan", {"--noise", "'nan'", "0 to 10"}});
  refusals.push_back(
      {"quantize m.safetensors -o i.safetensors --calib x.npz --calib-method percentile --percentile 101",
       {"--percentile", "'101'", " to 100"}});
  for (const std::string value : {"-5", "0", "5.5G", "99999999999G", "x"})
    refusals.push_back({"eval m.safetensors chirps --max-memory " + value, {"--max-memory", "'" + value + "'", "4G"}});
  refusals.push_back({"train stories -o t.safetensors --temporal ''", {"--temporal", "true or false"}});
  expect_refusals(refusals);
}

TEST_F(CommandLineTest, SizesWhoseProductNoMemoryHolds) {
  expect_refusals({{"bench --hidden 65536 --input-size 65536", {"weights", "1,073,741,824"}},
                   {"bench --projection 65536 --hidden 65536", {"weights"}},
                   {"bench --hidden 8 --steps 65536 --batch 65536", {"frames"}},
                   {"bench --cell memn2n --facts 10000000 --embedding 4096", {"numbers"}},
                   {"train stories --memory 1000000 --embedding 4096 -o t.safetensors",
                    {"1000000 facts", "4294967296 bytes", "--max-memory"}},
                   {"train stories --max-memory 1K -o t.safetensors", {"1024 bytes", "--max-memory"}}});
}

// ---- flags
// -----------------------------------------------------------------------------------------------------------

TEST_F(CommandLineTest, UnknownWordsComeFirst) {
  expect_refusals({{"bench --input 64", {"'--input'", "'--input-size'"}},
                   {"bench m.safetensors --cell gru --input 64", {"'--input'"}},
                   {"train --hiden 4", {"'--hiden'", "'--hidden'"}},
                   {"train --epochs x --hiden 4", {"'--hiden'"}},
                   {"train storys --hiden 4 --layrs 2 -o t.safetensors", {"'--hiden'"}},
                   {"quantize m.safetensors --shceme int8", {"'--shceme'", "'--scheme'"}},
                   {"run m.safetensors -output y.npz --input x.npz", {"'-output'", "'--output'"}},
                   {"run m.safetensors -x y.npz", {"'-x'"}},
                   {"eval m.safetensors chirps more", {"'more'", "model and task"}},
                   {"inspect m.safetensors n.safetensors --nothing", {"'n.safetensors'", "model"}},
                   {"bench --note=1", {"'--note'"}},
                   {"--jsn inspect m.safetensors", {"'--jsn'", "before a verb"}},
                   {"trian chirps", {"'trian'", "'train'"}},
                   {"train storys -o t.safetensors", {"'storys'", "'stories'", "chirps", "digits", "har", "babi"}},
                   {"eval m.safetensors storys", {"'storys'", "'stories'", "chirps", "babi"}},
                   {"convert m.safetensors -o c.safetensors --head lats", {"'lats'", "'last'"}}});
}

// Left out, an empty entry would be work that was asked for and not done.
TEST_F(CommandLineTest, NamesAreNotEmpty) {
  expect_refusals({{"run m.safetensors --input x.npz -o y.npz --state ''", {"--state '': the value is empty"}},
                   {"run m.safetensors --input x.npz -o y.npz --save-state=", {"--save-state="}},
                   {"quantize m.safetensors --calib x.npz -o i.safetensors --calib-report ''", {"--calib-report"}},
                   {"train stories -o t.safetensors --tasks ''", {"--tasks '': the value is empty"}},
                   {"eval m.safetensors chirps --data ''", {"--data"}}});
}

TEST_F(CommandLineTest, ListsHaveNoEmptyEntries) {
  std::vector<Refusal> refusals;
  const std::vector<std::pair<std::string, std::string>> lists{{"bench --hidden", "64"},
                                                               {"bench --steps", "1"},
                                                               {"bench --batch", "1"},
                                                               {"bench --streams", "1"},
                                                               {"bench --cell", "gru"},
                                                               {"bench --cell gru --reset", "after"},
                                                               {"bench --scheme", "int8"},
                                                               {"bench --frames", "codes"},
                                                               {"bench --preset", "kws"},
                                                               {"bench --peers --peer", "onednn"},
                                                               {"bench --cell memn2n --facts", "10"},
                                                               {"demo --cell", "gru"},
                                                               {"reproduce qmann --task stories --rows", "f32"}};
  for (const auto& [flag, value] : lists) {
    const std::string name = flag.substr(flag.rfind(' ') + 1);
    for (const std::string& list :
         {value + ",," + value, value + ",", "," + value, value + ", ," + value, std::string()})
      for (const std::string between : {" ", "="}) {
        if (list.empty() && between == "=") continue;
        refusals.push_back({flag + between + "'" + list + "'", {name, "'" + list + "'", "is empty", "comma"}});
      }
  }
  for (const std::string list : {"1,,2", "1,", ",1"})
    refusals.push_back({"train stories -o t.safetensors --tasks '" + list + "'", {"'" + list + "'", "'' is no task"}});
  refusals.push_back({"reproduce qmann --task stories --tasks 1,", {"'1,'", "'' is no task"}});
  expect_refusals(refusals);
}

TEST_F(CommandLineTest, FlagsWithoutEffectAreRefused) {
  const std::string train = "train chirps -o t.safetensors ", stories = "train stories -o t.safetensors ";
  const std::string quantize = "quantize m.safetensors --calib x.npz -o i.safetensors ";
  const std::string quantize_memory = "quantize n.safetensors --calib stories -o i.safetensors ";
  expect_refusals({{"train chirps --group x -o t.safetensors", {"--group", "recordings"}},
                   {"train wav:sounds --label x -o t.safetensors", {"--label", "tables", "'wav:sounds'"}},
                   {"train csv:log.csv --tokens word -o t.safetensors", {"--tokens", "texts"}},
                   {"train text:a.tsv --window 3 -o t.safetensors", {"--window", "running text"}},
                   {"train npz:a.npz --data . -o t.safetensors", {"--data", "tasks"}},
                   {"train wav: -o t.safetensors", {"'wav:'", "wav:PATH"}},
                   {"train chirps -o t.safetensors --data .", {"--data", "chirps", "generated"}},
                   {"train stories -o t.safetensors --data .", {"--data", "stories", "generated"}},
                   {"train npz:a.npz -o t.safetensors --missing error", {"--missing", "tables"}},
                   {"train npz:a.npz -o t.safetensors --skip-broken", {"--skip-broken", "recordings, tables"}},
                   {"train csv:log.csv -o t.safetensors --data-seed 2", {"--data-seed", "drawn", "csv:log.csv"}},
                   {"train lm:a.txt -o t.safetensors --data-seed 2", {"--data-seed", "drawn"}},
                   {"train csv:log.csv -o t.safetensors --label x --horizon 24", {"--horizon", "--label"}},
                   {"train wave:log -o t.safetensors", {"'wave:log'", "wav:PATH"}},
                   {quantize + "--calib-method percentile --percentile 50", {"--percentile", "above 50"}},
                   {"run m.safetensors --input x.npz -o y.npz --skip-broken", {"--skip-broken", "folders"}},
                   {"eval m.safetensors digits --skip-broken", {"--skip-broken", "KIND:PATH"}},
                   {train + "--cell gru --projection 3", {"--projection", "lstm", "gru"}},
                   {train + "--cell rnn --cifg", {"--cifg", "lstm", "rnn"}},
                   {train + "--cell gru --clip 3", {"--clip", "lstm"}},
                   {train + "--projection-clip 3", {"--projection-clip", "--projection"}},
                   {train + "--reset before", {"--reset", "gru", "lstm"}},
                   {train + "--cell gru --nonlinearity relu", {"--nonlinearity", "rnn"}},
                   {train + "--embedding 8", {"--embedding", "chirps"}},
                   {train + "--tasks 2", {"--tasks", "chirps"}},
                   {train + "--bits 4", {"--bits", "memory networks", "chirps"}},
                   {train + "--warm-start n.safetensors", {"--warm-start", "memory networks"}},
                   {"train chirps_tags -o t.safetensors --pooling mean", {"--pooling", "chirps_tags"}},
                   {"train digits -o t.safetensors --data-seed 2", {"--data-seed", "chirps", "digits"}},
                   {stories + "--hidden 8", {"--hidden", "stories", "memory network"}},
                   {stories + "--set en", {"--set", "babi", "stories"}},
                   {"train babi -o t.safetensors --questions 100", {"--questions", "stories", "babi"}},
                   {"train babi -o t.safetensors --data-seed 3", {"--data-seed", "babi"}},
                   {quantize + "--tasks 2", {"--tasks"}},
                   {quantize + "--calib-split test", {"--calib-split", "KIND:PATH", "TASK:split"}},
                   {quantize + "--seed 2", {"--seed", "x.npz"}},
                   {quantize + "--percentile 99", {"--percentile", "--calib-method"}},
                   {quantize + "--bits 4", {"--bits", "memory networks"}},
                   {quantize_memory + "--rounding nearest", {"--rounding", "memory network"}},
                   {quantize_memory + "--scheme qmann8 --calib-method mse", {"--calib-method", "calibrated", "qmann8"}},
                   {quantize_memory + "--override a=int4", {"--override", "memory network"}},
                   {quantize_memory + "--calib-report r", {"--calib-report", "memory network"}},
                   {"eval n.safetensors stories --set en", {"--set", "babi"}},
                   {"eval n.safetensors stories --controls", {"--controls", "memory network"}},
                   {"eval m.safetensors chirps --tasks 1", {"--tasks", "chirps"}},
                   {"compare m.safetensors m.safetensors --input x.npz --tasks 1", {"--tasks"}},
                   {"compare n.safetensors q.safetensors --input story.txt --seed 3", {"--seed", "story.txt"}},
                   {"inspect m.safetensors --seed 3", {"--seed", "m.safetensors"}},
                   {"inspect n.safetensors --limit 3", {"--limit", "--input"}},
                   {"run n.safetensors --stream", {"--stream", "memory network"}},
                   {"run m.safetensors --input x.npz -o y.npz --explain", {"--explain", "memory networks"}},
                   {"bench --cell gru --projection 3", {"--projection", "lstm", "gru"}},
                   {"bench --cell lstm --reset before", {"--reset", "gru", "lstm"}},
                   {"bench --cell memn2n --hidden 5", {"--hidden", "memn2n"}},
                   {"bench --cell memn2n --threads 2", {"--threads", "memn2n"}},
                   {"bench --facts 5", {"--facts", "memn2n"}},
                   {"bench --pin --threads 2", {"--pin", "--threads"}},
                   {"bench --peer-python python3", {"--peer-python", "--peers"}},
                   {"bench --cifg --peers", {"--peers"}},
                   {"bench m.safetensors --peers", {"--peers", "model file"}},
                   {"bench --cell gru,memn2n", {"memn2n"}},
                   {"demo --cell gru --questions 50", {"--questions", "memn2n"}},
                   {"reproduce qmann --data-seed 3", {"--data-seed", "babi"}},
                   {"reproduce qmann --questions 30", {"--questions", "stories"}}});
}

TEST_F(CommandLineTest, TheWrongKindOfFileIsBadInput) {
  expect_refusals(
      {{"quantize q.safetensors --calib stories --questions 20 -o i.safetensors", {"quantize the float network"}},
       {"eval n.safetensors chirps", {"memory network", "chirps"}},
       {"eval m.safetensors stories", {"not a memory network"}},
       {"convert model.onnx -o c.safetensors", {"model.onnx"}},
       {"bench n.safetensors", {"memory network"}},
       {"compare n.safetensors m.safetensors --input x.npz", {"memory network"}},
       {"run m.safetensors --input x.npz -o y.npz --state .", {""}},
       {"compare q.safetensors n.safetensors --input story.txt", {"expected a float one"}},
       {"compare m.safetensors m.safetensors --input talk.txt", {"talk.txt", ".npz"}},
       {"quantize m.safetensors --calib talk.txt -o i.safetensors", {"talk.txt", ".npz"}},
       {"train chirps --resume -o t.safetensors", {"t.safetensors.checkpoint", "--resume"}},
       {"train stories --resume -o t.safetensors", {"t.safetensors.checkpoint", "--resume"}}},
      3);
}

// ---- hostile texts
// ---------------------------------------------------------------------------------------------------

TEST_F(CommandLineTest, TextsOfOthersReachTheTerminalCutAndClean) {
  const std::string hostile = "a\x1b[2J\xc2\x9b" + std::string(100000, 'x');
  Model model = small_model(hostile);
  model.task = hostile;
  model.provenance = {{hostile, hostile}};
  save(model, path("h.safetensors"));
  MemoryNetwork network = small_network("qmann8");
  network.name = network.task = hostile;
  for (std::size_t word = 1; word < network.words.size(); ++word) network.words[word] = hostile + std::to_string(word);
  network.provenance = {{"command", hostile}};
  save(network, path("hn.safetensors"));
  write_npz(path("h.npz"), {{"name_of_array", NpzArray::from<std::int32_t>({1}, std::vector<std::int32_t>{1})}});
  std::string archive = read("h.npz");  // no writer takes such a name
  const std::string plain = "name_of_array", replaced = "\x1b[2J\xc2\x9b_arrays";
  ASSERT_EQ(plain.size(), replaced.size());
  for (std::size_t at = 0; (at = archive.find(plain, at)) != std::string::npos;)
    archive.replace(at, plain.size(), replaced);
  write("h.npz", archive);
  const std::string long_word(100000, 'y');
  for (const std::string& arguments :
       {std::string("inspect h.safetensors"), std::string("inspect hn.safetensors"),
        std::string("run m.safetensors --input h.npz -o y.npz"), std::string("run hn.safetensors --input talk.txt"),
        std::string("compare n.safetensors hn.safetensors --input story.txt"), std::string("eval h.safetensors chirps"),
        "run m.safetensors --input " + long_word + " -o y.npz", "train " + long_word + " -o t.safetensors",
        "bench --" + long_word, "bench --hidden " + long_word,
        "quantize m.safetensors --calib x.npz -o i.safetensors --override " + long_word + "=int8",
        std::string("inspect '\x1b[2J.safetensors'")}) {
    const testing_support::Outcome outcome = run(arguments);
    for (const std::string& text : {outcome.out, outcome.err}) {
      EXPECT_EQ(text.find('\x1b'), std::string::npos) << arguments.substr(0, 80);
      EXPECT_EQ(text.find("\xc2\x9b"), std::string::npos) << arguments.substr(0, 80);
      EXPECT_LT(text.size(), 8000u) << arguments.substr(0, 80);
    }
  }
}

TEST_F(CommandLineTest, HostilePatternsAreRefusedOrEnd) {
  const std::string quantize = "quantize m.safetensors --calib x.npz -o i.safetensors ";
  std::string stars;
  for (int i = 0; i < 20; ++i) stars += "(a*)*";
  expect_refusals(
      {{quantize + "--override '" + std::string(20000, '(') + std::string(20000, ')') + "=int4'", {"40000"}},
       {quantize + "--override '" + stars + "b=int4'", {"matches no node"}},
       {quantize + "--ignore 'gru{1}'", {"'{}'"}},
       {quantize + "--ignore '(?=g)'", {"'(?'"}}});
  EXPECT_EQ(run(quantize + "--override '^(gru|lstm)[0-9]$=int4'").exit_code, 0);
}

// ---- programs
// ---------------------------------------------------------------------------------------------------------

// The module that trains lies beside the program; where it is not, the way to it is a target that exists.
TEST_F(CommandLineTest, TrainingThatIsNotThereSaysHowToGetIt) {
  fs::copy_file(testing_support::kProgram, path("alone"));
  EXPECT_EQ(shell("./alone train chirps -o t.safetensors >out 2>err"), 1) << read("err");
  for (const char* word : {"libtorch", "'make build'", "libtorch-dev", "libopenblas0-pthread"})
    EXPECT_NE(read("err").find(word), std::string::npos) << word << " in\n" << read("err");
  std::ifstream makefile(testing_support::repository() / "Makefile");
  const std::string targets{std::istreambuf_iterator<char>(makefile), {}};
  const std::size_t build = targets.find("\nbuild:");
  ASSERT_NE(build, std::string::npos);
  EXPECT_LT(targets.find("$(SETUP) build train", build), targets.find("\n\n", build));
}

}  // namespace
}  // namespace quaver
