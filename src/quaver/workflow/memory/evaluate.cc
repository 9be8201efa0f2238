#include <chrono>

#include "quaver/core/error.h"
#include "quaver/core/text.h"
#include "quaver/train/memory/train.h"
#include "quaver/workflow/fields.h"
#include "quaver/workflow/memory/calls.h"
#include "quaver/workflow/memory/story_input.h"

namespace quaver {

EvaluateReport evaluate(const MemoryNetwork& network, const EvaluateRequest& request, Listener& listener) {
  if (!is_story_task(request.task))
    throw_bad_input(concat(request.model.string(), " is a memory network, task '", request.task,
                           "' needs a model of sequences; memory networks answer ", join(story_task_names(), ", "),
                           " and babi:FOLDER"));
  refuse({{"--metric", !request.metric.empty()}, {"--controls", request.controls}}, "models of sequences",
         concat(request.model.string(), " is a memory network, which is judged by its answers"));
  const auto start = std::chrono::steady_clock::now();
  const auto split = story_split(request.split);
  const Vocabulary vocabulary(network.words);
  const std::vector<StoryTask> tasks = load_story_tasks(request.task, request.data.of_stories(request.limit));
  MemoryEvaluateReport report;
  for (const StoryTask& task : tasks) {
    const CodedStories data(task.*split, vocabulary, network.shape.memory);
    warn_of_losses(concat("qa", task.number), data, network.shape.memory, listener);
    const MemoryScore score = score_memory(network, data);
    report.tasks.push_back({task.name, score.error, score.questions, score.loss});
    report.error += score.error / static_cast<double>(tasks.size());
    report.questions += score.questions;
  }
  report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return {.of_kind = report,
          .model = request.model.string(),
          .scheme = memory_scheme_text(network.scheme),
          .task = request.task,
          .split = request.split};
}

}  // namespace quaver
