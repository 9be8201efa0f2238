#include <filesystem>
#include <string>

#include "quaver/core/error.h"
#include "quaver/core/text.h"
#include "quaver/workflow/fields.h"
#include "quaver/workflow/memory/calls.h"
#include "quaver/workflow/memory/story_input.h"

namespace quaver {
namespace {

struct CountedQuestions {
  QuestionSizes sizes{};
  std::string source{};  // for people
};

CountedQuestions described(const MemoryNetwork& network, const InspectRequest& request) {
  refuse({{"--limit", request.limit.has_value()},
          {"--tasks", request.data.tasks.has_value()},
          {"--set", request.data.set.has_value()},
          {"--questions", request.data.questions.has_value()},
          {"--data-seed", request.data.data_seed.has_value()},
          {"--data", request.data.data_dir.has_value()}},
         "--input TASK", "here no questions are read");
  if (request.facts > network.shape.memory)
    throw_usage(concat("--facts ", request.facts, ": the network's memory holds ", network.shape.memory));
  CountedQuestions counted;
  counted.sizes.facts = request.facts > 0 ? request.facts : network.shape.memory;
  counted.sizes.question_words = request.words > 0 ? request.words : network.shape.sentence;
  counted.sizes.fact_words = counted.sizes.facts * counted.sizes.question_words;
  counted.source = request.facts > 0 || request.words > 0 ? "as described" : "the largest there is";
  return counted;
}

CountedQuestions asked(const MemoryNetwork& network, const InspectRequest& request, Listener& listener) {
  refuse({{"--facts", request.facts > 0}, {"--words", request.words > 0}}, "a question that is described",
         "here --input reads some");
  const AskedStories stories =
      read_asked_stories(request.input, network, request.data, request.limit.value_or(0), listener);
  const QuestionSizes sizes = question_sizes(stories.unanswered());
  return {sizes, concat(stories.source, ", mean of ", sizes.questions)};
}

}  // namespace

InspectReport inspect(const MemoryNetwork& network, const InspectRequest& request, Listener& listener) {
  const CountedQuestions counted =
      request.input.empty() ? described(network, request) : asked(network, request, listener);
  return {.inspection = inspect(network, counted.sizes, counted.source, std::filesystem::file_size(request.model),
                                load_energy_table(request.energy_table)),
          .file = request.model.string(),
          .provenance = network.provenance};
}

}  // namespace quaver
