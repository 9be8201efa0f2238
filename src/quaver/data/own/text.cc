#include "quaver/data/own/text.h"

#include <algorithm>
#include <array>
#include <set>

#include "quaver/core/printable.h"
#include "quaver/core/text.h"
#include "quaver/data/own/split.h"
#include "quaver/data/own/tokens.h"

namespace quaver {
namespace {

// Texts, numbered when they are asked for: a text takes less than its ids.
class TextParts : public PartReader {
 public:
  TextParts(std::string file, const TokenSettings& settings) : file_(std::move(file)), tokenizer_(settings) {}

  void add(Split split, LabelledText text, std::int32_t label) {
    texts_[static_cast<std::size_t>(split)].push_back({std::move(text), label});
  }
  std::size_t size(Split split) const override { return texts_[static_cast<std::size_t>(split)].size(); }
  Example read(Split split, std::size_t index) const override {
    const auto& [text, label] = texts_[static_cast<std::size_t>(split)][index];
    Example example{.name = concat(file_, ":", text.line), .labels = {label}};
    example.input.ids = tokenizer_.ids(text.text);
    example.input.steps = example.input.ids.size();
    return example;
  }

 private:
  std::string file_;
  Tokenizer tokenizer_;
  std::array<std::vector<std::pair<LabelledText, std::int32_t>>, 3> texts_;
};

std::vector<std::string> classes_of(const std::string& file, const std::vector<LabelledText>& texts) {
  std::set<std::string> classes;
  for (const LabelledText& text : texts)
    if (text.part.value_or(Split::kTrain) == Split::kTrain) classes.insert(text.label);
  if (classes.empty()) throw_bad_input(concat(file, ": no line is of part 'train'"));
  return {classes.begin(), classes.end()};
}

OpenedData open_text(const DataSpec& spec, const OwnDataOptions& options, const Pipeline* trained) {
  const std::string file = spec.path.string();
  LineReader lines(spec.path, options.progress);
  BrokenExamples broken("lines", options.skip_broken);
  std::vector<LabelledText> texts = read_labelled_texts(lines, broken, options.max_memory);
  OpenedData opened;
  if (broken.count() > 0) opened.notes.push_back("left out: " + broken.text(texts.size() + broken.count()));
  if (texts.empty()) throw_bad_input(concat(file, ": there is no text in the file, expected text, a tab and a label"));

  Pipeline& pipeline = opened.pipeline;
  if (trained != nullptr)
    pipeline = *trained;
  else
    pipeline = {.kind = "text", .classes = classes_of(file, texts)};
  Divided divided{.where = data_spec_text(spec), .what = "texts", .labels = {}, .classes = pipeline.classes};
  SourceSplits source{.by = "column"};
  for (const LabelledText& text : texts) {
    divided.labels.push_back(label_of(pipeline.classes, text.label, concat(file, ":", text.line)));
    if (text.part) source.parts.push_back(*text.part);
  }
  if (source.parts.empty()) opened.drawn = Drawn{divided.what, texts.size(), lines.hash()};
  const std::vector<Split> splits = split_examples(divided, source, options.seed, opened.notes);
  if (trained == nullptr) {
    check_classes(divided, splits, opened.notes);
    pipeline.tokens = TokenSettings{.unit = options.tokens.value_or(TokenUnit::kWord)};
    TokenCounts counts;
    for (std::size_t i = 0; i < texts.size(); ++i)
      if (splits[i] == Split::kTrain) count_tokens(texts[i].text, pipeline.tokens->unit, counts);
    pipeline.tokens->tokens = frequent_tokens(counts, options.vocabulary.value_or(kDefaultVocabulary));
    pipeline.vocabulary = pipeline.tokens->tokens.size();
  }
  auto parts = std::make_unique<TextParts>(file, *pipeline.tokens);
  for (std::size_t i = 0; i < texts.size(); ++i) parts->add(splits[i], std::move(texts[i]), divided.labels[i]);
  opened.parts = std::move(parts);
  return opened;
}

}  // namespace

std::vector<LabelledText> read_labelled_texts(LineReader& lines, BrokenExamples& broken, std::uint64_t max_memory) {
  std::vector<LabelledText> texts;
  std::uint64_t bytes = 0;
  while (const std::optional<std::string_view> line = lines.next_filled()) {
    const auto refuse = [&](const auto&... parts) { throw_bad_input(concat(lines.where(), ": ", parts...)); };
    broken.readable([&] {
      const std::vector<std::string_view> fields = split_at(*line, '\t');
      if (fields.size() < 2)
        refuse("this line has no tab, expected text, a tab and a label: '", printable(*line, 40), "'");
      if (fields.size() > 3)
        refuse("this line has ", fields.size() - 1,
               " tabs, expected text, a tab and a label, or these, a tab and a part");
      LabelledText text{
          .line = lines.number(), .text = std::string(trimmed(fields[0])), .label = std::string(trimmed(fields[1]))};
      if (text.text.empty()) refuse("there is no text before the tab");
      if (text.label.empty()) refuse("there is no label behind the tab");
      if (fields.size() == 3) {
        for (const Split split : {Split::kTrain, Split::kValidation, Split::kTest})
          if (split_name(split) == trimmed(fields[2])) text.part = split;
        if (!text.part) refuse("part '", printable(fields[2], 40), "', expected train, validation or test");
      }
      if (!texts.empty() && texts.front().part.has_value() != text.part.has_value())
        refuse("this line has ", fields.size(), " fields, line ", texts.front().line, " has ", text.part ? 2 : 3,
               ", expected as many");
      bytes += sizeof(text) + text.text.size() + text.label.size();
      texts.push_back(std::move(text));
    });
    if (bytes > max_memory) require_memory(concat(lines.where(), ": the texts up to here have"), bytes, max_memory);
  }
  return texts;
}

KindRow text_row() {
  return {
      .kind = {.name = "text", .holds = "file of lines with a text, a tab, a label and, if wanted, a tab and a part"},
      .open = open_text};
}

}  // namespace quaver
