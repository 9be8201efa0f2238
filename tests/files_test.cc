// Files as the program meets them: arrays that nothing reads, inputs that do not end or decode to more than they seem,
// files that change while they are read, links, and what killed writers and damaged checkpoints leave.
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "quaver/core/random.h"
#include "quaver/files/atomic_file.h"
#include "quaver/io/container/safetensors.h"
#include "quaver/io/model_file/memory_file.h"
#include "quaver/io/model_file/model_file.h"
#include "quaver/model/sample_models.h"
#include "quaver/npz/npz.h"
#include "support/built_programs.h"
#include "support/places.h"
#include "support/program.h"

namespace quaver::testing_support {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kFeatures = 4, kSteps = 9;

std::vector<float> reals(std::size_t count) {
  Random random(3);
  std::vector<float> values(count);
  for (float& value : values) value = static_cast<float>(random.uniform(-1, 1));
  return values;
}

Model classifier(std::int64_t features = kFeatures) {
  Model model;
  model.name = "small";
  model.inputs = {{"input", {{features}, true, {}}}};
  samples::append(model, "gru0", GruAttributes{.input_size = features, .hidden_size = 6}, "f32", {});
  samples::append(model, "pool", PoolAttributes{Pooling::kLast}, "f32", {});
  samples::append(model, "scores", DenseAttributes{.input_size = 6, .units = 3}, "f32", {});
  samples::fill_tensors(model, 5);
  model.outputs = {"scores"};
  return model;
}

MemoryNetwork network() {
  MemoryNetwork network;
  network.name = "story";
  network.words = {"", "mary", "went", "to", "garden", "where", "is"};
  network.shape = {.vocabulary = network.words.size(), .memory = 5, .d = 8, .hops = 2, .sentence = 4};
  network.parameters = reals(parameter_count(network.shape));
  return network;
}

class FilesTest : public ProgramTest {
 protected:
  FilesTest() : ProgramTest("quaver_files") {
    save(classifier(), path("model.safetensors"));
    save(network(), path("network.safetensors"));
    write_npz(path("x.npz"), {{"x", x()}});
  }

  static NpzArray x(std::int64_t batch = 2) {
    return NpzArray::from<float>({batch, kSteps, kFeatures},
                                 reals(static_cast<std::size_t>(batch * kSteps * kFeatures)));
  }
  // Weights under PyTorch's names, random.
  void write_torch(const std::string& name, const std::map<std::string, std::vector<std::int64_t>>& tensors) const {
    const std::vector<float> values = reals(1000);
    std::map<std::string, SafetensorsEntry> entries;
    for (const auto& [tensor, shape] : tensors) {
      std::size_t count = 1;
      for (const std::int64_t size : shape) count *= static_cast<std::size_t>(size);
      entries[tensor] = {NumberType::kF32, shape, std::as_bytes(std::span(values).first(count))};
    }
    write_file_atomically(path(name), [&](const ByteSink& sink) { write_safetensors(entries, {}, sink); });
  }
  // Exit code and largest memory of "quaver ARGUMENTS". Not by system(), whose child begins with our own peak.
  struct Peak {
    int exit_code;
    std::uint64_t bytes;
  };
  Peak peak_of(const std::string& arguments) const {
    const std::string command =
        "cd " + path("").string() + " && exec " + kProgram + " " + arguments + " </dev/null >/dev/null 2>&1";
    const pid_t child = fork();
    if (child == 0) {
      execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
      _exit(127);
    }
    int status = 0;
    rusage usage{};
    if (child < 0 || wait4(child, &status, 0, &usage) != child) return {-1, 0};
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, static_cast<std::uint64_t>(usage.ru_maxrss) * 1024};
  }
  std::size_t temporaries() const {
    std::size_t count = 0;
    for (const auto& entry : fs::directory_iterator(path("")))
      if (entry.path().extension() == ".tmp") ++count;
    return count;
  }
};

TEST_F(FilesTest, ArraysThatNothingReadsAreRefusedByName) {
  const std::vector<std::int32_t> numbers{9, 4};
  const NpzArray lengths = NpzArray::from<std::int32_t>({2}, numbers);
  const NpzArray state = NpzArray::from<float>({1, 2, 6}, reals(12));
  const std::vector<std::pair<std::string, std::string>> refused{{"seq_lengths", "come with 'lengths'"},
                                                                 {"h0", "--state"},
                                                                 {"c0", "--state"},
                                                                 {"initial_h", "--state"},
                                                                 {"state/gru0.h", "--state"},
                                                                 {"ids", "reads 'x' alone"},
                                                                 {"labels", "nothing reads it"},
                                                                 {"x2", "nothing reads it"}};
  ASSERT_EQ(run("quantize model.safetensors --calib x.npz -o int8.safetensors").exit_code, 0);
  for (const auto& [name, reason] : refused) {
    write_npz(path("bad.npz"), {{"x", x()}, {name, name == "ids" ? lengths : state}});
    const std::vector<std::string> words{"bad.npz", "'" + name + "'", reason};
    expect_failure(3, "run model.safetensors --input bad.npz -o y.npz", words);
    expect_failure(3, "quantize model.safetensors --calib bad.npz -o q.safetensors", words);
    expect_failure(3, "compare model.safetensors int8.safetensors --input bad.npz", words);
  }
  EXPECT_FALSE(fs::exists(path("y.npz")));
  EXPECT_FALSE(fs::exists(path("q.safetensors")));
}

// Two sequences of 6 and 4 steps (kFeatures each) give what each gives alone, padded or joined, and zeros behind.
TEST_F(FilesTest, SequencesOfDifferentLengthsGiveWhatTheyGiveAlone) {
  const std::size_t features = static_cast<std::size_t>(x().shape.back()),
                    steps = static_cast<std::size_t>(x().shape[1]);
  const std::vector<float> values = to_f32(x(), "x");
  const std::size_t shorter = steps - 2;
  std::vector<float> padded = values;
  std::fill(padded.begin() + static_cast<std::ptrdiff_t>((steps + shorter) * features), padded.end(), NAN);
  const std::vector<std::int64_t> lengths{static_cast<std::int64_t>(steps), static_cast<std::int64_t>(shorter)};
  const std::vector<std::int32_t> offsets{0, static_cast<std::int32_t>(steps),
                                          static_cast<std::int32_t>(steps + shorter)};
  const auto size = [](std::size_t n) { return static_cast<std::int64_t>(n); };
  write_npz(path("padded.npz"), {{"x", NpzArray::from<float>({2, size(steps), size(features)}, padded)},
                                 {"lengths", NpzArray::from<std::int64_t>({2}, lengths)}});
  padded.resize((steps + shorter) * features);
  write_npz(path("joined.npz"), {{"x", NpzArray::from<float>({size(steps + shorter), size(features)}, padded)},
                                 {"offsets", NpzArray::from<std::int32_t>({3}, offsets)}});
  write_npz(path("alone.npz"),
            {{"x", NpzArray::from<float>({size(shorter), size(features)},
                                         std::span(values).subspan(steps * features, shorter * features))}});
  ASSERT_EQ(run("run model.safetensors --input alone.npz -o alone_y.npz").exit_code, 0);
  const std::vector<float> alone = to_f32(NpzFile::open(path("alone_y.npz")).read("y"), "y");
  for (const std::string form : {"padded", "joined"})
    for (const std::string stream : {"", " --stream"}) {
      ASSERT_EQ(run("run model.safetensors --input " + form + ".npz -o y.npz" + stream).exit_code, 0) << form;
      NpzFile file = NpzFile::open(path("y.npz"));
      const NpzArray y = file.read("y");
      const std::vector<float> all = to_f32(y, "y");
      const std::size_t half = all.size() / 2;
      EXPECT_TRUE(std::equal(alone.begin(), alone.end(), all.begin() + static_cast<std::ptrdiff_t>(half))) << form;
      for (std::size_t j = half + alone.size(); j < all.size(); ++j) EXPECT_EQ(all[j], 0) << form;
      EXPECT_EQ(to_i32(file.read("lengths"), "lengths"),
                (std::vector<std::int32_t>{offsets[1], offsets[2] - offsets[1]}));
    }
  const std::vector<std::int64_t> beyond{static_cast<std::int64_t>(steps), static_cast<std::int64_t>(steps + 1)};
  write_npz(path("bad.npz"), {{"x", x()}, {"lengths", NpzArray::from<std::int64_t>({2}, beyond)}});
  expect_failure(3, "run model.safetensors --input bad.npz -o z.npz",
                 {"'lengths' has " + std::to_string(steps + 1) + " at 1", "expected 1 to " + std::to_string(steps)});
  write_npz(path("bad.npz"), {{"x", x()}, {"lengths", NpzArray::from<std::int64_t>({1}, std::span(lengths).first(1))}});
  expect_failure(3, "run model.safetensors --input bad.npz -o z.npz", {"'lengths' has 1 elements", "2 sequences"});
  const std::vector<std::int32_t> falling{0, 9, static_cast<std::int32_t>(steps + shorter)};
  write_npz(path("bad.npz"), {{"x", NpzArray::from<float>({size(steps + shorter), size(features)}, padded)},
                              {"offsets", NpzArray::from<std::int32_t>({2}, std::span(falling).first(2))}});
  expect_failure(3, "run model.safetensors --input bad.npz -o z.npz", {"'offsets' has 2 elements from 0 to 9"});
}

TEST_F(FilesTest, StatesInRealNumbersComeBackAsCodes) {
  ASSERT_EQ(run("run model.safetensors --input x.npz -o y.npz --save-state s.npz --state-reals").exit_code, 0);
  ASSERT_EQ(run("run model.safetensors --input x.npz -o y.npz --save-state c.npz").exit_code, 0);
  for (const std::string state : {"s", "c"})
    ASSERT_EQ(run("run model.safetensors --input x.npz --state " + state + ".npz -o " + state + "_y.npz").exit_code, 0);
  EXPECT_EQ(to_f32(NpzFile::open(path("s_y.npz")).read("y"), "y"),
            to_f32(NpzFile::open(path("c_y.npz")).read("y"), "y"))
      << "a float model's state is real anyway";
  ASSERT_EQ(run("quantize model.safetensors --calib x.npz -o int8.safetensors").exit_code, 0);
  ASSERT_EQ(run("run int8.safetensors --input x.npz -o y.npz --save-state q.npz --state-reals").exit_code, 0);
  ASSERT_EQ(run("run int8.safetensors --input x.npz -o y.npz --save-state p.npz").exit_code, 0);
  for (const std::string state : {"q", "p"})
    ASSERT_EQ(run("run int8.safetensors --input x.npz --state " + state + ".npz -o " + state + "_y.npz").exit_code, 0);
  EXPECT_EQ(to_f32(NpzFile::open(path("q_y.npz")).read("y"), "y"),
            to_f32(NpzFile::open(path("p_y.npz")).read("y"), "y"))
      << "codes give reals that give the same codes";
  expect_failure(2, "run model.safetensors --input x.npz -o y.npz --state-reals", {"--state-reals", "--save-state"});
}

TEST_F(FilesTest, MoreThanTheMemoryIsRefusedBeforeItIsRead) {
  const std::string limit = " --max-memory 200";  // two sequences are 288 bytes
  expect_failure(3, "run model.safetensors --input x.npz -o y.npz" + limit, {"x.npz", "'x.npy'", "288", "200"});
  expect_failure(3, "quantize model.safetensors --calib x.npz -o q.safetensors" + limit, {"x.npz", "288"});
  EXPECT_EQ(run("run model.safetensors --input x.npz -o y.npz --max-memory 1K").exit_code, 0);
  ASSERT_EQ(run("run model.safetensors --input x.npz -o y.npz --save-state s.npz").exit_code, 0);
  expect_failure(3, "run model.safetensors --input x.npz -o y.npz --state s.npz --max-memory 290 --threads 1",
                 {"s.npz", "290"});
  write_torch("t.safetensors", {{"weight_ih_l0", {8, 4}}, {"weight_hh_l0", {8, 2}}});
  expect_failure(3, "convert t.safetensors -o m.safetensors --max-memory 191", {"t.safetensors", "192", "191"});
  EXPECT_EQ(run("convert t.safetensors -o m.safetensors --max-memory 192").exit_code, 0);
  for (const char* wrong : {"-1", "''", "1X", "99999999999999999999", "1.5"})
    EXPECT_EQ(run(std::string("run model.safetensors --input x.npz -o y.npz --max-memory ") + wrong).exit_code, 2)
        << wrong;
}

constexpr std::uint64_t kLittle = 64 << 20;  // what the program takes beside the arrays that it reads
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif

// A little file may hold many zeros: the peak is the array and a little more, and what is refused takes nothing.
TEST_F(FilesTest, ThePeakIsTheArraysThatAreRead) {
  if (kSanitized) GTEST_SKIP() << "a sanitizer's memory is not the program's";
  constexpr std::int64_t kMany = 160, kLong = 3200, kWide = 64;
  constexpr std::uint64_t kArray = std::uint64_t{kMany} * kLong * kWide * sizeof(float);
  save(classifier(kWide), path("model.safetensors"));
  {
    NpzArray zeros{NumberType::kF32, {kMany, kLong, kWide}, std::vector<std::byte>(kArray)};
    write_npz(path("zeros.npz"), {{"x", zeros}}, NpzPacking::kDeflated);
    zeros.shape = {kMany, kLong / 2, 2 * kWide};
    write_npz(path("beside.npz"), {{"x", x()}, {"other", zeros}}, NpzPacking::kDeflated);
    write_npz(path("wide.npz"), {{"x", std::move(zeros)}}, NpzPacking::kDeflated);
  }
  EXPECT_LT(fs::file_size(path("zeros.npz")), kArray / 100);
  for (const char* refused :
       {"run model.safetensors --input wide.npz -o y.npz", "run model.safetensors --input beside.npz -o y.npz",
        "run model.safetensors --input zeros.npz -o y.npz --max-memory 100M",
        "run network.safetensors --state zeros.npz --max-memory 10K"}) {
    const Peak peak = peak_of(refused);
    EXPECT_EQ(peak.exit_code, 3) << refused;
    EXPECT_LT(peak.bytes, kLittle) << refused;
  }
  const Peak peak = peak_of("run model.safetensors --input zeros.npz -o y.npz --threads 1");
  EXPECT_EQ(peak.exit_code, 0);
  EXPECT_LT(peak.bytes, kArray + kLittle);
}

TEST_F(FilesTest, ValuesThatAreNoNumbersAreSaid) {
  Model model = classifier();
  model.tensors.at("scores.W").as_mutable<float>()[0] = 3e38f;
  model.tensors.at("scores.W").as_mutable<float>()[1] = 3e38f;
  model.tensors.at("scores.b").as_mutable<float>()[0] = 3e38f;
  model.tensors.at("gru0.b").as_mutable<float>()[12] = 50;  // the candidates of the units 0 and 1 are 1
  model.tensors.at("gru0.b").as_mutable<float>()[13] = 50;
  save(model, path("large.safetensors"));
  const Outcome large = run("run large.safetensors --input x.npz -o y.npz");
  EXPECT_EQ(large.exit_code, 0);
  EXPECT_NE(large.err.find("2 of 6 values of 'scores' are infinite or no numbers, the first at [0, 0]"),
            std::string::npos)
      << large.err;
  EXPECT_EQ(run("run model.safetensors --input x.npz -o y.npz").err, "");
}

TEST_F(FilesTest, WhatDoesNotEndIsRefused) {
  write("long.txt", "Mary went to garden.\n" + std::string(50 << 20, 'a') + "\n");
  write("long.babi", "1 Mary went to garden.\n2 " + std::string(50 << 20, 'a') + "\n");
  const std::string endless = "this line has more than 1048576 bytes", no_file = "not a regular file";
  const std::vector<std::pair<std::string, std::vector<std::string>>> refused{
      {"run network.safetensors --input /dev/zero", {"/dev/zero:1", endless}},
      {"run network.safetensors --state /dev/zero", {"/dev/zero", no_file}},
      {"compare network.safetensors network.safetensors --input /dev/zero", {"/dev/zero:1", endless}},
      {"run model.safetensors --input /dev/zero -o y.npz", {"/dev/zero", no_file}},
      {"run /dev/zero --input x.npz -o y.npz", {"/dev/zero", no_file}},
      {"run network.safetensors --input long.txt", {"long.txt:2", endless}},
      {"run network.safetensors --input long.babi", {"long.babi:2", endless}},
      {"compare network.safetensors network.safetensors --input long.babi", {"long.babi:2", endless}}};
  for (const auto& [arguments, words] : refused) {
    expect_failure(3, arguments, words);
    if (kSanitized) continue;
    EXPECT_LT(peak_of(arguments).bytes, kLittle) << arguments;
  }
  std::string many;
  for (int line = 1; line <= 2000; ++line) many += std::to_string(line) + " Mary went to garden.\n";
  write("many.babi", many);
  expect_failure(3, "run network.safetensors --input many.babi --max-memory 100K", {"many.babi:", "--max-memory"});
}

TEST_F(FilesTest, FoldersAreNoStates) {
  fs::create_directory(path("folder"));
  expect_failure(3, "run network.safetensors --state folder", {"folder", "Is a directory"});
  expect_failure(3, "run model.safetensors --input x.npz --state folder -o y.npz", {"folder", "Is a directory"});
  expect_failure(3, "run network.safetensors --input folder", {"folder"});
  expect_failure(3, "compare network.safetensors network.safetensors --input ./folder", {"folder"});
}

TEST_F(FilesTest, AStateThatIsNoNumberNamesItsFile) {
  ASSERT_EQ(run("run model.safetensors --input x.npz -o y.npz --save-state s.npz").exit_code, 0);
  Npz state = read_npz(path("s.npz"));
  NpzArray& h = state.at("state/gru0.h");
  std::fill(h.bytes.begin(), h.bytes.begin() + 4, std::byte{0xff});
  write_npz(path("s.npz"), state);
  expect_failure(3, "run model.safetensors --input x.npz --state s.npz -o y.npz", {"s.npz", "'state/gru0.h'", "nan"});
}

TEST_F(FilesTest, OutputsThroughLinksReachTheirTarget) {
  fs::create_directory(path("there"));
  fs::create_symlink("there/y.npz", path("link.npz"));
  ASSERT_EQ(run("run model.safetensors --input x.npz -o link.npz").exit_code, 0);
  EXPECT_TRUE(fs::is_symlink(path("link.npz")));
  EXPECT_TRUE(fs::is_regular_file(path("there/y.npz")));
  fs::create_symlink("loop.npz", path("loop.npz"));
  EXPECT_EQ(run("run model.safetensors --input x.npz -o loop.npz").exit_code, 1);
  EXPECT_TRUE(fs::is_symlink(path("loop.npz")));
}

TEST_F(FilesTest, ANextWriterSweepsWhatAKilledOneLeft) {
  for (const char* name : {".y.npz.123.0.tmp", ".y.npz.99999.7.tmp"}) write(name, "half");
  ASSERT_EQ(run("run model.safetensors --input x.npz -o y.npz").exit_code, 0);
  EXPECT_EQ(temporaries(), 0u);
}

// Trainings of memory networks need no libtorch.
TEST_F(FilesTest, ADamagedCheckpointIsNotResumed) {
  const std::string train =
      "train stories --tasks 1 --questions 60 --epochs 3 --threads 1 --checkpoint c -o n.safetensors";
  ASSERT_EQ(run(train).exit_code, 0);
  const std::string good = read("c");
  ASSERT_FALSE(good.empty());
  EXPECT_EQ(run(train + " --resume").exit_code, 0);
  for (const std::size_t from_end : {1u, 1000u, 4321u}) {
    std::string bad = good;
    bad[bad.size() - from_end] = static_cast<char>(bad[bad.size() - from_end] ^ 0x20);
    write("c", bad);
    expect_failure(3, train + " --resume", {"c: ", "damaged", "checksum", "without --resume"});
  }
  std::string older = good;
  const std::size_t version = older.find("\"version\":\"3\"");
  ASSERT_NE(version, std::string::npos);
  older[version + 11] = '1';
  write("c", older);
  expect_failure(3, train + " --resume", {"c: ", "version '1'"});
}

// convert writes older files of both kinds anew: what runs gives the same bytes from either.
TEST_F(FilesTest, ConvertRewritesOlderFiles) {
  std::vector<float> values(2 * 5 * 3);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i % 7) - 3.0f;
  write_npz(path("three.npz"), {{"x", NpzArray::from<float>({2, 5, 3}, values)}});
  for (const char* golden : {"model_v1/model", "model_v2/model", "integer_v1/lstm_int4", "integer_v1/gru_after_int8"}) {
    fs::copy_file(testing_support::own_goldens(std::string(golden) + ".safetensors"), path("old.safetensors"),
                  fs::copy_options::overwrite_existing);
    const auto converted = run_json("convert old.safetensors -o new.safetensors");
    EXPECT_EQ(converted["bytes"], fs::file_size(path("new.safetensors")));
    EXPECT_LT(converted["bytes"], converted["input_bytes"]) << golden;
    EXPECT_NE(read("new.safetensors").find("\"version\":\"4\""), std::string::npos);
    run_json("run old.safetensors --input three.npz -o old.npz");
    run_json("run new.safetensors --input three.npz -o new.npz");
    EXPECT_EQ(read_npz(path("new.npz")), read_npz(path("old.npz"))) << golden;
    EXPECT_EQ(run_json("inspect new.safetensors")["fingerprint"], run_json("inspect old.safetensors")["fingerprint"]);
  }
  for (const char* golden : {"memory_v1", "memory_v2", "memory_v3"}) {
    fs::copy_file(testing_support::own_goldens(golden) / "network.safetensors", path("old.safetensors"),
                  fs::copy_options::overwrite_existing);
    run_json("convert old.safetensors -o new.safetensors");
    write("story.txt", "Mary went to the kitchen. John went to the garden. Where is Mary?\n");
    const auto answers = [&](const char* model) {
      return run_json(std::string("run ") + model + " --input story.txt --explain")["questions"];
    };
    EXPECT_FALSE(answers("new.safetensors").empty());
    EXPECT_EQ(answers("new.safetensors"), answers("old.safetensors")) << golden;
  }
}

TEST_F(FilesTest, ConvertTakesWhatNamesAndTheUserSay) {
  const std::map<std::string, std::vector<std::int64_t>> lstm{{"lstm.weight_ih_l0", {16, 4}},
                                                              {"lstm.weight_hh_l0", {16, 4}},
                                                              {"lstm.bias_ih_l0", {16}},
                                                              {"lstm.bias_hh_l0", {16}}};
  auto tensors = lstm;
  tensors["word_embeddings.weight"] = {9, 4};
  write_torch("embedding.safetensors", tensors);
  const auto embedding = run_json("convert embedding.safetensors -o m.safetensors");
  EXPECT_EQ(embedding["nodes"][0]["kind"], "embedding");
  EXPECT_EQ(embedding["modules"][1]["name"], "word_embeddings");
  EXPECT_EQ(embedding["modules"][1]["role"], "embedding");

  tensors = lstm;
  tensors["input_proj.weight"] = {4, 4};
  tensors["input_proj.bias"] = {4};
  write_torch("square.safetensors", tensors);
  const std::string convert = "convert square.safetensors -o m.safetensors";
  expect_failure(3, convert, {"square.safetensors", "'input_proj.weight' (4x4) cannot be placed", "--map input_proj="});
  EXPECT_EQ(run_json(convert + " --map input_proj=ignore")["nodes"].size(), 1u);
  EXPECT_EQ(run_json(convert + " --map input_proj=head")["nodes"].size(), 3u);
  expect_failure(2, convert + " --map input_proj", {"--map", "NAME=ROLE"});
  expect_failure(2, convert + " --map input_proj=tail", {"'tail'", "embedding, rnn, head, ignore"});
  expect_failure(2, convert + " --map other=ignore", {"other", "input_proj"});

  write_torch("empty.safetensors", {});
  expect_failure(3, "convert empty.safetensors -o m.safetensors", {"empty.safetensors", "holds no tensor"});
}

// h_n of a bidirectional layer: what other frameworks hand to a classifier, where output[-1] is half of another thing.
TEST_F(FilesTest, ConvertOffersTheFinalStateOfEachDirection) {
  std::map<std::string, std::vector<std::int64_t>> tensors;
  for (const char* suffix : {"", "_reverse"}) {
    tensors[std::string("gru.weight_ih_l0") + suffix] = {9, 4};
    tensors[std::string("gru.weight_hh_l0") + suffix] = {9, 3};
  }
  write_torch("layers.safetensors", tensors);
  tensors["fc.weight"] = {2, 6};
  write_torch("both.safetensors", tensors);
  ASSERT_EQ(run("convert layers.safetensors -o layers.q.safetensors").exit_code, 0);
  const auto last = run_json("convert both.safetensors -o last.safetensors");
  ASSERT_EQ(last["warnings"].size(), 1u);
  EXPECT_NE(last["warnings"][0].get<std::string>().find("--head h_n"), std::string::npos);
  const auto final = run_json("convert both.safetensors -o final.safetensors --head h_n");
  EXPECT_TRUE(final["warnings"].empty());
  EXPECT_EQ(final["nodes"][1]["name"], "final");
  ASSERT_EQ(run("run final.safetensors --input x.npz -o final.npz").exit_code, 0);
  ASSERT_EQ(run("run layers.q.safetensors --input x.npz -o layers.npz").exit_code, 0);
  const Npz found = read_npz(path("final.npz")), steps = read_npz(path("layers.npz"));
  const Model model = load(path("final.safetensors"));
  const auto W = model.tensor("scores.W").as<float>();
  const auto y = steps.at("y").as<float>(), scores = found.at("y").as<float>();
  for (std::size_t sequence = 0; sequence < 2; ++sequence) {
    for (std::size_t unit = 0; unit < 2; ++unit) {
      double sum = 0;
      for (std::size_t j = 0; j < 6; ++j) {
        const std::size_t step = j < 3 ? kSteps - 1 : 0;
        sum += static_cast<double>(W[unit * 6 + j]) * static_cast<double>(y[(sequence * kSteps + step) * 6 + j]);
      }
      EXPECT_NEAR(scores[sequence * 2 + unit], sum, 1e-5);
    }
  }
}

}  // namespace
}  // namespace quaver::testing_support
