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

std::string first_of(const std::vector<std::string>& names) { return printable(names.front()); }

// All recordings, in the order of their paths.
std::vector<Recording> find_recordings(const DataSpec& spec, std::vector<std::string>& notes) {
  const std::string where = data_spec_text(spec);
  std::error_code error;
  if (!fs::is_directory(spec.path, error))
    throw_bad_input(concat(where,
                           fs::exists(spec.path, error) ? ": this is a file, expected a folder"
                                                        : ": there is no such folder; expected one",
                           " with CLASS/*.wav or train/CLASS/*.wav"));
  const bool parted = has_parts(spec.path);
  const FolderOfRecordings listed = list_recordings(spec.path);
  const std::optional<std::string> links = listed.links_text();
  if (listed.recordings.empty())
    throw_bad_input(concat(where, ": there is no .wav file in it; expected CLASS/*.wav or train/CLASS/*.wav",
                           links ? concat(" (", *links, ")") : ""));
  if (links) notes.push_back(*links);
  std::vector<Recording> recordings;
  for (const fs::path below : listed.recordings) {
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
  if (!listed.others.empty())
    notes.push_back(
        concat("not read: ", listed.others.size(), " files that are no .wav, the first: ", first_of(listed.others)));
  return recordings;
}

// Finds in a path what std::regex finds, without its hours of going back over "(a+)+b". libstdc++ has a search of
// bounded time, which takes a lazy "*?" for a greedy one: of patterns with one it says whether and where there is a
// match, and the other search how far it goes from there.
class GroupPattern {
 public:
  // Error (usage) when it is none, or too long.
  explicit GroupPattern(const std::string& expression) {
    constexpr std::size_t kLongest = 256;
    if (expression.size() > kLongest)
      throw_usage(concat("group '", printable(expression, 40), "' has ", expression.size(), " bytes, expected at most ",
                         kLongest));
    std::regex::flag_type bounded = std::regex::ECMAScript;
#ifdef __GLIBCXX__
    bounded |= std::regex_constants::__polynomial;
#endif
    const std::initializer_list<std::string_view> lazy{"*?", "+?", "??", "}?"};
    try {
      bounded_.assign(expression, bounded);
      if (std::ranges::any_of(lazy, [&](std::string_view sign) { return expression.find(sign) != std::string::npos; }))
        lazy_.emplace(expression);
    } catch (const std::regex_error& error) {
      throw_usage(concat("group '", printable(expression), "' is no regular expression: ", error.what()));
    }
  }

  // What its first group matches, or all of it; nothing without a match.
  std::optional<std::string> found_in(const std::string& path) const {
    std::smatch match;
    if (!std::regex_search(path, match, bounded_)) return std::nullopt;
    if (lazy_) {
      const auto begin = match[0].first;
      auto flags = std::regex_constants::match_continuous;
      if (begin != path.begin()) flags |= std::regex_constants::match_prev_avail;
      std::regex_search(begin, path.end(), match, *lazy_, flags);
    }
    return match[match.size() > 1 ? 1 : 0].str();
  }

 private:
  std::regex bounded_;
  std::optional<std::regex> lazy_;
};

void set_groups(const DataSpec& spec, const std::string& expression, std::vector<Recording>& recordings) {
  const GroupPattern pattern(expression);
  for (Recording& recording : recordings) {
    std::optional<std::string> group = pattern.found_in(recording.path);
    if (!group)
      throw_bad_input(concat((spec.path / recording.path).string(), ": the group '", printable(expression),
                             "' matches nothing in '", printable(recording.path), "', expected a match in every path"));
    recording.group = std::move(*group);
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
  WavParts(fs::path folder, Pipeline pipeline, std::uint64_t max_memory)
      : folder_(std::move(folder)), pipeline_(std::move(pipeline)), max_memory_(max_memory) {}

  void add(Split split, std::string path, std::int32_t label, const SoundForm& form) {
    const double samples = static_cast<double>(form.frames) * pipeline_.sound->sample_rate / form.rate;
    const auto steps = static_cast<std::size_t>(samples / static_cast<double>(pipeline_.sound->hop));
    recordings_[static_cast<std::size_t>(split)].push_back({std::move(path), label, steps});
  }
  std::size_t size(Split split) const override { return recordings_[static_cast<std::size_t>(split)].size(); }
  Example read(Split split, std::size_t index) const override {
    const Labelled& recording = recordings_[static_cast<std::size_t>(split)][index];
    return {.name = recording.path,
            .input = read_recording(pipeline_, folder_ / recording.path, max_memory_),
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
  std::uint64_t max_memory_;
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

void require_room(const std::string& name, const SoundForm& form, std::uint64_t max_memory) {
  require_memory(concat(name, ": its samples have"), form.frames * sizeof(float), max_memory);
}

// Of a recording that can be read: only floats can be no numbers, and show it in the samples alone.
SoundForm sound_form(const fs::path& path, std::uint64_t max_memory) {
  SoundFile file(path);
  require_room(path.string(), file.form(), max_memory);
  if (file.form().encoding.ends_with("float")) file.samples();
  return file.form();
}

std::uint64_t hash_of(const std::vector<Recording>& recordings) {
  std::uint64_t hash = fnv1a({});
  for (const Recording& recording : recordings)  // a path ends at its 0
    hash = fnv1a(std::as_bytes(std::span(recording.path.c_str(), recording.path.size() + 1)), hash);
  return hash;
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
    if (broken.readable([&] { found[i].form = sound_form(spec.path / found[i].path, options.max_memory); }))
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
  if (source.parts.empty()) opened.drawn = Drawn{readable.what, recordings.size(), hash_of(recordings)};
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
  auto parts = std::make_unique<WavParts>(spec.path, pipeline, options.max_memory);
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

std::optional<std::string> FolderOfRecordings::links_text() const {
  if (links.empty()) return std::nullopt;
  return concat("not followed: ", links.size(),
                links.size() == 1 ? " link to a folder: " : " links to folders, the first: ", first_of(links));
}

FolderOfRecordings list_recordings(const fs::path& folder) {
  FolderOfRecordings found;
  std::error_code error, unknown;  // what cannot be looked at is a file that cannot be read
  for (fs::recursive_directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    const std::string below = entry->path().lexically_relative(folder).string();
    if (entry->is_directory(unknown)) {
      if (entry->is_symlink(unknown)) found.links.push_back(below);
      continue;
    }
    (is_wav(below) ? found.recordings : found.others).push_back(below);
  }
  if (error) throw_bad_input(concat(folder.string(), ": cannot be listed: ", error.message()));
  for (std::vector<std::string>* names : {&found.recordings, &found.others, &found.links}) std::ranges::sort(*names);
  return found;
}

Sequence read_recording(const Pipeline& pipeline, const std::filesystem::path& path, std::uint64_t max_memory) {
  if (!pipeline.sound)
    throw_bad_input(
        concat(path.string(), ": the model reads data of kind '", printable(pipeline.kind), "', not recordings"));
  SoundFile file(path);
  require_a_frame(path.string(), file.form(), *pipeline.sound);
  require_room(path.string(), file.form(), max_memory);
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
