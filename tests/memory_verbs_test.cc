// Memory networks under the verbs that measure them (inspect, compare, eval, quantize) from the outside: what is
// printed, and what is refused. Networks have random weights; 'run' has memory_cli_test.cc.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "quaver/core/random.h"
#include "quaver/io/model_file/memory_file.h"
#include "quaver/io/model_file/model_file.h"
#include "quaver/model/sample_models.h"
#include "support/program.h"

namespace quaver {
namespace {

const std::vector<std::string> kWordList{"",    "garden", "is",  "john", "mary", "milk,football",
                                         "not", "office", "the", "to",   "went", "where"};
const char* const kStory =
    "1 Mary went to the garden.\n"
    "2 Where is Mary?\tgarden\t1\n"
    "3 John went to the office.\n"
    "4 Where is John?\tmilk,football\t3\n"
    "1 Where is Mary?\toffice\n";

MemoryNetwork network_of(const std::string& scheme) {
  MemoryNetwork network;
  network.name = "story";
  network.words = kWordList;
  network.shape = {.vocabulary = kWordList.size(), .memory = 5, .d = 12, .hops = 2, .sentence = 5};
  network.scheme = memory_scheme_from_name(scheme);
  Random random(12);
  network.parameters.resize(parameter_count(network.shape));
  for (float& value : network.parameters) value = static_cast<float>(0.4 * random.normal());
  return network;
}

class MemoryVerbsTest : public testing_support::ProgramTest {
 protected:
  MemoryVerbsTest() : ProgramTest("quaver_memory_verbs") {
    save(network_of("f32"), path("float.safetensors"));
    save(network_of("qmann8"), path("q.safetensors"));
    MemoryNetwork other = network_of("fixed8");
    other.words[4] = "zoe";
    save(other, path("other.safetensors"));
    Model model;
    model.name = "small";
    model.inputs = {{"input", {{4}, true, {}}}};
    samples::append(model, "gru0", GruAttributes{.input_size = 4, .hidden_size = 6}, "f32", {});
    samples::fill_tensors(model, 5);
    model.outputs = {"gru0"};
    save(model, path("model.safetensors"));
    write("story.txt", kStory);
  }
};

TEST_F(MemoryVerbsTest, InspectCountsAQuestion) {
  const auto largest = run_json("inspect q.safetensors");
  for (const char* key : {"bytes", "weights_bytes", "state_bytes", "macs", "float_ops", "scheme", "layers", "energy_pj",
                          "energy_gain_vs_f32", "file", "provenance"})
    EXPECT_TRUE(largest.contains(key)) << key;
  EXPECT_EQ(largest["bytes"], std::filesystem::file_size(path("q.safetensors")));
  EXPECT_EQ(largest["questions"]["facts"], 5);
  EXPECT_EQ(largest["questions"]["words_per_fact"], 5);
  EXPECT_EQ(largest["vocabulary"], 12);
  const auto described = run_json("inspect q.safetensors --facts 2 --words 3");
  EXPECT_EQ(described["questions"]["facts"], 2);
  EXPECT_LT(described["energy_pj"], largest["energy_pj"]);
  const auto asked = run_json("inspect q.safetensors --input story.txt");
  EXPECT_EQ(asked["questions"]["n"], 3);
  EXPECT_EQ(asked["questions"]["facts"], 1);  // 1, 2 and 0
  EXPECT_EQ(asked["questions"]["words_per_fact"], 5);
  EXPECT_EQ(run_json("inspect q.safetensors --input story.txt --limit 1")["questions"]["n"], 1);
  EXPECT_EQ(run_json("inspect q.safetensors --input stories --tasks 1 --questions 20")["questions"]["n"], 20);
  const auto text = run("inspect q.safetensors");
  EXPECT_EQ(text.exit_code, 0) << text.err;
  for (const char* word : {"hamming", "by rules fitted to the paper's 22x", "docs/energy.md", "float_ops: "})
    EXPECT_NE(text.out.find(word), std::string::npos) << text.out;
}

TEST_F(MemoryVerbsTest, EnergyTablesAreReplaced) {
  for (const char* model : {"q.safetensors", "model.safetensors"}) {
    auto json = run_json(std::string("inspect ") + model);
    auto table = json["energy_table"];
    for (auto& [name, pj] : table["pj"].items()) pj = 2 * pj.get<double>();
    write("table.json", table.dump());
    const auto twice = run_json(std::string("inspect --energy-table table.json ") + model);
    EXPECT_NEAR(twice["energy_pj"].get<double>(), 2 * json["energy_pj"].get<double>(), 1e-6);
  }
  write("table.json", "{\"source\": \"mine\", \"pj\": {\"i8_add\": 1}}");
  for (const char* verb : {"inspect q.safetensors", "inspect model.safetensors",
                           "compare float.safetensors q.safetensors --input story.txt"})
    expect_failure(3, std::string(verb) + " --energy-table table.json", {"table.json", "'i16_add' is missing"});
  expect_failure(3, "inspect q.safetensors --energy-table none.json", {"none.json", "can not be read"});
}

// A scaled network holds integers from the words to the answer, in a quarter of the bytes; one-bit weights in less.
TEST_F(MemoryVerbsTest, QuantizedNetworksAreMeasuredLikeOthers) {
  const std::string calib = " --calib stories --questions 40 -o i.safetensors";
  const auto float_bytes = run_json("inspect float.safetensors")["weights_bytes"].get<std::size_t>();
  for (const char* scheme : {"int8", "fixed8-calibrated", "binary-calibrated", "binary-weights-calibrated"}) {
    const auto result = run_json(std::string("quantize float.safetensors --scheme ") + scheme + calib);
    for (const char* key : {"model", "scheme", "validation", "float_validation", "bytes", "float_bytes", "method"})
      EXPECT_TRUE(result.contains(key)) << key;
    EXPECT_TRUE(result["integer_only"].get<bool>());
    const auto inspected = run_json("inspect i.safetensors");
    EXPECT_EQ(inspected["float_ops"], 0);
    EXPECT_EQ(inspected["weights_bytes"],
              std::string(scheme) == "binary-weights-calibrated" ? float_bytes / 4 / 12 * 2 : float_bytes / 4);
    EXPECT_EQ(run_json("eval i.safetensors stories --questions 40")["n"], 40);
    EXPECT_EQ(run_json("compare float.safetensors i.safetensors --input story.txt")["questions"], 3);
  }
  run_json("quantize float.safetensors --scheme fixed8-calibrated --relative-similarity false --bits 6" + calib);
  expect_failure(2, "quantize float.safetensors --scheme f32" + calib, {"f32", "float already"});
  expect_failure(2, "quantize float.safetensors --scheme int4" + calib, {"int4", "fixed8-calibrated"});
  expect_failure(2, "quantize float.safetensors --scheme int8 --bits 9" + calib, {"word length", "2 to 8"});
  expect_failure(2, "quantize float.safetensors --scheme int8 --calib stories:all -o y.safetensors", {"all", "train"});
  expect_failure(3, "quantize q.safetensors --scheme int8" + calib, {"story", "quantize the float network"});
  expect_failure(2, "train stories --scheme int8 --linear-epochs 2 -o y.safetensors", {"linear start", "warm-start"});
  expect_failure(3, "train stories --scheme int8 --warm-start float.safetensors -o y.safetensors",
                 {"warm start", "flags it was trained with"});
}

TEST_F(MemoryVerbsTest, CompareFollowsTheHops) {
  const auto compared = run_json("compare float.safetensors q.safetensors --input story.txt");
  EXPECT_EQ(compared["questions"], 3);
  EXPECT_TRUE(compared["same_weights"].get<bool>());
  EXPECT_EQ(compared["layers"].size(), 1u + 6 * 2);
  EXPECT_EQ(compared["layers"][3]["name"], "hop1.similarity");
  for (const char* key : {"name", "max_abs", "rmse", "sqnr_db", "saturated"})
    EXPECT_TRUE(compared["outputs"][0].contains(key)) << key;
  EXPECT_EQ(compared["schemes"][0], "f32");
  EXPECT_GT(compared["energy"]["energy_pj"], 0);
  const auto evaluated = run_json("compare float.safetensors q.safetensors --input stories --tasks 1 --questions 20");
  EXPECT_EQ(evaluated["questions"], 20);
  const auto text = run("compare float.safetensors q.safetensors --input story.txt");
  EXPECT_EQ(text.exit_code, 0) << text.err;
  for (const char* word : {"hop2.read", "answers", "by rules fitted to the paper's 22x"})
    EXPECT_NE(text.out.find(word), std::string::npos) << text.out;
}

TEST_F(MemoryVerbsTest, WhatStoriesLoseIsSaid) {
  std::string story;
  for (int i = 1; i <= 7; ++i) story += std::to_string(i) + " Zoe went to the garden.\n";
  write("long.txt", story + "8 Where is Zoe?\tkitchen\t7\n");
  for (const char* verb : {"inspect q.safetensors", "compare float.safetensors q.safetensors"}) {
    const auto outcome = run(std::string(verb) + " --input long.txt");
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
    for (const char* word : {"longer than the memory of 5 facts", "2 in all", "words were never seen in training",
                             "1 answers were never seen"})
      EXPECT_NE(outcome.err.find(word), std::string::npos) << outcome.err;
  }
  const auto empty = run("inspect q.safetensors --input story.txt");
  EXPECT_NE(empty.err.find("1 questions are asked before any fact"), std::string::npos) << empty.err;
}

TEST_F(MemoryVerbsTest, BadStoriesAreNamedByLine) {
  const std::vector<std::string> verbs{"inspect q.safetensors --input bad.txt",
                                       "compare float.safetensors q.safetensors --input bad.txt"};
  const auto refused = [&](const std::string& story, const std::vector<std::string>& words) {
    write("bad.txt", story);
    for (const std::string& verb : verbs) expect_failure(3, verb, words);
  };
  refused("Mary went to the garden.\n", {"bad.txt:1"});
  refused("1 Mary went.\n3 Where is Mary?\tgarden\n", {"bad.txt:2", "3"});
  refused("1 Mary went.\n2 Where is Mary?\t\t1\n", {"bad.txt:2", "without an answer"});
  refused("1 Mary went.\n2 Where is Mary?\tgarden\t9\n", {"bad.txt:2", "9"});
  refused("1 Mary went.\n2 Where is Mary?\tgarden\t1\tmore\n", {"bad.txt:2"});
  refused("1 Mary went.\n2 ...\tgarden\t1\n", {"bad.txt:2"});
  // 'run' takes plain sentences too, and text of neither kind is refused by all.
  write("bad.txt", "Mary went.\r\nWhere is Mary?\r\n");
  EXPECT_EQ(run("run q.safetensors --input bad.txt").exit_code, 0);
  expect_failure(3, "run q.safetensors --input q.safetensors", {"q.safetensors:1", "byte"});
  refused("1 Mary went.\n", {"bad.txt", "no question"});
  refused("", {"bad.txt", "no question"});
  refused(std::string("1 Mary\0went.\n2 Where?\tgarden\n", 29), {"bad.txt:1", "byte 0"});
}

TEST_F(MemoryVerbsTest, TheWrongKindOfFileIsSaid) {
  write("damaged.safetensors", read("q.safetensors").substr(0, 900));
  std::string flipped = read("q.safetensors");
  flipped[flipped.size() - 5] = static_cast<char>(flipped[flipped.size() - 5] ^ 1);
  write("flipped.safetensors", flipped);
  write("text.safetensors", "nothing of this kind");
  for (const char* file : {"damaged.safetensors", "flipped.safetensors", "text.safetensors", "none.safetensors"}) {
    expect_failure(3, std::string("inspect ") + file, {file});
    expect_failure(3, std::string("compare float.safetensors ") + file + " --input story.txt", {file});
    expect_failure(3, std::string("eval ") + file + " stories", {file});
    expect_failure(3, std::string("run ") + file + " --input story.txt", {file});
    expect_failure(3, std::string("quantize ") + file + " --scheme int8 --calib stories -o y.safetensors", {file});
  }
  expect_failure(3, "inspect flipped.safetensors", {"checksum"});
  // A model of sequences where a memory network belongs, and the other way round.
  expect_failure(3, "compare model.safetensors q.safetensors --input story.txt", {"q.safetensors is a memory network"});
  expect_failure(3, "compare float.safetensors model.safetensors --input story.txt",
                 {"float.safetensors is a memory network"});
  expect_failure(3, "eval model.safetensors stories", {"model.safetensors", "not a memory network"});
  expect_failure(3, "eval q.safetensors chirps", {"chirps", "memory network", "babi, stories"});
  expect_failure(2, "eval q.safetensors story.txt", {"story.txt", "quaver run q.safetensors --input"});
  expect_failure(3, "bench q.safetensors", {"q.safetensors", "memory network"});
  expect_failure(2, "quantize q.safetensors --scheme int8 --calib chirps -o y.safetensors", {"chirps"});
  expect_failure(3, "quantize model.safetensors --scheme int8 --calib stories -o y.safetensors", {"stories"});
}

TEST_F(MemoryVerbsTest, NetworksThatAreNotOneAreRefused) {
  expect_failure(3, "compare float.safetensors other.safetensors --input story.txt", {"'mary'", "'zoe'"});
  expect_failure(3, "compare q.safetensors float.safetensors --input story.txt", {"expected a float one"});
}

TEST_F(MemoryVerbsTest, TheDemoNeedsNoLibtorch) {
  const auto shown = run_json("demo --cell memn2n --questions 100 --keep .");
  ASSERT_EQ(shown["results"].size(), 3u);
  for (const auto& row : shown["results"]) {
    for (const char* key : {"scheme", "accuracy", "bytes", "us_per_question", "energy_pj", "energy_gain_vs_f32"})
      EXPECT_TRUE(row.contains(key)) << key;
    const std::string scheme = row["scheme"], file = "memn2n." + scheme + ".safetensors";
    EXPECT_EQ(row["float_ops"] == 0, scheme != "f32");
    EXPECT_EQ(row["bytes"], std::filesystem::file_size(path(file)));
    EXPECT_EQ(100 - run_json("eval " + file + " stories --questions 100")["value"].get<double>(), row["accuracy"]);
  }
  EXPECT_GE(shown["explained"]["looked_at"].size(), 4u);
  const auto text = run("demo --cell memn2n --questions 20");
  EXPECT_EQ(text.exit_code, 0) << text.err;
  for (const char* word : {"us/question", "paper's rules", "hop 3"})
    EXPECT_NE(text.out.find(word), std::string::npos) << text.out;
}

TEST_F(MemoryVerbsTest, WrongFlagsAreNamed) {
  expect_failure(2, "inspect model.safetensors --facts 3", {"--facts", "memory networks"});
  expect_failure(2, "inspect model.safetensors --input story.txt", {"--input", "memory networks"});
  expect_failure(2, "inspect model.safetensors --tasks 1", {"--tasks"});
  expect_failure(2, "inspect q.safetensors --facts 6", {"--facts 6", "holds 5"});
  expect_failure(2, "inspect q.safetensors --facts 0", {"--facts"});
  expect_failure(2, "inspect q.safetensors --words 9999", {"--words"});
  expect_failure(2, "inspect q.safetensors --facts 2 --input story.txt", {"--facts", "--input"});
  expect_failure(2, "inspect q.safetensors --tasks 2", {"--tasks", "--input"});
  expect_failure(2, "inspect q.safetensors --input story.txt --tasks 2", {"--tasks", "story.txt"});
  expect_failure(2, "inspect q.safetensors --input none.txt", {"none.txt", "babi"});
  expect_failure(2, "inspect q.safetensors --input stories:dev", {"dev", "validation"});
  expect_failure(2, "inspect q.safetensors --input stories --tasks 4", {"4"});
  expect_failure(3, "inspect q.safetensors --input .", {"this is a folder", "stories"});
  expect_failure(2, "compare float.safetensors q.safetensors", {"--input"});
  expect_failure(2, "compare float.safetensors q.safetensors --input chirps", {"chirps", "stories"});
  expect_failure(3, "train stories --epochs 1 --resume -o new.safetensors", {"new.safetensors.checkpoint"});
  expect_failure(3, "train stories --tasks 1,2 --epochs 1 --resume -o new.safetensors", {"new.qa1.safetensors.check"});
  for (const char* slots : {"-1", "65537", "many"})
    expect_failure(2, std::string("train stories --epochs 1 -o new.safetensors --slots ") + slots, {"--slots", slots});
  expect_failure(2, "eval q.safetensors stories --split dev", {"dev", "validation"});
  expect_failure(3, "eval q.safetensors babi --data nowhere", {"--data", "QUAVER_DATA"});
}

}  // namespace
}  // namespace quaver
