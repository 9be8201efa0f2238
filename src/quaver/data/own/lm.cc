// lm.cc - running text as own data: vocabulary and split.
#include "quaver/data/own/lm.h"

#include <algorithm>
#include <map>
#include <utility>

#include "quaver/core/printable.h"
#include "quaver/core/text.h"
#include "quaver/data/own/lines.h"
#include "quaver/data/own/tokens.h"

namespace quaver {
namespace {

constexpr std::size_t kMostTokens = 1'000'000;

// Numbers tokens in order of appearance.
class Numbering {
 public:
  std::int32_t number(std::string_view token) {
    const auto found = numbers_.find(token);
    if (found != numbers_.end()) return found->second;
    tokens_.emplace_back(token);
    numbers_.emplace(token, static_cast<std::int32_t>(tokens_.size() - 1));
    return static_cast<std::int32_t>(tokens_.size() - 1);
  }
  const std::vector<std::string>& tokens() const { return tokens_; }

 private:
  std::map<std::string, std::int32_t, std::less<>> numbers_;
  std::vector<std::string> tokens_;
};

OpenedData open_lm(const DataSpec& spec, const OwnDataOptions& options, const Pipeline* trained) {
  if (options.window > kMostTokens)
    throw_usage(concat("a window of ", options.window, " tokens, expected 1 to ", kMostTokens));
  const std::string file = spec.path.string();
  const TokenUnit unit = trained != nullptr ? trained->tokens->unit : options.tokens.value_or(TokenUnit::kCharacter);
  LineReader lines(spec.path, options.progress);
  Numbering numbering;
  std::deque<std::int32_t> ids;
  while (const std::optional<std::string_view> line = lines.next()) {
    for_each_token(*line, unit, [&](std::string_view token) { ids.push_back(numbering.number(token)); });
    ids.push_back(numbering.number("\n"));
    const std::uint64_t bytes = ids.size() * sizeof(std::int32_t);
    if (bytes > options.max_memory)
      require_memory(concat(lines.where(), ": the tokens up to here have"), bytes, options.max_memory);
  }

  OpenedData opened;
  Pipeline& pipeline = opened.pipeline;
  const std::size_t window = options.window == 0 ? kTextWindow : options.window;
  if (trained != nullptr) {
    pipeline = *trained;
  } else {
    pipeline = {.kind = "lm", .target = Target::kTags};
    std::vector<std::size_t> counted(numbering.tokens().size());
    for (std::size_t place = 0; place < ids.size() / 20 * 18; ++place) ++counted[static_cast<std::size_t>(ids[place])];
    TokenCounts counts;
    for (std::size_t i = 0; i < counted.size(); ++i)
      if (counted[i] > 0) counts.emplace(numbering.tokens()[i], counted[i]);
    pipeline.tokens = TokenSettings{.unit = unit,
                                    .tokens = frequent_tokens(counts, options.vocabulary.value_or(kDefaultVocabulary)),
                                    .window = window};
    pipeline.vocabulary = pipeline.tokens->tokens.size();
    pipeline.classes = pipeline.tokens->tokens;
  }
  std::map<std::string, std::int32_t> known;
  for (std::size_t i = 1; i < pipeline.vocabulary; ++i)
    known.emplace(pipeline.tokens->tokens[i], static_cast<std::int32_t>(i));
  std::vector<std::int32_t> renumbered;
  for (const std::string& token : numbering.tokens()) {
    const auto found = known.find(token);
    renumbered.push_back(found == known.end() ? 0 : found->second);
  }
  for (std::int32_t& id : ids) id = renumbered[static_cast<std::size_t>(id)];
  const auto unknown = static_cast<std::size_t>(std::ranges::count(ids, 0));
  if (unknown > 0)
    opened.notes.push_back(concat(unknown, " of ", ids.size(), " tokens are not in the vocabulary of ",
                                  pipeline.vocabulary, " and count as one unknown token"));

  opened.drawn = Drawn{"tokens", ids.size(), lines.hash()};
  auto parts = std::make_unique<RunningText>(file, std::move(ids), pipeline.tokens->window);
  if (trained == nullptr && parts->size(Split::kTrain) == 0)
    throw_bad_input(concat(file, ": the text has too few tokens to learn from, expected 40 at least"));
  opened.notes.push_back(
      concat("split in order: 90 % train, 5 % validation, 5 % test of ", parts->tokens(), " tokens"));
  opened.parts = std::move(parts);
  return opened;
}

}  // namespace

RunningText::RunningText(std::string name, std::deque<std::int32_t> ids, std::size_t window)
    : name_(std::move(name)), ids_(std::move(ids)), window_(window) {
  const std::size_t count = ids_.size();
  parts_ = {Run{0, count / 20 * 18}, Run{count / 20 * 18, count / 20 * 19}, Run{count / 20 * 19, count}};
}

// The last token of a split is a label only.
std::size_t RunningText::size(Split split) const {
  const auto [begin, end] = run(split);
  return end - begin < 2 ? 0 : (end - begin - 1 + window_ - 1) / window_;
}

Example RunningText::read(Split split, std::size_t index) const {
  const auto [begin, end] = run(split);
  const std::size_t first = begin + index * window_, last = std::min(first + window_, end - 1);
  Example example{.name = concat(name_, ", tokens ", first + 1, " to ", last), .input = {.steps = last - first}};
  for (std::size_t place = first; place < last; ++place) {
    example.input.ids.push_back(ids_[place]);
    example.labels.push_back(ids_[place + 1]);
  }
  return example;
}

KindRow lm_row() {
  return {.kind = {.name = "lm", .holds = "file of running text: the next character or word is to be told"},
          .open = open_lm};
}

}  // namespace quaver
