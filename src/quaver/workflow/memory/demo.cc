#include <memory>
#include <utility>

#include "quaver/core/text.h"
#include "quaver/data/babi.h"
#include "quaver/engine/memory/memory_session.h"
#include "quaver/io/model_file/memory_file.h"
#include "quaver/model/formats/scheme.h"
#include "quaver/quantize/memory.h"
#include "quaver/report/cost/memory_inspect.h"
#include "quaver/report/machine/timing.h"
#include "quaver/report/show/table.h"
#include "quaver/train/memory/train.h"
#include "quaver/workflow/demo_parts.h"
#include "quaver/workflow/memory/story_input.h"

namespace quaver {
namespace {

constexpr const char* kStoryTask = "stories";
constexpr std::size_t kStoryEpochs = 60;
constexpr std::size_t kQuestions = 4000;  // a few seconds
constexpr std::size_t kMemory = 50;       // facts

struct Network {
  std::string scheme;
  MemoryNetwork network;
};

MemoryNetwork trained(const MemoryScheme& scheme, std::uint64_t seed, const CodedStories& train_data,
                      const CodedStories& validation_data, const Vocabulary& vocabulary, Listener& listener) {
  MemoryTrainOptions options = qmann_recipe(scheme);
  options.epochs = kStoryEpochs;
  options.seed = seed;
  options.keep = KeptWeights::kBest;
  listener.begin("training", "epochs", options.epochs);
  options.on_progress = [&](const MemoryTrainProgress& now) {
    listener.advance(now.epoch, concat("loss ", fixed_text(now.loss, 4), "  validation ",
                                       fixed_text(now.validation_error, 2), " %"));
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

ExplainedQuestion explain(const MemoryNetwork& network, const Story& story, const StoryQuestion& question,
                          const CodedStories::Question& coded) {
  MemorySession session(network);
  Memory memory = session.empty_memory();
  for (const WordNumbers fact : coded.facts) session.write(memory, fact);
  const MemoryAnswer answer = session.explain(memory, coded.words);
  ExplainedQuestion explained{.question = join(question.words, " ") + "?",
                              .answer = network.words[answer.best()],
                              .expected = question.answer,
                              .facts = {}};
  for (std::size_t i = 0; i < coded.facts.size(); ++i) {
    ExplainedQuestion::Fact& fact =
        explained.facts.emplace_back(ExplainedQuestion::Fact{join(story.facts[i], " "), {}});
    for (const std::vector<float>& hop : answer.attention) fact.p.push_back(hop[i]);
  }
  return explained;
}

// A question of the test that asks for a fact told before the last one.
std::optional<ExplainedQuestion> explain_one(const MemoryNetwork& network, const std::vector<Story>& stories,
                                             const CodedStories& test_data) {
  const auto tells = [](const Story& story, const StoryQuestion& question) {
    return question.facts >= 4 && question.facts <= 6 && !question.supporting.empty() &&
           question.supporting.front() + 2 < question.facts && story.facts.size() >= question.facts;
  };
  std::size_t place = 0;
  for (const Story& story : stories) {
    for (const StoryQuestion& question : story.questions) {
      const CodedStories::Question& coded = test_data.questions()[place++];
      if (tells(story, question)) return explain(network, story, question, coded);
    }
  }
  return std::nullopt;
}

}  // namespace

MemoryDemoReport demo_memory(const DemoRequest& request, Listener& listener) {
  const std::vector<StoryTask> tasks = load_story_tasks(
      kStoryTask, {.tasks = "1", .seed = request.seed, .questions = request.questions.value_or(kQuestions)});
  const StoryTask& task = tasks.front();
  const Vocabulary vocabulary = story_vocabulary(tasks);
  const CodedStories train_data(task.train, vocabulary, kMemory), validation_data(task.validation, vocabulary, kMemory),
      test_data(task.test, vocabulary, kMemory);
  listener.stage(concat("training a memory network on ", train_data.questions().size(),
                        " generated questions, in float and as ", kQmannScheme));
  const auto train = [&](const MemoryScheme& scheme) {
    return trained(scheme, request.seed, train_data, validation_data, vocabulary, listener);
  };
  MemoryScheme qmann = memory_scheme_from_name(kQmannScheme);
  qmann.integer_only = true;
  std::vector<Network> networks;
  networks.push_back({std::string(kFloatScheme), train({})});
  networks.push_back(
      {std::string(kDefaultScheme),
       quantize_memory(networks.front().network, memory_scheme_from_name(kDefaultScheme), questions_of(train_data))});
  networks.push_back({std::string(kQmannScheme), train(qmann)});

  const QuestionSizes sizes = question_sizes(questions_of(test_data));
  MemoryDemoReport report{.rows = {},
                          .task = kStoryTask,
                          .questions = sizes.questions,
                          .mean_facts = sizes.mean_facts(),
                          .explained = explain_one(networks.back().network, task.test, test_data)};
  const std::vector<double> seconds = question_times(networks, test_data);
  for (std::size_t i = 0; i < networks.size(); ++i) {
    const MemoryNetwork& network = networks[i].network;
    const MemoryInspection inspection = inspect(network, sizes, kStoryTask);
    report.rows.push_back({.scheme = networks[i].scheme,
                           .accuracy = 100 - score_memory(network, test_data).error,
                           .bytes = save_bytes(network).size(),
                           .weights_bytes_run = inspection.weights_bytes_run,
                           .float_ops = inspection.float_ops,
                           .us_per_question = 1e6 * seconds[i],
                           .energy = inspection.energy});
    if (!request.keep.empty())
      save(network, request.keep / concat(kMemoryCell, ".", networks[i].scheme, ".safetensors"));
  }
  return report;
}

}  // namespace quaver
