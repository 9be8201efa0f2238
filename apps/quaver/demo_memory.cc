#include "demo_memory.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

#include "quaver/core/text.h"
#include "quaver/data/babi.h"
#include "quaver/engine/memory/memory_session.h"
#include "quaver/io/model_file/memory_file.h"
#include "quaver/model/formats/scheme.h"
#include "quaver/quantize/memory.h"
#include "quaver/report/cost/memory_inspect.h"
#include "quaver/report/machine/timing.h"
#include "quaver/report/show/progress.h"
#include "quaver/report/show/table.h"
#include "quaver/train/memory/train.h"
#include "shared.h"

namespace quaver {
namespace {

constexpr const char* kStoryTask = "stories";
constexpr std::size_t kStoryEpochs = 60;

MemoryQuestion question_of(const CodedStories::Question& question) {
  return {.facts = question.facts, .words = question.words};
}

struct Network {
  std::string scheme;
  MemoryNetwork network;
};

MemoryNetwork trained(const MemoryScheme& scheme, std::uint64_t seed, const CodedStories& train_data,
                      const CodedStories& validation_data, const Vocabulary& vocabulary) {
  MemoryTrainOptions options = qmann_recipe(scheme);
  options.epochs = kStoryEpochs;
  options.seed = seed;
  options.keep = KeptWeights::kBest;
  Progress progress("training", "epochs", options.epochs);
  options.on_progress = [&](const MemoryTrainProgress& now) {
    progress.update(now.epoch, fmt::format("loss {:.4f}  validation {:.2f} %", now.loss, now.validation_error));
  };
  MemoryNetwork network = train_memory(train_data, validation_data, vocabulary, options).network;
  network.name = "demo";
  network.task = kStoryTask;
  return network;
}

// Seconds of a question whose facts are told first, each call another one of the test's.
std::vector<double> question_times(const std::vector<Network>& networks, const CodedStories& test_data) {
  std::vector<Contestant> contestants;
  for (const Network& network : networks) {
    struct Asked {
      MemorySession session;
      Memory memory;
      std::size_t next = 0;
    };
    MemorySession session(network.network);
    Memory memory = session.empty_memory();
    auto asked = std::make_shared<Asked>(Asked{std::move(session), std::move(memory)});
    contestants.push_back({network.scheme, clocked([asked, &test_data](std::size_t calls) {
                             for (std::size_t i = 0; i < calls; ++i) {
                               asked->next = (asked->next + 1) % test_data.questions().size();
                               const CodedStories::Question& question = test_data.questions()[asked->next];
                               asked->session.forget_all(asked->memory);
                               for (const WordNumbers fact : question.facts) asked->session.write(asked->memory, fact);
                               asked->session.answer(asked->memory, question.words);
                             }
                           })});
  }
  std::vector<double> seconds;
  for (const Timing& timing : measure(contestants)) seconds.push_back(timing.median);
  return seconds;
}

// A question of the test that asks for a fact told before the last one, with p of every hop.
void explain(const MemoryNetwork& network, const std::vector<Story>& stories, const CodedStories& test_data,
             MemoryDemo& demo) {
  std::size_t place = 0;
  const auto tells = [&](const Story& story, const StoryQuestion& question) {
    return question.facts >= 4 && question.facts <= 6 && !question.supporting.empty() &&
           question.supporting.front() + 2 < question.facts && story.facts.size() >= question.facts;
  };
  for (const Story& story : stories) {
    for (const StoryQuestion& question : story.questions) {
      const CodedStories::Question& coded = test_data.questions()[place++];
      if (!tells(story, question)) continue;
      MemorySession session(network);
      Memory memory = session.empty_memory();
      for (const WordNumbers fact : coded.facts) session.write(memory, fact);
      const MemoryAnswer answer = session.explain(memory, coded.words);
      std::vector<Column> columns{{"fact"}, {"", Align::kLeft}};
      for (std::size_t hop = 0; hop < answer.attention.size(); ++hop) columns.push_back({concat("hop ", hop + 1)});
      Table table(std::move(columns));
      nlohmann::ordered_json looked_at = nlohmann::ordered_json::array();
      for (std::size_t fact = 0; fact < coded.facts.size(); ++fact) {
        std::vector<std::string> row{std::to_string(fact + 1), join(story.facts[fact], " ")};
        std::vector<float> p;
        for (const std::vector<float>& hop : answer.attention) {
          p.push_back(hop[fact]);
          row.push_back(fixed_text(hop[fact], 2));
        }
        looked_at.push_back({{"fact", fact + 1}, {"text", row[1]}, {"p", p}});
        table.add_row(std::move(row));
      }
      const std::string asked = join(question.words, " ") + "?", &word = network.words[answer.best()];
      demo.explained = {
          {"question", asked}, {"answer", word}, {"expected", question.answer}, {"looked_at", std::move(looked_at)}};
      demo.text += fmt::format("\n{}{}  {}{}\n", table.text(), asked, word,
                               word == question.answer ? "" : fmt::format("  (the story says {})", question.answer));
      return;
    }
  }
}

}  // namespace

MemoryDemo demo_memory(const MemoryDemoOptions& options) {
  const std::uint64_t seed = options.seed;
  const std::vector<StoryTask> tasks =
      load_story_tasks(kStoryTask, {.tasks = "1", .seed = seed, .questions = options.questions});
  const StoryTask& task = tasks.front();
  const Vocabulary vocabulary = story_vocabulary(tasks);
  constexpr std::size_t kMemory = 50;
  const CodedStories train_data(task.train, vocabulary, kMemory), validation_data(task.validation, vocabulary, kMemory),
      test_data(task.test, vocabulary, kMemory);
  std::vector<MemoryQuestion> asked, calibration;
  for (const CodedStories::Question& question : test_data.questions()) asked.push_back(question_of(question));
  for (const CodedStories::Question& question : train_data.questions()) calibration.push_back(question_of(question));

  say(fmt::format("training a memory network on {} generated questions, in float and as {}",
                  train_data.questions().size(), kQmannScheme));
  MemoryScheme qmann = memory_scheme_from_name(kQmannScheme);
  qmann.integer_only = true;
  std::vector<Network> networks;
  networks.push_back({std::string(kFloatScheme), trained({}, seed, train_data, validation_data, vocabulary)});
  networks.push_back({std::string(kDefaultScheme),
                      quantize_memory(networks.front().network, memory_scheme_from_name(kDefaultScheme), calibration)});
  networks.push_back({std::string(kQmannScheme), trained(qmann, seed, train_data, validation_data, vocabulary)});

  MemoryDemo demo{.results = nlohmann::ordered_json::array(), .explained = nullptr, .text = {}};
  const std::vector<double> seconds = question_times(networks, test_data);
  Table table({{"memory network", Align::kLeft},
               {"accuracy %"},
               {"weights B"},
               {"us/question"},
               {"float ops"},
               {"nJ/question"},
               {"gain"},
               {"paper's rules"}});
  for (std::size_t i = 0; i < networks.size(); ++i) {
    const Network& one = networks[i];
    const MemoryInspection inspection = inspect(one.network, question_sizes(asked), kStoryTask);
    const double accuracy = 100 - score_memory(one.network, test_data).error;
    table.add_row({one.scheme, fixed_text(accuracy, 2), count_text(inspection.weights_bytes_run),
                   fixed_text(1e6 * seconds[i], 2), count_text(inspection.float_ops),
                   fixed_text(inspection.energy.pj / 1000, 2), fixed_text(inspection.energy.gain(), 1) + "x",
                   fixed_text(inspection.energy.paper_gain(), 1) + "x"});
    nlohmann::ordered_json row{{"cell", kMemoryCell},
                               {"scheme", one.scheme},
                               {"accuracy", accuracy},
                               {"bytes", save_bytes(one.network).size()},
                               {"weights_bytes_run", inspection.weights_bytes_run},
                               {"us_per_question", 1e6 * seconds[i]},
                               {"float_ops", inspection.float_ops}};
    row.update(to_json(inspection.energy));
    demo.results.push_back(std::move(row));
    if (!options.keep.empty()) save(one.network, options.keep / fmt::format("memn2n.{}.safetensors", one.scheme));
  }
  const QuestionSizes sizes = question_sizes(asked);
  demo.text = table.text() + fmt::format(
                                 "\n{}: {} questions of {:.1f} facts, told and asked; energy of arithmetic, by "
                                 "our rules and by rules fitted to the paper's 22x: docs/energy.md\n",
                                 kStoryTask, sizes.questions, sizes.mean_facts());
  explain(networks.back().network, task.test, test_data, demo);
  return demo;
}

}  // namespace quaver
