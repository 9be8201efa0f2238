// 'quaver run' on memory networks from the outside: stories as text, answers, what they are explained by, and what is
// refused. Networks have random weights; the cell says what is right.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "quaver/cells/memn2n/fixed.h"
#include "quaver/core/random.h"
#include "quaver/data/babi.h"
#include "quaver/io/model_file/memory_file.h"
#include "quaver/io/model_file/model_file.h"
#include "quaver/model/sample_models.h"
#include "support/built_programs.h"

namespace quaver {
namespace {

namespace fs = std::filesystem;

const std::vector<std::string> kWordList{"",       "mary",   "john",  "went", "to",           "the",
                                         "garden", "office", "where", "is",   "milk,football"};

MemoryNetwork network_of(const std::string& scheme, bool integer_only, std::size_t slots = 0) {
  MemoryNetwork network;
  network.name = "story";
  network.words = kWordList;
  network.shape = {.vocabulary = kWordList.size(), .memory = 5, .d = 12, .hops = 2, .sentence = 5, .slots = slots};
  network.scheme = memory_scheme_from_name(scheme);
  network.scheme.integer_only = integer_only;
  Random random(12);
  network.parameters.resize(parameter_count(network.shape));
  for (float& value : network.parameters) value = static_cast<float>(0.4 * random.normal());
  return network;
}

struct Outcome {
  int exit_code = -1;
  std::string out, err;
};

class MemoryRunTest : public testing::Test {
 protected:
  MemoryRunTest() : folder_(fs::temp_directory_path() / ("quaver_memory_cli_" + std::to_string(getpid()))) {
    fs::remove_all(folder_);
    fs::create_directories(folder_);
    save(network_of("qmann8", true), folder_ / "q.safetensors");
    save(network_of("f32", false), folder_ / "float.safetensors");
    save(network_of("qmann8", true, 9), folder_ / "slots.safetensors");
  }
  ~MemoryRunTest() override { fs::remove_all(folder_); }

  void write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / name, std::ios::binary) << text;
  }
  std::string read(const std::string& name) const {
    std::ifstream file(folder_ / name, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
  }
  Outcome run(const std::string& arguments, const std::string& story) const {
    write("story.txt", story);
    const std::string command = "cd " + folder_.string() + " && " + testing_support::kProgram + " run " + arguments +
                                " <story.txt >out.txt 2>err.txt";
    const int status = std::system(command.c_str());
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, read("out.txt"), read("err.txt")};
  }
  nlohmann::json json_of(const std::string& arguments, const std::string& story) const {
    const Outcome outcome = run(arguments + " --json", story);
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
    return nlohmann::json::parse(outcome.out, nullptr, false);
  }
  void expect_refused(int exit_code, const std::string& arguments, const std::string& story,
                      const std::vector<std::string>& parts) const {
    const Outcome outcome = run(arguments, story);
    EXPECT_EQ(outcome.exit_code, exit_code) << arguments << ": " << outcome.err;
    for (const std::string& part : parts) EXPECT_NE(outcome.err.find(part), std::string::npos) << outcome.err;
  }

  fs::path folder_;
};

// The word that the cell gives for these sentences.
MemoryAnswer expected(const std::vector<std::string>& facts, const std::string& question) {
  const MemoryNetwork network = network_of("qmann8", true);
  const Vocabulary vocabulary(network.words);
  const auto coded = [&](const std::string& text) {
    std::vector<std::int32_t> numbers;
    for (const std::string& word : story_words(text)) numbers.push_back(vocabulary.find(word));
    return numbers;
  };
  std::vector<std::vector<std::int32_t>> sentences;
  for (const std::string& fact : facts) sentences.push_back(coded(fact));
  const std::vector<WordNumbers> words(sentences.begin(), sentences.end());
  const std::vector<std::int32_t> asked = coded(question);
  MemN2NFixed cell(network.shape, network.scheme);
  cell.set_parameters(network.parameters);
  return cell.answer({words, asked, {}});
}

TEST_F(MemoryRunTest, AnswersAPlainStory) {
  const std::string story = "Mary went to the garden. John went to the office!\n\nWhere is Mary?\n";
  const MemoryAnswer answer = expected({"mary went to the garden", "john went to the office"}, "where is mary");
  const std::string& word = kWordList[answer.best()];
  const Outcome outcome = run("q.safetensors", story);
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_EQ(outcome.out, "Where is Mary?\n  " + word + "\n");
  EXPECT_EQ(outcome.err, "");
  const auto json = json_of("q.safetensors --explain --input -", story);
  EXPECT_EQ(json["float_ops"], 0);
  EXPECT_EQ(json["n"], 1);
  EXPECT_EQ(json["facts"], 2);
  const auto& question = json["questions"][0];
  EXPECT_EQ(question["line"], 3);
  EXPECT_EQ(question["answer"], word);
  for (const auto& fact : question["looked_at"]) {
    const std::size_t place = fact["fact"].get<std::size_t>() - 1;
    EXPECT_EQ(fact["text"], place == 0 ? "Mary went to the garden." : "John went to the office!");
    for (std::size_t hop = 0; hop < 2; ++hop)
      EXPECT_FLOAT_EQ(fact["p"][hop].get<float>(), answer.attention[hop][place]);
  }
  const Outcome explained = run("q.safetensors --explain", story);
  EXPECT_NE(explained.out.find("hop 2"), std::string::npos) << explained.out;
  EXPECT_NE(explained.out.find("Mary went to the garden."), std::string::npos) << explained.out;
  // In float the cell runs.
  const auto in_float = json_of("float.safetensors", story);
  EXPECT_EQ(in_float["path"], "cell");
  EXPECT_FALSE(in_float.contains("float_ops"));
}

// What facts get, those that are not shown and the empty ones, is everything.
TEST_F(MemoryRunTest, ExplainsWhatGoesToEmptyFacts) {
  const std::string story = "Mary went to the garden. John went to the office. Where is Mary?\n";
  const auto json = json_of("slots.safetensors --explain", story);
  const auto& question = json["questions"][0];
  EXPECT_EQ(question["empty"]["facts"], 7);
  for (std::size_t hop = 0; hop < 2; ++hop) {
    double sum = question["empty"]["p"][hop].get<double>();
    EXPECT_GT(sum, 0);
    for (const auto& fact : question["looked_at"]) sum += fact["p"][hop].get<double>();
    EXPECT_NEAR(sum, 1, 3 * 0x1p-15);  // a rounding of each and of all empty ones
  }
  const Outcome explained = run("slots.safetensors --explain", story);
  EXPECT_NE(explained.out.find("7 empty"), std::string::npos) << explained.out;
  EXPECT_FALSE(json_of("q.safetensors --explain", story)["questions"][0].contains("empty"));
}

TEST_F(MemoryRunTest, AnswersStoriesOfTheDataFormat) {
  const std::string story =
      "1 Mary went to the garden.\n2 Where is Mary?\tgarden\t1\n3 John went to the office.\n4 Where is "
      "John?\tmilk,football\t3\n"
      "1 Where is Mary?\toffice\n";
  write("qa.txt", story);
  const auto json = json_of("q.safetensors --input qa.txt", "");
  ASSERT_EQ(json["n"], 3);
  EXPECT_EQ(json["questions"][0]["facts"], 1);
  EXPECT_EQ(json["questions"][1]["facts"], 2);
  EXPECT_EQ(json["questions"][1]["expected"], "milk,football");
  EXPECT_EQ(json["questions"][2]["facts"], 0) << "a new story begins with an empty memory";
  EXPECT_EQ(json["empty_memories"], 1);
  double wrong = 0;
  for (const auto& question : json["questions"]) wrong += question["answer"] != question["expected"];
  EXPECT_NEAR(json["error"].get<double>(), 100 * wrong / 3, 1e-9);
  expect_refused(3, "q.safetensors", "1 Mary went to the garden.\n3 Where is Mary?\tgarden\n",
                 {"standard input, line 2", "number 3"});
  expect_refused(3, "q.safetensors", "\n1 Mary went to the garden.\n2 \tgarden\n", {"standard input, line 3"});
}

TEST_F(MemoryRunTest, SaysWhatIsLost) {
  std::string story;
  for (int i = 0; i < 7; ++i) story += i % 2 == 0 ? "Mary went to the garden.\n" : "John went to the office.\n";
  const Outcome cut = run("q.safetensors", story + "Where is Zoe?");
  EXPECT_EQ(cut.exit_code, 0);
  EXPECT_NE(cut.err.find("2 facts made room"), std::string::npos) << cut.err;
  EXPECT_NE(cut.err.find("standard input, line 8: 'zoe'"), std::string::npos) << cut.err;
  const auto json = json_of("q.safetensors --memory 100", story + "Where is Zoe?");
  EXPECT_EQ(json["facts_dropped"], 0);
  EXPECT_EQ(json["memory"], 100);
  EXPECT_EQ(json["words_unknown"], 1);
  EXPECT_EQ(json["questions"][0]["facts"], 7);
  const Outcome empty = run("q.safetensors", "Where is Mary?");
  EXPECT_EQ(empty.out, "Where is Mary?\n  " + kWordList[expected({}, "where is mary").best()] + "\n");
  EXPECT_NE(empty.err.find("empty memory"), std::string::npos) << empty.err;
  expect_refused(3, "q.safetensors", "", {"standard input: nothing is told or asked"});
}

TEST_F(MemoryRunTest, GoesOnFromASavedMemory) {
  EXPECT_EQ(run("q.safetensors --save-state m.bin", "Mary went to the garden. John saw the office.").exit_code, 0);
  const auto json = json_of("q.safetensors --state m.bin --explain", "Where is Mary?");
  const MemoryAnswer answer = expected({"mary went to the garden", "john saw the office"}, "where is mary");
  EXPECT_EQ(json["questions"][0]["answer"], kWordList[answer.best()]);
  EXPECT_EQ(json["questions"][0]["facts"], 2);
  expect_refused(3, "float.safetensors --state m.bin", "Where is Mary?", {"m.bin", "belongs to network"});
  expect_refused(3, "q.safetensors --state story.txt", "Where is Mary?", {"story.txt", "not a saved memory"});
  expect_refused(3, "q.safetensors --state none.bin", "Where is Mary?", {"none.bin", "No such file"});
}

TEST_F(MemoryRunTest, BenchesFactsAndQuestions) {
  const std::string command =
      "cd " + folder_.string() + " && " + testing_support::kProgram +
      " bench --cell memn2n --facts 3,1200 --embedding 9 --hops 2 "
      "--vocabulary 20 --repetitions 2 --scheme int8,qmann8,f32 --json --save kept >out.txt 2>err.txt";
  ASSERT_EQ(std::system(command.c_str()), 0) << read("err.txt");
  const auto json = nlohmann::json::parse(read("out.txt"));
  EXPECT_EQ(nlohmann::json::parse(read("kept.json")), json);
  std::vector<std::string> rows;
  for (const auto& row : json["results"]) {
    rows.push_back(row["facts"].dump() + row["form"].get<std::string>() + row["scheme"].get<std::string>());
    EXPECT_EQ(row["cell"], "memn2n");
    for (const char* key : {"hidden", "input", "batch", "steps", "scheme", "path", "threads", "us_per_step",
                            "gmacs_per_s", "bytes_per_step", "peer", "version"})  // as every row of 'bench'
      EXPECT_TRUE(row.contains(key)) << key;
    EXPECT_EQ(row["us_per_step"], row["us_per_question"]);
    EXPECT_TRUE(row["peer"].is_null()) << row;
    EXPECT_GT(row["us_per_question"].get<double>(), 0);
    EXPECT_EQ(row["read_share"].is_number(), row["facts"] == 1200 && row["form"] != "write") << row;
    EXPECT_EQ(row["facts_read"].is_number(), row["scheme"] != "f32" && row["form"] != "write") << row;
    if (row["scheme"] == "int8" && row["form"] != "write") {  // the leading rows are of a network that reads
      EXPECT_GT(row["facts_read"], 0) << row;
      EXPECT_LE(row["facts_read"], row["facts"]) << row;
    }
  }
  EXPECT_EQ(rows, (std::vector<std::string>{"3toldint8", "3storedint8", "3writeint8", "3toldqmann8", "3storedqmann8",
                                            "3writeqmann8", "3toldf32", "1200storedint8", "1200writeint8",
                                            "1200storedqmann8", "1200writeqmann8"}));
  EXPECT_NE(std::system(("cd " + folder_.string() + " && " + testing_support::kProgram +
                         " bench --cell memn2n --scheme qmann9 2>err.txt")
                            .c_str()),
            0);
  EXPECT_NE(read("err.txt").find("'qmann9'"), std::string::npos) << read("err.txt");
}

TEST_F(MemoryRunTest, BadInputIsRefused) {
  expect_refused(3, "q.safetensors", "Mary went to the garden.\n...\n", {"standard input, line 2", "no words"});
  expect_refused(3, "q.safetensors", "Where is Mary?\n?\n", {"standard input, line 2", "no words"});
  expect_refused(3, "q.safetensors", "2 Where is Mary?\tgarden\t1\n", {"standard input, line 1", "tab"});
  expect_refused(3, "q.safetensors --input none.txt", "", {"none.txt", "cannot be read"});
  expect_refused(3, "q.safetensors --input .", "", {"folder"});
  expect_refused(2, "q.safetensors -o y.npz", "", {"-o", "memory network"});
  expect_refused(2, "q.safetensors --stream", "", {"--stream", "memory network"});
  expect_refused(2, "q.safetensors --memory 0", "", {"--memory"});
  Model model;
  model.name = "small";
  model.inputs = {{"input", {{4}, true, {}}}};
  samples::append(model, "gru0", GruAttributes{.input_size = 4, .hidden_size = 6}, "f32", {});
  samples::fill_tensors(model, 5);
  model.outputs = {"gru0"};
  save(model, folder_ / "model.safetensors");
  expect_refused(2, "model.safetensors --explain", "", {"--explain", "memory networks"});
  expect_refused(2, "model.safetensors", "", {"--input is required"});
  expect_refused(2, "model.safetensors --input x.npz", "", {"--output is required"});
}

}  // namespace
}  // namespace quaver
