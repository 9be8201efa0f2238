#include "quaver/data/own/ts.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <optional>

#include "quaver/core/error.h"
#include "quaver/core/printable.h"
#include "quaver/core/text.h"
#include "quaver/data/own/held_examples.h"

namespace quaver {
namespace {

namespace fs = std::filesystem;

class TsParser {
 public:
  explicit TsParser(LineReader& lines) : lines_(lines) {}

  TsFile parse() {
    while (const std::optional<std::string_view> line = lines_.next()) {
      const std::string_view text = trimmed(*line);
      if (text.empty() || text.starts_with('#')) continue;
      if (!data_ && text.starts_with('@'))
        read_header(text);
      else if (!data_)
        refuse(concat("'", printable(text, 40), "' stands before @data, expected lines that begin with @ or #"));
      else
        read_case(text);
    }
    if (!data_) refuse("the file ends before @data; is it a .ts file?");
    if (file_.examples.empty()) refuse("there are no cases behind @data");
    return std::move(file_);
  }

 private:
  [[noreturn]] void refuse(const std::string& what) const { throw_bad_input(concat(lines_.where(), ": ", what)); }

  void read_header(std::string_view line) {
    std::vector<std::string> words;
    for (const std::string_view word : split_at(line, ' '))
      if (!trimmed(word).empty()) words.emplace_back(trimmed(word));
    const std::string key = lower_case(words[0]), value = words.size() > 1 ? lower_case(words[1]) : "";
    if (key == "@dimensions") {
      const std::optional<double> count = number_of(value);
      if (!count || *count < 1 || *count > 1e6)
        refuse(concat("@dimensions '", printable(value), "', expected 1 or more"));
      file_.channels = static_cast<std::size_t>(*count);
      if (univariate_ == true && file_.channels > 1)
        refuse(concat("@dimensions ", file_.channels, ", but @univariate is true; correct the one that is wrong"));
    } else if (key == "@univariate") {
      univariate_ = value == "true";
      if (*univariate_ && file_.channels > 1)
        refuse(concat("@univariate true, but @dimensions is ", file_.channels, "; correct the one that is wrong"));
      if (*univariate_) file_.channels = 1;
    } else if (key == "@equallength") {
      equal_length_ = value == "true";
    } else if (key == "@serieslength") {
      const std::optional<double> steps = number_of(value);
      if (!steps || *steps < 1 || *steps > 1e9)
        refuse(concat("@seriesLength '", printable(value), "', expected 1 or more"));
      series_length_ = static_cast<std::size_t>(*steps);
    } else if (key == "@timestamps" && value == "true") {
      refuse("cases with time stamps are not read; save the values at even times, with @timeStamps false");
    } else if (key == "@classlabel" && value == "true") {
      file_.classes.assign(words.begin() + 2, words.end());
      if (file_.classes.empty()) refuse("@classLabel true names no class");
      for (std::size_t i = 0; i < file_.classes.size(); ++i)
        if (std::find(file_.classes.begin(), file_.classes.begin() + static_cast<std::ptrdiff_t>(i),
                      file_.classes[i]) != file_.classes.begin() + static_cast<std::ptrdiff_t>(i))
          refuse(concat("@classLabel names '", printable(file_.classes[i]), "' twice"));
    } else if (key == "@targetlabel" && value == "true") {
      reals_ = true;
    } else if (key == "@data") {
      if (file_.classes.empty() && !reals_)
        refuse("@data comes before '@classLabel true ...' or '@targetLabel true': cases without targets teach nothing");
      if (!file_.classes.empty() && reals_) refuse("there are @classLabel and @targetLabel, expected one of the two");
      data_ = true;
    }
  }

  void read_case(std::string_view line) {
    std::vector<std::string_view> channels = split_at(line, ':');
    const std::string_view target = trimmed(channels.back());
    channels.pop_back();
    if (channels.empty()) refuse("this case has no channel: expected values, a colon and its target");
    if (file_.channels == 0) file_.channels = channels.size();
    if (channels.size() != file_.channels)
      refuse(concat("this case has ", channels.size(), " channels, expected ", file_.channels));
    if (univariate_ == false && channels.size() == 1)
      refuse("this case has 1 channel, expected more: @univariate is false; correct the header");
    Example example{.name = lines_.where()};
    Sequence& input = example.input;
    input.features = file_.channels;
    for (std::size_t channel = 0; channel < channels.size(); ++channel) {
      const std::vector<std::string_view> values = split_at(channels[channel], ',');
      if (channel == 0) {
        input.steps = values.size();
        input.values.resize(input.steps * input.features);
      }
      if (values.size() != input.steps)
        refuse(concat("channel ", channel + 1, " has ", values.size(), " steps, channel 1 has ", input.steps,
                      ", expected as many"));
      for (std::size_t step = 0; step < values.size(); ++step)
        input.values[step * input.features + channel] =
            number(trimmed(values[step]), concat("channel ", channel + 1, ", step ", step + 1));
    }
    // Of cases that differ in length the header says so, or nothing.
    if (equal_length_ != false && series_length_ && input.steps != *series_length_)
      refuse(concat("this case has ", input.steps, " steps, expected the ", *series_length_,
                    " of @seriesLength; correct the header"));
    if (equal_length_ == true && !file_.examples.empty() && input.steps != file_.examples.front().input.steps)
      refuse(concat("this case has ", input.steps, " steps, the first has ", file_.examples.front().input.steps,
                    ", expected as many: @equalLength is true; correct the header"));
    if (reals_)
      example.targets = {number(target, "the target")};
    else
      example.labels = {label_of(file_.classes, std::string(target), lines_.where())};
    file_.examples.push_back(std::move(example));
  }

  float number(std::string_view text, const std::string& what) const {
    if (text == "?" || lower_case(text) == "nan")
      refuse(concat(what, " is missing ('", text, "'): fill it in, or leave the case out"));
    const std::optional<double> value = number_of(text);
    const auto narrow = static_cast<float>(value.value_or(0));
    if (!value || !std::isfinite(narrow))
      refuse(concat(what, " is '", printable(text, 40), "', expected a finite number"));
    return narrow;
  }

  LineReader& lines_;
  TsFile file_;
  bool data_ = false, reals_ = false;
  std::optional<bool> univariate_{}, equal_length_{};  // as the header says
  std::optional<std::size_t> series_length_{};
};

// The only NAME_PART.ts of a folder, also .ts.gz and .ts.xz; nothing when there is none.
std::optional<fs::path> find_part(const DataSpec& spec, const std::string& part) {
  std::vector<fs::path> found;
  std::error_code error;
  for (fs::directory_iterator entry(spec.path, error), end; !error && entry != end; entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    for (const char* suffix : {".ts", ".ts.gz", ".ts.xz"})
      if (name.ends_with(concat("_", part, suffix))) found.push_back(entry->path());
  }
  if (error) throw_bad_input(concat(data_spec_text(spec), ": cannot be listed: ", error.message()));
  std::sort(found.begin(), found.end());
  if (found.size() > 1)
    throw_bad_input(concat(data_spec_text(spec), ": ", found[0].filename().string(), " and ",
                           found[1].filename().string(), " are both a ", part,
                           " file, expected one data set in a folder"));
  return found.empty() ? std::nullopt : std::optional(found[0]);
}

OpenedData open_ts(const DataSpec& spec, const OwnDataOptions& options, const Pipeline* trained) {
  ReadExamples read{.where = data_spec_text(spec), .what = "cases", .examples = {}, .splits = {.by = "file"}};
  OpenedData opened;
  Pipeline& pipeline = opened.pipeline;
  if (trained != nullptr) pipeline = *trained;
  bool first = trained == nullptr;
  std::uint64_t bytes = 0;
  for (const auto& [split, part] : {std::pair(Split::kTrain, "TRAIN"), std::pair(Split::kTest, "TEST")}) {
    const std::optional<fs::path> path = find_part(spec, part);
    if (!path && (trained != nullptr || split == Split::kTest)) continue;
    if (!path) throw_bad_input(concat(read.where, ": there is no NAME_TRAIN.ts in the folder"));
    LineReader lines(*path, options.progress);
    TsFile file = parse_ts(lines);
    if (first) {
      pipeline = {.kind = "ts",
                  .target = file.classes.empty() ? Target::kReals : Target::kClass,
                  .features = file.channels,
                  .classes = file.classes};
      if (file.classes.empty()) pipeline.target_mean = pipeline.target_deviation = {1};
      first = false;
    }
    if (file.channels != pipeline.features)
      throw_bad_input(concat(path->string(), ": ", file.channels, " channels, expected ", pipeline.features));
    if (file.classes.empty() != pipeline.classes.empty())
      throw_bad_input(concat(path->string(), ": its targets are ", file.classes.empty() ? "real numbers" : "classes",
                             ", expected ", file.classes.empty() ? "classes" : "real numbers"));
    for (Example& example : file.examples) {
      for (std::int32_t& label : example.labels)
        label = label_of(pipeline.classes, file.classes[static_cast<std::size_t>(label)], example.name);
      bytes += bytes_of(example);
    }
    require_memory(concat(path->string(), ": the cases up to here have"), bytes, options.max_memory);
    std::ranges::move(file.examples, std::back_inserter(read.examples));
    read.splits.parts.resize(read.examples.size(), split);
  }
  const std::vector<Split> splits = splits_of(read, opened.pipeline.classes, options, opened.notes);
  hold(std::move(read), splits, trained, opened);
  return opened;
}

}  // namespace

TsFile parse_ts(LineReader& lines) { return TsParser(lines).parse(); }

KindRow ts_row() {
  return {.kind = {.name = "ts", .holds = "folder with NAME_TRAIN.ts and NAME_TEST.ts of the UCR/UEA archive"},
          .open = open_ts};
}

}  // namespace quaver
