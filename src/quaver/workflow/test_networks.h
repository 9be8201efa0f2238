// test_networks.h - a folder with small networks of both kinds that fit the generated tasks 'chirps' and 'stories', for
// the tests of this floor's calls.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "quaver/io/model_file/artifact_file.h"
#include "quaver/model/sample_models.h"
#include "quaver/npz/npz.h"
#include "quaver/report/memory_samples.h"
#include "quaver/workflow/data_source.h"
#include "quaver/workflow/listener.h"
#include "support/files.h"

namespace quaver::samples {

// Keeps what it is told.
class Heard : public Listener {
 public:
  void stage(const std::string& text) override { stages.push_back(text); }
  void begin(const std::string& work, const std::string& unit, std::size_t total) override {
    begun.push_back(work + " " + unit);
    expected = total;
  }
  void resume(std::size_t now) override { resumed = now; }
  void advance(std::size_t now, const std::string&) override { done = now; }
  void warn(const std::string& text) override { warnings.push_back(text); }
  void answered(const StoryReply& reply) override { replies.push_back(reply); }

  std::vector<std::string> stages, begun, warnings;
  std::size_t expected = 0, resumed = 0, done = 0;
  std::vector<StoryReply> replies;
};

class Networks : public ::testing::Test {
 protected:
  Networks() {
    save(chirps_model(), model);
    stories.data_seed = 3;
    stories.questions = 40;
    const Vocabulary vocabulary = story_vocabulary(load_story_tasks("stories", stories.of_stories()));
    MemN2NShape shape = kMemoryShape;
    shape.vocabulary = vocabulary.size();
    shape.sentence = 8;
    MemoryNetwork memory = memory_network(shape, {});
    memory.words = vocabulary.words();
    save(memory, network);
  }

  // Two sequences of five steps for the model.
  std::filesystem::path sequences() const {
    const auto features = static_cast<std::int64_t>(task_info("chirps").features);
    const std::vector<float> values(static_cast<std::size_t>(10 * features), 0.5f);
    const std::filesystem::path path = folder.path() / "x.npz";
    write_npz(path, {{"x", NpzArray::from<float>({2, 5, features}, values)}});
    return path;
  }

  static Model chirps_model() {
    const auto features = static_cast<std::int64_t>(task_info("chirps").features);
    Model made;
    made.name = "chirper";
    made.inputs = {{"input", {{features}, true, {}}}};
    append(made, "cell", GruAttributes{.input_size = features, .hidden_size = 4}, "f32", {});
    append(made, "pool", PoolAttributes{Pooling::kLast}, "f32", {});
    append(made, "scores", DenseAttributes{.input_size = 4, .units = 10}, "f32", {});
    fill_tensors(made, 7);
    made.outputs = {"scores"};
    return made;
  }

  const io_test::TemporaryFolder folder;
  const std::filesystem::path model = folder.path() / "model.safetensors";
  const std::filesystem::path network = folder.path() / "network.safetensors";
  const std::filesystem::path out = folder.path() / "out.safetensors";
  DataSource stories;
  Heard heard;
};

}  // namespace quaver::samples
