// digits.cc - spoken digits: the recordings of the Free Spoken Digit Dataset as log-mel frames.
//
// recordings/{digit}_{speaker}_{index}.wav, 8000 Hz, mono, 16 bits. The publisher's split is by index: 0 to 4 test, the
// rest training. Of the latter we keep 5 to 9 for validation, so that no choice is ever made on the test files.
#include <algorithm>
#include <charconv>
#include <compare>
#include <optional>
#include <string_view>
#include <utility>

#include "quaver/core/error.h"
#include "quaver/core/text.h"
#include "quaver/data/archive.h"
#include "quaver/data/features.h"
#include "quaver/data/sound.h"
#include "quaver/data/task_row.h"

namespace quaver {
namespace {

constexpr std::size_t kLargestRecording = 1 << 24;  // bytes; the longest is 2.3 s, 36 kB

const DataFile& data_file() {
  static const DataFile file{
      .task = "digits",
      .file = "fsdd/fsdd_recordings.tar.xz",
      .set = "Free Spoken Digit Dataset (Jakobovski et al., github.com/Jakobovski/free-spoken-digit-dataset)",
      .contents = "its recordings/{digit}_{speaker}_{index}.wav"};
  return file;
}

struct RecordingName {
  std::int32_t digit = 0;
  std::string speaker{};
  std::int32_t index = 0;
  auto operator<=>(const RecordingName&) const = default;
};

// Of "recordings/7_jackson_32.wav"; nothing when the file name has another form.
std::optional<RecordingName> parse_name(const std::string& path) {
  const std::string stem = std::filesystem::path(path).stem().string();
  const std::size_t first = stem.find('_'), last = stem.rfind('_');
  if (first != 1 || last == first || stem[0] < '0' || stem[0] > '9') return std::nullopt;
  RecordingName name{.digit = stem[0] - '0', .speaker = stem.substr(first + 1, last - first - 1)};
  const char* end = stem.data() + stem.size();
  const auto [parsed, error] = std::from_chars(stem.data() + last + 1, end, name.index);
  if (error != std::errc{} || parsed != end || name.index < 0) return std::nullopt;
  return name;
}

Split split_of(const RecordingName& name) {
  if (name.index < 5) return Split::kTest;
  return name.index < 10 ? Split::kValidation : Split::kTrain;
}

// Samples in [-1, 1). Error (bad input) naming `name` when it is no wav, or not one of 8000 Hz, mono, 16 bits.
std::vector<float> decode_wav(const std::string& name, std::string_view bytes) {
  SoundFile file(name, bytes);
  const SoundForm expected{.rate = 8000, .channels = 1, .encoding = "16-bit PCM"};
  if (sound_text(file.form()) != sound_text(expected))
    throw_bad_input(
        concat(name, ": ", sound_text(file.form()), "; expected ", sound_text(expected), ": convert the recording"));
  return file.samples();
}

struct Recording {
  RecordingName name{};
  std::string file{};
  std::string bytes{};
};

std::vector<Example> load_digits(Split split, const TaskOptions& options) {
  const std::filesystem::path path = find_data_file(data_file(), options);
  const auto parse = [&](const std::string& file) {
    const std::optional<RecordingName> name = parse_name(file);
    if (!name) throw_bad_input(concat(path.string(), ": '", file, "' is not named {digit}_{speaker}_{index}.wav"));
    return *name;
  };
  std::vector<Recording> recordings;
  read_archive(
      path, {.largest_file = kLargestRecording,
             .max_memory = options.max_memory,
             .wants = [&](const std::string& file) { return file.ends_with(".wav") && split_of(parse(file)) == split; },
             .take =
                 [&](const std::string& file, std::string bytes) {
                   recordings.push_back({.name = parse(file), .file = file, .bytes = std::move(bytes)});
                 }});
  // The order of an archive depends on who packed it.
  std::sort(recordings.begin(), recordings.end(), [](const auto& a, const auto& b) { return a.name < b.name; });

  const LogMelOptions front_end;
  std::vector<Example> examples;
  for (const std::size_t index : spread(recordings.size(), options.limit)) {
    const Recording& recording = recordings[index];
    const std::string where = concat(path.string(), ": ", recording.file);
    const std::vector<float> samples = decode_wav(where, recording.bytes);
    if (samples.size() < front_end.window) {
      throw_bad_input(
          concat(where, ": ", samples.size(), " samples, expected at least the ", front_end.window, " of one frame"));
    }
    examples.push_back(
        {.name = recording.file, .input = log_mel(samples, front_end), .labels = {recording.name.digit}});
  }
  return examples;
}

}  // namespace

TaskRow digits_row() {
  return {.info = {.name = "digits",
                   .summary = "spoken digits of six speakers, 40 log-mel energies every 10 ms",
                   .target = Target::kClass,
                   .features = LogMelOptions{}.bands,
                   .classes = {"zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"},
                   .needs = data_file().file,
                   .step_seconds = 0.01},
          .load = load_digits};
}

}  // namespace quaver
