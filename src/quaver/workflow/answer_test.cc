// Raw input through run(): recordings, tables and texts, as files, folders and streams.
#include <cmath>
#include <fstream>
#include <sstream>

#include "quaver/data/own/own_data.h"
#include "quaver/io/model_file/model_file.h"
#include "quaver/workflow/own_input.h"
#include "quaver/workflow/run.h"
#include "quaver/workflow/test_networks.h"

namespace quaver {
namespace {

using io_test::contains;
using io_test::error_of;
using samples::append;
using samples::fill_tensors;

class AnswerCall : public samples::Networks {
 protected:
  class Answers : public Listener {
   public:
    void answered(const Answer& answer) override { all.push_back(answer); }
    void warn(const std::string& text) override { warnings.push_back(text); }
    void note(const std::string& text) override { notes.push_back(text); }
    std::vector<Answer> all;
    std::vector<std::string> warnings, notes;
  };

  std::filesystem::path path_of(const std::string& name) const { return folder.path() / name; }
  std::filesystem::path write(const std::string& name, const std::string& text) const {
    std::filesystem::create_directories(path_of(name).parent_path());
    std::ofstream(path_of(name), std::ios::binary) << text;
    return path_of(name);
  }

  // 16-bit samples of a tone at 8000 Hz.
  static std::string tone(std::size_t samples, double hertz) {
    std::string bytes;
    for (std::size_t i = 0; i < samples; ++i) {
      const auto code = static_cast<std::uint16_t>(
          static_cast<std::int16_t>(8000 * std::sin(6.283185307 * hertz * static_cast<double>(i) / 8000)));
      bytes.push_back(static_cast<char>(code & 0xff));
      bytes.push_back(static_cast<char>(code >> 8));
    }
    return bytes;
  }
  static std::string wav(const std::string& samples) {
    const auto number = [](std::uint32_t value, int bytes) {
      std::string text;
      for (int i = 0; i < bytes; ++i) text.push_back(static_cast<char>(value >> 8 * i & 0xff));
      return text;
    };
    const auto size = static_cast<std::uint32_t>(samples.size());
    return "RIFF" + number(36 + size, 4) + "WAVEfmt " + number(16, 4) + number(1, 2) + number(1, 2) + number(8000, 4) +
           number(16000, 4) + number(2, 2) + number(16, 2) + "data" + number(size, 4) + samples;
  }

  // A model that nobody trained, with the pipeline of this data.
  void make_model(const std::string& spec, const OwnDataOptions& options = {}) {
    make_model(OwnData::open(*parse_data_spec(spec), options).pipeline());
  }
  void make_model(const Pipeline& pipeline) {
    Model made;
    made.name = "untrained";
    const auto features = static_cast<std::int64_t>(pipeline.features);
    if (pipeline.vocabulary > 0) {
      made.inputs = {{"input", {{1}, true, {NumberType::kI32, 1.0f, 0}}}};
      append(made, "embedding",
             EmbeddingAttributes{.vocabulary = static_cast<std::int64_t>(pipeline.vocabulary), .features = 6}, "f32",
             {});
    } else {
      made.inputs = {{"input", {{features}, true, {}}}};
    }
    append(made, "cell", GruAttributes{.input_size = made.nodes.empty() ? features : 6, .hidden_size = 4}, "f32", {});
    if (!is_of_steps(pipeline.target)) append(made, "pool", PoolAttributes{Pooling::kLast}, "f32", {});
    const std::size_t units = is_real(pipeline.target) ? pipeline.target_mean.size() : pipeline.classes.size();
    append(made, "scores", DenseAttributes{.input_size = 4, .units = static_cast<std::int64_t>(units)}, "f32", {});
    fill_tensors(made, 7);
    made.outputs = {"scores"};
    keep_pipeline(pipeline, made);
    save(made, model);
  }
  AnswerReport answers(RunRequest request) {
    request.model = model;
    return std::get<AnswerReport>(run(request, heard_));
  }

  void make_speech() {
    for (const char* name : {"high", "low"})
      for (int i = 0; i < 4; ++i)
        write("wavs/" + std::string(name) + "/" + std::to_string(i) + ".wav",
              wav(tone(2000 + 100 * static_cast<std::size_t>(i), *name == 'h' ? 2000 : 200)));
    make_model("wav:" + path_of("wavs").string());
  }

  AnswerReport streamed(const std::string& text, RunRequest request = {}) {
    std::istringstream in(text);
    request.input = "-";
    request.text_in = &in;
    return answers(request);
  }
  std::string stream_error(const std::string& text, const RunRequest& request = {},
                           ErrorKind kind = ErrorKind::kBadInput) {
    return error_of([&] { streamed(text, request); }, kind);
  }

  Answers heard_;
};

TEST_F(AnswerCall, NamesRecordings) {
  make_speech();
  const std::filesystem::path file = path_of("wavs/low/1.wav");
  const AnswerReport one = answers({.input = file});
  ASSERT_EQ(one.answers.size(), 1u);
  EXPECT_EQ(one.answers[0].place, file.string());
  EXPECT_TRUE(one.answers[0].says == "high" || one.answers[0].says == "low");
  EXPECT_GE(one.answers[0].probability, 0.5);
  const AnswerReport all = answers({.input = path_of("wavs")});
  EXPECT_EQ(all.count, 8u);
  EXPECT_EQ(all.answers[5].says, one.answers[0].says);
  EXPECT_EQ(all.answers[5].probability, one.answers[0].probability);
  EXPECT_GT(answers({.input = "wav:" + path_of("wavs").string()}).count, 0u);
}

TEST_F(AnswerCall, NamesSamplesAsTheyCome) {
  make_speech();
  const std::string samples = tone(8000, 200);
  std::istringstream in(samples);
  const AnswerReport report = answers({.input = "-", .text_in = &in, .keep_answers = false, .every = 0.5});
  EXPECT_EQ(report.count, 2u);
  EXPECT_TRUE(report.answers.empty());
  ASSERT_EQ(heard_.all.size(), 2u);
  EXPECT_EQ(heard_.all[1].place, "0.5 to 1 s");
  // The first piece is what a recording of it is.
  const std::filesystem::path file = write("piece.wav", wav(samples.substr(0, 8000)));
  const double streamed = heard_.all[0].probability;
  EXPECT_EQ(answers({.input = file}).answers[0].probability, streamed);
}

TEST_F(AnswerCall, ForecastsRowsInTheUnitsOfTheTable) {
  std::string table = "date,load,heat\n";
  for (int i = 0; i < 120; ++i)
    table += "2026-01-01," + std::to_string(1000 + i) + "," + std::to_string(20 + i % 7) + "\n";
  const std::filesystem::path file = write("t.csv", table);
  make_model("csv:" + file.string(), {.targets = {"load", "heat"}, .window = 8, .horizon = 3});
  const AnswerReport report = answers({.input = file});
  ASSERT_EQ(report.answers.size(), 3u);
  EXPECT_EQ(report.columns, (std::vector<std::string>{"load", "heat"}));
  EXPECT_EQ(report.answers[0].place, "row 121");
  // Of a model that says little: near the last row.
  EXPECT_NEAR(report.answers[0].values[0], 1119, 50);
  EXPECT_NEAR(report.answers[2].values[1], 21, 5);

  std::istringstream in(table);
  const AnswerReport streamed = answers({.input = "-", .text_in = &in});
  ASSERT_EQ(streamed.count, 3u * 113u);
  EXPECT_EQ(streamed.answers.back().values, report.answers.back().values) << "the last window is the file's";
  // The last example of test is of rows 118 to 120.
  const AnswerReport examples = answers({.input = "csv:" + file.string()});
  std::istringstream before(table.substr(0, table.rfind("2026-01-01,1117")));
  EXPECT_EQ(examples.answers.back().values, answers({.input = "-", .text_in = &before}).answers.back().values);

  // A model of before distances reads levels: the same in a file and among examples.
  Pipeline levels =
      OwnData::open(*parse_data_spec("csv:" + file.string()), {.targets = {"load", "heat"}, .window = 8, .horizon = 3})
          .pipeline();
  levels.table->distances = false;
  make_model(levels);
  std::istringstream again(table.substr(0, table.rfind("2026-01-01,1117")));
  const AnswerReport of_levels = answers({.input = "-", .text_in = &again});
  EXPECT_EQ(answers({.input = "csv:" + file.string()}).answers.back().values, of_levels.answers.back().values);
  EXPECT_NE(of_levels.answers.back().values, examples.answers.back().values);

  const std::filesystem::path other = write("other.csv", "date,load\n2026-01-01,5\n");
  EXPECT_TRUE(
      contains(error_of([&] { answers({.input = other}); }), "there is no column 'heat', which the model reads"));
  const std::filesystem::path few = write("few.csv", "load,heat\n1,2\n");
  EXPECT_TRUE(contains(error_of([&] { answers({.input = few}); }), "there are 1 rows, expected at least the 8"));
}

TEST_F(AnswerCall, NamesRows) {
  std::string table = "x,state\n";
  for (int i = 0; i < 60; ++i) table += std::to_string(i % 10) + "," + (i % 10 < 5 ? "low" : "high") + "\n";
  const std::filesystem::path file = write("t.csv", table);
  make_model("csv:" + file.string(), {.label = "state", .window = 20});
  EXPECT_GE(answers({.input = file}).count, 1u);
  EXPECT_TRUE(answers({.input = file}).answers[0].place.starts_with("row"));
  const std::filesystem::path unlabelled = write("u.csv", "x,note\n1,a\n2,b\n");
  EXPECT_GE(answers({.input = unlabelled}).count, 1u) << "neither the label nor a column of text is needed";
}

TEST_F(AnswerCall, NamesTextsAndGoesOnWithRunningOnes) {
  std::string texts;
  for (int i = 0; i < 20; ++i) texts += i % 2 == 0 ? "a good film\tgood\n" : "what a bad one\tbad\n";
  make_model("text:" + write("t.tsv", texts).string());
  const AnswerReport report = answers({.input = write("new.txt", "good\n\na bad film\n")});
  ASSERT_EQ(report.answers.size(), 2u);
  EXPECT_EQ(report.answers[1].place, "line 3");
  std::istringstream in("good\na bad film\n");
  const AnswerReport streamed = answers({.input = "-", .text_in = &in});
  EXPECT_EQ(streamed.answers[1].probability, report.answers[1].probability);

  make_model("lm:" + write("l.txt", "to be or not to be that is the question to be or not to be").string());
  const std::filesystem::path beginning = write("b.txt", "to be");
  const AnswerReport one = answers({.input = beginning, .generate = 20, .seed = 3});
  ASSERT_EQ(one.answers.size(), 1u);
  EXPECT_TRUE(one.answers[0].says.starts_with("to be"));
  EXPECT_FALSE(one.answers[0].says.starts_with("to be\n")) << "a file's last line end is not its text's";
  EXPECT_EQ(answers({.input = beginning, .generate = 20, .seed = 3}).answers[0].says, one.answers[0].says);
  EXPECT_NE(answers({.input = beginning, .generate = 20, .seed = 4}).answers[0].says, one.answers[0].says);
}

TEST_F(AnswerCall, AFolderOfRecordingsIsAnsweredAsFarAsItCanBeRead) {
  make_speech();
  write("wavs/low/broken.wav", "no sound");
  std::filesystem::create_directory_symlink(path_of("wavs"), path_of("wavs") / "circle");
  EXPECT_TRUE(contains(error_of([&] { answers({.input = path_of("wavs")}); }), "broken.wav"));
  RunRequest request{.input = path_of("wavs")};
  request.data.own.skip_broken = true;
  heard_.notes.clear();
  EXPECT_EQ(answers(request).count, 8u);
  ASSERT_EQ(heard_.notes.size(), 2u);
  EXPECT_EQ(heard_.notes[0], "not followed: 1 link to a folder: circle");
  EXPECT_TRUE(contains(heard_.notes[1], "left out: 1 of 9 recordings cannot be read, the first: "));
  request.input = path_of("wavs/low/0.wav");
  EXPECT_TRUE(contains(error_of([&] { answers(request); }, ErrorKind::kUsage), "--skip-broken"));
}

TEST_F(AnswerCall, SamplesAreWhatTheyClaim) {
  make_speech();
  EXPECT_TRUE(contains(stream_error(wav(tone(4000, 200))), "the header of a .wav file"));
  EXPECT_TRUE(contains(stream_error(tone(4000, 200), {.every = 0.02}, ErrorKind::kUsage), "--every 0.02 s is less"));
  EXPECT_TRUE(contains(stream_error(tone(4000, 200), {.max_memory = 10}, ErrorKind::kUsage), "--max-memory"));
  EXPECT_EQ(streamed(tone(4000, 200) + "x", {.every = 0.5}).count, 1u);
  ASSERT_EQ(heard_.warnings.size(), 1u);
  EXPECT_TRUE(contains(heard_.warnings[0], "ends within a sample"));
  EXPECT_EQ(streamed(tone(4100, 200), {.every = 0.5}).count, 1u);
  ASSERT_EQ(heard_.notes.size(), 1u);
  EXPECT_TRUE(contains(heard_.notes[0], "the last 100 samples are less than a frame"));
}

TEST_F(AnswerCall, LinesThatComeAreReadAsThoseOfFiles) {
  std::string texts;
  for (int i = 0; i < 20; ++i) texts += i % 2 == 0 ? "a good film\tgood\n" : "what a bad one\tbad\n";
  make_model("text:" + write("t.tsv", texts).string());
  const double expected = answers({.input = write("new.txt", "film\n")}).answers[0].probability;
  for (const char* text : {"\xef\xbb\xbf"
                           "film\r\n\r\n",
                           "film"}) {
    const AnswerReport report = streamed(text);
    ASSERT_EQ(report.count, 1u);
    EXPECT_EQ(report.answers[0].probability, expected);
  }
  EXPECT_TRUE(contains(stream_error(std::string("a\nb\0", 4)), "standard input, line 2: the control character 0"));
  EXPECT_TRUE(contains(stream_error("a\xff\n"), "standard input, line 1: the byte 255"));
  for (const char* nothing : {"", "\n\n"})
    EXPECT_TRUE(contains(stream_error(nothing), "standard input: there is no text"));

  make_model("lm:" + write("l.txt", "to be or not to be that is the question to be or not to be").string());
  const std::string going_on = streamed("to be", {.generate = 20}).answers[0].says;
  EXPECT_EQ(streamed("\xef\xbb\xbfto be\r\n", {.generate = 20}).answers[0].says, going_on);
  EXPECT_TRUE(contains(stream_error(""), "standard input: there is no token"));
  EXPECT_TRUE(contains(stream_error("to be or not", {.max_memory = 10}), "--max-memory"));
  EXPECT_TRUE(contains(stream_error("to be", {.temperature = 0, .seed = 1}, ErrorKind::kUsage), "--seed belongs to"));
}

TEST_F(AnswerCall, RowsWithoutANumberAreDroppedAsInFiles) {
  std::string table = "load,heat\n";
  for (int i = 0; i < 60; ++i) table += std::to_string(i) + "," + (i % 9 == 4 ? "" : std::to_string(i % 7)) + "\n";
  const std::filesystem::path file = write("t.csv", table);
  for (const MissingValues missing : {MissingValues::kDrop, MissingValues::kHold}) {
    make_model("csv:" + file.string(), {.window = 8, .horizon = 2, .missing = missing});
    const AnswerReport expected = answers({.input = file}), found = streamed(table);
    EXPECT_EQ(found.answers.back().values, expected.answers.back().values);
    EXPECT_EQ(found.answers.back().place, expected.answers.back().place);
  }
  EXPECT_TRUE(contains(stream_error("load,heat\n1,2\n\n3,4\n"), "standard input, line 3: this line is empty"));
  EXPECT_TRUE(contains(stream_error("load,heat\n1,2\n3\n"), "standard input, line 3: this row has 1 fields"));
  EXPECT_TRUE(contains(stream_error("load,heat\n"), "no forecast of 0 rows"));
  EXPECT_TRUE(contains(error_of([&] { answers({.input = file, .max_memory = 10}); }), "--max-memory"));
  EXPECT_TRUE(
      contains(error_of([&] { answers({.input = "csv:" + file.string(), .max_memory = 10}); }), "--max-memory"));
}

TEST_F(AnswerCall, OtherFilesAreToldWhatTheModelReads) {
  make_speech();
  EXPECT_TRUE(contains(error_of([&] { answers({.input = path_of("nowhere.dat")}); }), "no such file or folder"));
  EXPECT_TRUE(contains(error_of([&] { answers({.input = write("a.dat", "x")}); }),
                       "expected a recording (.wav) or a folder of them, wav:PATH, or arrays (.npz)"));
}

TEST_F(AnswerCall, RefusesWhatDoesNotFit) {
  const std::filesystem::path file = write("x.wav", wav(tone(2000, 100)));
  EXPECT_TRUE(contains(error_of([&] { run({.model = model, .input = file}, heard); }), "does not say how it reads"));
  make_speech();
  EXPECT_TRUE(contains(error_of([&] { answers({.input = write("t.csv", "a\n1\n")}); }),
                       "learned from data of kind 'wav'; expected a .wav file or a folder of them"));
  EXPECT_TRUE(contains(error_of([&] { answers({.input = file, .output = path_of("y.npz")}); }, ErrorKind::kUsage),
                       "--output belongs to arrays"));
  const auto refused = [&](const RunRequest& request) {
    return error_of([&] { answers(request); }, ErrorKind::kUsage);
  };
  EXPECT_TRUE(contains(refused({.input = file, .split = "train"}), "--split"));
  EXPECT_TRUE(contains(refused({.input = file, .every = 2}), "--every"));
  EXPECT_TRUE(contains(refused({.input = file, .generate = 20}), "--generate"));
  EXPECT_TRUE(contains(refused({.input = file, .temperature = 1}), "--temperature"));
  EXPECT_TRUE(contains(refused({.input = file, .seed = 1}), "--seed"));
  EXPECT_TRUE(contains(refused({.input = path_of("x.npz"), .seed = 1}), "--seed"));
  std::istringstream nothing;
  EXPECT_TRUE(
      contains(error_of([&] { answers({.input = "-", .text_in = &nothing}); }), "there is no frame of samples"));
}

}  // namespace
}  // namespace quaver
