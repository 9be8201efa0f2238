// wav.cc - a folder of recordings, a folder for each class.
//
// PART/CLASS/*.wav with PART train, validation or test, or CLASS/*.wav, which is split by seed. Below a class there may
// be further folders. Any rate, channels and depth: what differs is mixed down and resampled when it is read, so that
// the folder can be larger than the memory. Opening reads every header.
#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <iterator>
#include <map>
#include <regex>
#include <set>
#include <span>
#include <system_error>
#include <utility>

#include "quaver/core/error.h"
#include "quaver/core/printable.h"
#include "quaver/core/text.h"
#include "quaver/data/own/kind_row.h"
#include "quaver/data/own/split.h"
#include "quaver/data/sound.h"

namespace quaver {
namespace {

namespace fs = std::filesystem;

constexpr int kLowestRate = 1000, kHighestRate = 192000;  // Hz, of features
constexpr int kHighestDefaultRate = 16000;                // Hz: speech has little above 8000 Hz

struct Recording {
  std::string path{};  // below the folder
  std::string class_name{};
  std::optional<Split> part{};  // of the folder, where folders are parts
  std::string group{};
  SoundForm form{};
};

std::optional<Split> part_named(const std::string& name) {
  for (const Split split : {Split::kTrain, Split::kValidation, Split::kTest})
    if (split_name(split) == name) return split;
  return std::nullopt;
}

bool is_wav(const fs::path& path) { return lower_case(path.extension().string()) == ".wav"; }

bool has_parts(const fs::path& folder) {
  std::error_code ignored;
  for (const Split split : {Split::kTrain, Split::kValidation, Split::kTest})
    if (fs::is_directory(folder / split_name(split), ignored)) return true;
  return false;
}

// All recordings, in the order of their paths.
std::vector<Recording> find_recordings(const DataSpec& spec, std::vector<std::string>& notes) {
  const std::string where = data_spec_text(spec);
  std::error_code error;
  if (!fs::is_directory(spec.path, error))
    throw_bad_input(concat(where, ": there is no such folder; expected one with CLASS/*.wav or train/CLASS/*.wav"));
  const bool parted = has_parts(spec.path);
  std::vector<Recording> recordings;
  std::vector<std::string> others;
  for (fs::recursive_directory_iterator entry(spec.path, fs::directory_options::follow_directory_symlink, error), end;
       !error && entry != end; entry.increment(error)) {
    if (entry->is_directory(error)) continue;
    const fs::path below = entry->path().lexically_relative(spec.path);
    if (!is_wav(below)) {
      others.push_back(below.string());
      continue;
    }
    const std::vector<fs::path> steps(below.begin(), below.end());
    const std::size_t depth = parted ? 3 : 2;
    const std::string expected =
        parted ? "train/CLASS/, validation/CLASS/ or test/CLASS/" : "a folder with the name of its class";
    const std::string file = concat(spec.path.string(), "/", printable(below.string(), 4096));
    if (steps.size() < depth) throw_bad_input(concat(file, ": this recording has no class; expected it in ", expected));
    Recording recording{.path = below.string(), .class_name = steps[depth - 2].string()};
    require_name(recording.path, file);
    if (parted) recording.part = part_named(steps[0].string());
    if (parted && !recording.part)
      throw_bad_input(concat(file, ": lies beside the folders of the splits; expected it in ", expected));
    recordings.push_back(std::move(recording));
  }
  if (error) throw_bad_input(concat(where, ": cannot be listed: ", error.message()));
  if (recordings.empty())
    throw_bad_input(concat(where, ": there is no .wav file in it; expected CLASS/*.wav or train/CLASS/*.wav"));
  std::ranges::sort(recordings, {}, &Recording::path);
  if (!others.empty()) {
    std::ranges::sort(others);
    notes.push_back(concat("not read: ", others.size(), " files that are no .wav, the first: ", printable(others[0])));
  }
  return recordings;
}

void set_groups(const DataSpec& spec, const std::string& expression, std::vector<Recording>& recordings) {
  std::regex group;
  try {
    group = expression;
  } catch (const std::regex_error& error) {
    throw_usage(concat("group '", printable(expression), "' is no regular expression: ", error.what()));
  }
  for (Recording& recording : recordings) {
    std::smatch match;
    if (!std::regex_search(recording.path, match, group))
      throw_bad_input(concat((spec.path / recording.path).string(), ": the group '", printable(expression),
                             "' matches nothing in '", printable(recording.path), "', expected a match in every path"));
    recording.group = match[match.size() > 1 ? 1 : 0].str();
  }
}

// A group in two parts would let a model be judged on what it has learned.
void require_groups_apart(const DataSpec& spec, const std::vector<Recording>& recordings) {
  std::map<std::string, const Recording*> first;
  for (const Recording& recording : recordings) {
    const Recording& other = *first.emplace(recording.group, &recording).first->second;
    if (other.part != recording.part)
      throw_bad_input(concat(data_spec_text(spec), ": group '", printable(recording.group), "' is in two splits, with ",
                             other.path, " and ", recording.path, "; move one of them, or leave the group out"));
  }
}

// What was found in the headers of recordings.
class Forms {
 public:
  void add(const SoundForm& form) {
    ++rates_[form.rate];
    if (form.channels > 1) ++mixed_;
  }
  void add_notes(int rate, std::vector<std::string>& notes) const {
    std::size_t all = 0;
    for (const auto& [from, count] : rates_) all += count;
    for (const auto& [from, count] : rates_)
      if (from != rate)
        notes.push_back(concat("resampled from ", from, " to ", rate, " Hz: ", count, " of ", all, " recordings"));
    if (mixed_ > 0) notes.push_back(concat("mixed down to one channel: ", mixed_, " of ", all, " recordings"));
  }

 private:
  std::map<int, std::size_t> rates_;
  std::size_t mixed_ = 0;
};

// The most frequent rate of train, the lowest of several: of what is judged nothing is known when a model is made.
int usual_rate(const std::vector<Recording>& recordings, std::span<const Split> splits) {
  std::map<int, std::size_t> rates;
  for (std::size_t i = 0; i < recordings.size(); ++i)
    if (splits[i] == Split::kTrain) ++rates[recordings[i].form.rate];
  return std::ranges::max_element(rates, {}, [](const auto& entry) { return entry.second; })->first;
}

// Error (bad input) when the features of such a recording would have no frame, or its rate is out of reach.
void require_a_frame(const std::string& name, const SoundForm& form, const LogMelOptions& features) {
  constexpr double kFurthest = 256;  // of the resampler
  const double ratio = features.sample_rate / form.rate;
  if (ratio > kFurthest || ratio < 1 / kFurthest)
    throw_bad_input(concat(name, ": ", form.rate, " Hz cannot be resampled to ", features.sample_rate,
                           " Hz, expected at most 256 times more or less"));
  if (std::floor(static_cast<double>(form.frames) * ratio) < static_cast<double>(features.window))
    throw_bad_input(concat(name, ": ", form.frames, " samples at ", form.rate, " Hz, expected at least one frame of ",
                           1000.0 * static_cast<double>(features.window) / features.sample_rate, " ms"));
}

class WavParts : public PartReader {
 public:
  WavParts(fs::path folder, Pipeline pipeline) : folder_(std::move(folder)), pipeline_(std::move(pipeline)) {}

  void add(Split split, std::string path, std::int32_t label, const SoundForm& form) {
    const double samples = static_cast<double>(form.frames) * pipeline_.sound->sample_rate / form.rate;
    const auto steps = static_cast<std::size_t>(samples / static_cast<double>(pipeline_.sound->hop));
    recordings_[static_cast<std::size_t>(split)].push_back({std::move(path), label, steps});
  }
  std::size_t size(Split split) const override { return recordings_[static_cast<std::size_t>(split)].size(); }
  Example read(Split split, std::size_t index) const override {
    const Labelled& recording = recordings_[static_cast<std::size_t>(split)][index];
    return {.name = recording.path,
            .input = read_recording(pipeline_, folder_ / recording.path),
            .labels = {recording.label}};
  }
  std::size_t about_steps(Split split, std::size_t index) const override {
    return recordings_[static_cast<std::size_t>(split)][index].about_steps;
  }

 private:
  struct Labelled {
    std::string path;
    std::int32_t label;
    std::size_t about_steps;
  };
  fs::path folder_;
  Pipeline pipeline_;
  std::array<std::vector<Labelled>, 3> recordings_;
};

// The classes of what can be learned from: of the train folder where folders are splits.
std::vector<std::string> classes_of(const DataSpec& spec, const std::vector<Recording>& recordings) {
  std::set<std::string> classes;
  for (const Recording& recording : recordings)
    if (!recording.part || *recording.part == Split::kTrain) classes.insert(recording.class_name);
  if (classes.empty())
    throw_bad_input(
        concat(data_spec_text(spec), ": there are no recordings to learn from; expected train/CLASS/*.wav"));
  return {classes.begin(), classes.end()};
}

OpenedData open_wav(const DataSpec& spec, const OwnDataOptions& options, const Pipeline* trained) {
  if (options.sample_rate != 0 && (options.sample_rate < kLowestRate || options.sample_rate > kHighestRate))
    throw_usage(concat("sample rate ", options.sample_rate, " Hz, expected ", kLowestRate, " to ", kHighestRate));
  OpenedData opened;
  std::vector<std::string>& notes = opened.notes;
  std::vector<Recording> found = find_recordings(spec, notes);
  // Folders of splits keep what a model has not learned apart, whatever its own files were called.
  const bool grouped = !options.group.empty() && (trained == nullptr || !found[0].part);
  if (grouped) set_groups(spec, options.group, found);

  BrokenExamples broken("recordings", options.skip_broken);
  std::vector<Recording> recordings;  // whose headers can be read
  for (std::size_t i = 0; i < found.size(); ++i) {
    if (broken.readable([&] { found[i].form = SoundFile(spec.path / found[i].path).form(); }))
      recordings.push_back(std::move(found[i]));
    if (options.progress) options.progress(i + 1, found.size());
  }
  const auto require_recordings = [&](bool some) {
    if (!some) throw_bad_input(concat(data_spec_text(spec), ": ", broken.text(found.size())));
  };
  require_recordings(!recordings.empty());
  if (grouped && recordings[0].part) require_groups_apart(spec, recordings);

  Pipeline& pipeline = opened.pipeline;
  if (trained != nullptr)
    pipeline = *trained;
  else
    pipeline = {.kind = "wav", .classes = classes_of(spec, recordings), .same_level = true};
  Divided readable{.where = data_spec_text(spec), .what = "recordings", .labels = {}, .classes = pipeline.classes};
  SourceSplits source{.by = "folder"};
  for (const Recording& recording : recordings) {
    readable.labels.push_back(label_of(pipeline.classes, recording.class_name, (spec.path / recording.path).string()));
    if (recording.part) source.parts.push_back(*recording.part);
    if (grouped) source.groups.push_back(recording.group);
  }
  std::vector<std::string> split_notes;
  const std::vector<Split> drawn = split_examples(readable, source, options.seed, split_notes);
  if (trained == nullptr) {
    const int rate = options.sample_rate != 0
                         ? options.sample_rate
                         : std::clamp(usual_rate(recordings, drawn), kLowestRate, kHighestDefaultRate);
    pipeline.sound = sound_options(rate);
    pipeline.features = pipeline.sound->bands;
  }

  Divided divided{.where = readable.where, .what = readable.what, .labels = {}, .classes = pipeline.classes};
  std::vector<Split> splits;
  Forms forms;
  auto parts = std::make_unique<WavParts>(spec.path, pipeline);
  for (std::size_t i = 0; i < recordings.size(); ++i) {
    Recording& recording = recordings[i];
    const std::string name = (spec.path / recording.path).string();
    if (!broken.readable([&] { require_a_frame(name, recording.form, *pipeline.sound); })) continue;
    forms.add(recording.form);
    divided.labels.push_back(readable.labels[i]);
    splits.push_back(drawn[i]);
    parts->add(drawn[i], std::move(recording.path), readable.labels[i], recording.form);
  }
  if (broken.count() > 0) notes.push_back("left out: " + broken.text(found.size()));
  require_recordings(!splits.empty());
  forms.add_notes(static_cast<int>(pipeline.sound->sample_rate), notes);
  std::ranges::move(split_notes, std::back_inserter(notes));
  if (trained == nullptr) check_classes(divided, splits, notes);
  opened.parts = std::move(parts);
  return opened;
}

}  // namespace

LogMelOptions sound_options(int sample_rate) {
  const auto samples = [sample_rate](double seconds) {
    return static_cast<std::size_t>(std::lround(seconds * sample_rate));
  };
  LogMelOptions options;
  options.sample_rate = sample_rate;
  options.window = samples(0.025);
  options.hop = samples(0.01);
  // Not below 256 points: at low rates a band would lie between two of them.
  options.fft = std::max<std::size_t>(std::bit_ceil(options.window), 256);
  options.high = sample_rate / 2.0;
  return options;
}

Sequence read_recording(const Pipeline& pipeline, const std::filesystem::path& path) {
  if (!pipeline.sound)
    throw_bad_input(
        concat(path.string(), ": the model reads data of kind '", printable(pipeline.kind), "', not recordings"));
  SoundFile file(path);
  require_a_frame(path.string(), file.form(), *pipeline.sound);
  const std::vector<float> samples =
      resampled(file.samples(), file.form().rate, static_cast<int>(pipeline.sound->sample_rate));
  Sequence frames = log_mel(samples, *pipeline.sound);
  if (pipeline.same_level) without_level(frames.values);
  return frames;
}

KindRow wav_row() {
  return {.kind = {.name = "wav",
                   .holds = "folder of recordings: CLASS/*.wav, or train/CLASS/*.wav with validation and test"},
          .open = open_wav};
}

}  // namespace quaver
