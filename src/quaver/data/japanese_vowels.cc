// japanese_vowels.cc - speakers by two vowels: utterances of /ae/ as linear-prediction cepstra.
//
// 270 utterances to learn from, 30 of each of nine men, and the publisher's 370 for test, in the .ts form (own/ts.h):
// 12 channels, 7 to 29 frames, one every 6.4 ms. For validation we keep every fifth training utterance of each speaker,
// so that no choice is made on the test file.
#include <utility>

#include "quaver/core/error.h"
#include "quaver/core/text.h"
#include "quaver/data/own/kind_row.h"
#include "quaver/data/own/ts.h"
#include "quaver/data/task_row.h"

namespace quaver {
namespace {

constexpr std::size_t kChannels = 12, kValidationEvery = 5;

const std::vector<std::string> kSpeakers{"1", "2", "3", "4", "5", "6", "7", "8", "9"};

DataFile data_file(const std::string& part) {
  return {.task = "japanese_vowels",
          .file = concat("japanese_vowels/JapaneseVowels_", part, ".ts.xz"),
          .set = "Japanese Vowels data set (Kudo, Toyama and Shimbo 1999, UCI Machine Learning Repository)",
          .contents = concat("its ", part, " cases in the .ts form of the UCR/UEA archive")};
}

std::vector<Example> load_japanese_vowels(Split split, const TaskOptions& options) {
  LineReader lines(find_data_file(data_file(split == Split::kTest ? "TEST" : "TRAIN"), options));
  TsFile file = parse_ts(lines);
  if (file.channels != kChannels || file.classes != kSpeakers)
    throw_bad_input(concat(lines.name(), ": ", file.channels, " channels and the classes ", join(file.classes, " "),
                           ", expected ", kChannels, " channels and the speakers ", join(kSpeakers, " ")));
  std::uint64_t bytes = 0;
  for (const Example& example : file.examples) bytes += bytes_of(example);
  require_memory(concat(lines.name(), ": its cases have"), bytes, options.max_memory);
  if (split == Split::kTest) return spread_over(std::move(file.examples), options.limit);

  std::vector<std::size_t> count(kSpeakers.size());
  std::vector<Example> examples;
  for (Example& example : file.examples) {
    const bool validation = ++count[static_cast<std::size_t>(example.labels[0])] % kValidationEvery == 0;
    if (validation == (split == Split::kValidation)) examples.push_back(std::move(example));
  }
  return spread_over(std::move(examples), options.limit);
}

}  // namespace

TaskRow japanese_vowels_row() {
  return {.info = {.name = "japanese_vowels",
                   .summary = "nine speakers by two Japanese vowels: 12 cepstral coefficients, 7 to 29 steps",
                   .target = Target::kClass,
                   .features = kChannels,
                   .classes = kSpeakers,
                   .needs = data_file("TEST").file,
                   .step_seconds = 0.0064},
          .load = load_japanese_vowels};
}

}  // namespace quaver
