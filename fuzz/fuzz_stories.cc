// fuzz_stories.cc - parse_stories() on anything: an Error that names a line, or stories whose questions point at facts
// that are there.

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "quaver/core/error.h"
#include "quaver/data/babi.h"

namespace quaver {
namespace {

void check(const StoryQuestion& question, const Story& story) {
  if (question.words.empty() || question.answer.empty() || question.facts > story.facts.size()) std::abort();
  for (const std::size_t place : question.supporting)
    if (place >= question.facts) std::abort();
}

void parse(std::string_view text) {
  try {
    for (const Story& story : parse_stories(text, "text")) {
      for (const auto& words : story.facts)
        if (words.empty()) std::abort();
      for (const StoryQuestion& question : story.questions) check(question, story);
    }
  } catch (const Error& error) {
    if (!std::string_view(error.what()).starts_with("text:")) std::abort();
  }
}

}  // namespace
}  // namespace quaver

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  quaver::parse({reinterpret_cast<const char*>(data), size});
  return 0;
}
