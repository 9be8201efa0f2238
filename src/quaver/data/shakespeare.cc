// shakespeare.cc - Tiny Shakespeare: 1.1 MB of plays, whose next character is to be told.
//
// Split in order as own text is (own/lm.h): 90 % train, as usual for this file, of the rest one half for validation and
// one for test; figures of those who give the last 10 % are of both. Characters are numbered as they sort.
#include <deque>
#include <optional>
#include <string_view>
#include <utility>

#include "quaver/core/error.h"
#include "quaver/core/printable.h"
#include "quaver/core/text.h"
#include "quaver/data/own/lines.h"
#include "quaver/data/own/lm.h"
#include "quaver/data/task_row.h"

namespace quaver {
namespace {

constexpr std::string_view kCharacters = "\n !$&',-.3:;?ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

const DataFile& data_file() {
  static const DataFile file{.task = "shakespeare",
                             .file = "text/tinyshakespeare.txt.xz",
                             .set = "Tiny Shakespeare (Karpathy, github.com/karpathy/char-rnn)",
                             .contents = "its plays, one behind the other"};
  return file;
}

std::vector<Example> load_shakespeare(Split split, const TaskOptions& options) {
  LineReader lines(find_data_file(data_file(), options));
  std::deque<std::int32_t> ids;
  const auto add = [&](char character) {
    const std::size_t id = kCharacters.find(character);
    if (id == std::string_view::npos)
      throw_bad_input(concat(lines.where(), ": the character '", printable(std::string(1, character)),
                             "' is none of the ", kCharacters.size(), " of the plays"));
    ids.push_back(static_cast<std::int32_t>(id));
  };
  while (const std::optional<std::string_view> line = lines.next()) {
    for (const char character : *line) add(character);
    add('\n');
    require_memory(concat(lines.where(), ": the characters up to here have"), ids.size() * sizeof(std::int32_t),
                   options.max_memory);
  }
  const RunningText text(lines.name(), std::move(ids), kTextWindow);
  std::vector<Example> examples;
  for (const std::size_t index : spread(text.size(split), options.limit)) examples.push_back(text.read(split, index));
  return examples;
}

}  // namespace

TaskRow shakespeare_row() {
  std::vector<std::string> classes;
  for (const char character : kCharacters) classes.emplace_back(1, character);
  return {.info = {.name = "shakespeare",
                   .summary = "the next character of plays, from 128 at most",
                   .target = Target::kTags,
                   .features = 0,
                   .classes = std::move(classes),
                   .needs = data_file().file,
                   .step_seconds = 0,
                   .vocabulary = kCharacters.size(),
                   .metric = "bits_per_character"},
          .load = load_shakespeare};
}

}  // namespace quaver
