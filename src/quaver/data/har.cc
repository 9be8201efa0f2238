// har.cc - smartphone activity: windows of 2.56 s from the raw recordings of HAPT.
//
// RawData/{acc,gyro}_expEE_userUU.txt: three columns a line, 50 Hz. RawData/labels.txt: experiment, user, activity,
// first and last sample (from 1, inclusive). Every labelled segment of the six basic activities is cut into windows of
// 128 samples with step 64, as the publisher does. A step has nine features, in the order of UCI HAR: body
// acceleration, angular velocity, total acceleration, x y z each.
//
// Body acceleration is the total less gravity. The publisher finds gravity with a filter that runs forward and
// backward; ours is a first-order low-pass that has only seen the past, so that a phone can compute the same features
// as they come:
//   g[0] = a[0],  g[n] = g[n-1] + k (a[n] - g[n-1]),  k = 1 - exp(-2 pi 0.3 Hz / 50 Hz)
// It runs over a whole recording, not over a window: it has settled long before the first label.
//
// Test users are the publisher's. Of the others, 7, 17 and 27 are for validation: one of the first, one of the middle
// and one of the last recorded, each with two recordings and all activities; whole users, since a test user is unknown
// too.
#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <map>
#include <numbers>
#include <optional>
#include <string_view>
#include <tuple>

#include "quaver/core/error.h"
#include "quaver/core/text.h"
#include "quaver/data/archive.h"
#include "quaver/data/task_row.h"

namespace quaver {
namespace {

constexpr std::size_t kLargestFile = 1 << 26;  // bytes; the largest has 1.9 MB
constexpr std::size_t kWindow = 128;           // samples: 2.56 s
constexpr std::size_t kStep = 64;
constexpr std::size_t kFeatures = 9;
constexpr double kSampleSeconds = 0.02;
constexpr double kGravityHertz = 0.3;
constexpr std::array<int, 9> kTestUsers{2, 4, 9, 10, 12, 13, 18, 20, 24};
constexpr std::array<int, 3> kValidationUsers{7, 17, 27};
constexpr int kBasicActivities = 6;  // 1 to 6; 7 to 12 are the transitions between postures

const DataFile& data_file() {
  static const DataFile file{
      .task = "har",
      .file = "har/hapt_raw.tar.xz",
      .set =
          "Smartphone-Based Recognition of Human Activities and Postural Transitions data set, version 2.1 "
          "(Reyes-Ortiz et al. 2015, UCI Machine Learning Repository)",
      .contents = "its RawData/{acc,gyro}_expEE_userUU.txt and RawData/labels.txt"};
  return file;
}

Split split_of(int user) {
  if (std::ranges::find(kTestUsers, user) != kTestUsers.end()) return Split::kTest;
  if (std::ranges::find(kValidationUsers, user) != kValidationUsers.end()) return Split::kValidation;
  return Split::kTrain;
}

using Sample = std::array<float, 3>;  // x y z

struct Recording {
  std::vector<Sample> acceleration{};      // g, gravity included
  std::vector<Sample> angular_velocity{};  // rad/s
};

struct RecordingKey {
  int experiment = 0;
  int user = 0;
  auto operator<=>(const RecordingKey&) const = default;
};

struct Segment {
  RecordingKey recording{};
  int activity = 0;
  std::size_t first = 0;  // from 0
  std::size_t end = 0;    // one behind the last
};

struct SensorFile {
  RecordingKey recording{};
  std::vector<Sample> Recording::*signal = nullptr;
};

// Of ".../acc_exp01_user01.txt"; nothing when the file has another name.
std::optional<SensorFile> parse_name(const std::string& path) {
  const std::string stem = std::filesystem::path(path).stem().string();
  SensorFile file;
  std::string_view rest = stem;
  const auto skip = [&](std::string_view prefix) {
    if (!rest.starts_with(prefix)) return false;
    rest.remove_prefix(prefix.size());
    return true;
  };
  const auto number = [&](int& value) {
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), value);
    rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
    return error == std::errc{};
  };
  if (skip("acc")) {
    file.signal = &Recording::acceleration;
  } else if (skip("gyro")) {
    file.signal = &Recording::angular_velocity;
  }
  const bool matches = file.signal != nullptr && skip("_exp") && number(file.recording.experiment) && skip("_user") &&
                       number(file.recording.user) && rest.empty();
  return matches ? std::optional(file) : std::nullopt;
}

// Rows of exactly `Columns` finite numbers, separated by blanks; empty lines are skipped. `name` is for errors.
template <typename Number, std::size_t Columns>
std::vector<std::array<Number, Columns>> parse_table(const std::string& name, std::string_view text) {
  std::vector<std::array<Number, Columns>> rows;
  const auto is_blank = [](char c) { return c == ' ' || c == '\t' || c == '\r'; };
  for (std::size_t line_number = 1; !text.empty(); ++line_number) {
    const std::size_t length = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, length);
    text.remove_prefix(std::min(length + 1, text.size()));
    std::array<Number, Columns> row{};
    std::size_t columns = 0;
    const char* at = line.data();
    const char* const end = at + line.size();
    for (;;) {
      while (at != end && is_blank(*at)) ++at;
      if (at == end) break;
      Number value{};
      const auto [behind, error] = std::from_chars(at, end, value);
      const bool good = error == std::errc{} && (behind == end || is_blank(*behind)) && columns < Columns &&
                        std::isfinite(static_cast<double>(value));
      if (!good) {
        throw_bad_input(concat(name, ": line ", line_number, " is '", line.substr(0, 80), "', expected ", Columns,
                               " numbers separated by blanks"));
      }
      row[columns++] = value;
      at = behind;
    }
    if (columns == 0) continue;
    if (columns != Columns) {
      throw_bad_input(concat(name, ": line ", line_number, " has ", columns, " columns, expected ", Columns));
    }
    rows.push_back(row);
  }
  return rows;
}

struct RawData {
  std::map<RecordingKey, Recording> recordings{};
  std::vector<Segment> segments{};  // of the six basic activities
};

// Signals and segments of the users of one split.
RawData read_raw(const std::filesystem::path& path, Split split, std::uint64_t max_memory) {
  RawData raw;
  bool labelled = false;
  const auto is_labels = [](const std::string& name) { return std::filesystem::path(name).filename() == "labels.txt"; };
  const auto add_labels = [&](const std::string& where, const std::string& text) {
    labelled = true;
    for (const auto& [experiment, user, activity, first, last] : parse_table<int, 5>(where, text)) {
      if (first < 1 || last < first || activity < 1 || activity > 12) {
        throw_bad_input(concat(where, ": segment ", first, " to ", last, " with activity ", activity, " of experiment ",
                               experiment, "; expected 1 <= first <= last and an activity from 1 to 12"));
      }
      const RecordingKey key{.experiment = experiment, .user = user};
      if (activity > kBasicActivities || split_of(key.user) != split) continue;
      raw.segments.push_back({.recording = key,
                              .activity = activity,
                              .first = static_cast<std::size_t>(first - 1),
                              .end = static_cast<std::size_t>(last)});
    }
  };
  read_archive(path, {.largest_file = kLargestFile,
                      .max_memory = max_memory,
                      .wants =
                          [&](const std::string& name) {
                            const auto file = parse_name(name);
                            return is_labels(name) || (file && split_of(file->recording.user) == split);
                          },
                      .take =
                          [&](const std::string& name, const std::string& text) {
                            const std::string where = concat(path.string(), ": ", name);
                            if (is_labels(name)) return add_labels(where, text);
                            const SensorFile file = *parse_name(name);
                            raw.recordings[file.recording].*file.signal = parse_table<float, 3>(where, text);
                          }});
  if (!labelled) throw_bad_input(concat(path.string(), ": no labels.txt in it; expected ", data_file().contents));
  return raw;
}

void check_segments(const std::filesystem::path& path, const RawData& raw) {
  for (const auto& [key, recording] : raw.recordings) {
    if (recording.acceleration.size() == recording.angular_velocity.size()) continue;
    throw_bad_input(concat(path.string(), ": experiment ", key.experiment, " of user ", key.user, " has ",
                           recording.acceleration.size(), " samples of the accelerometer and ",
                           recording.angular_velocity.size(), " of the gyroscope, expected as many"));
  }
  for (const Segment& segment : raw.segments) {
    const auto found = raw.recordings.find(segment.recording);
    const std::size_t samples = found == raw.recordings.end() ? 0 : found->second.acceleration.size();
    if (segment.end <= samples) continue;
    throw_bad_input(concat(path.string(), ": labels.txt has a segment up to sample ", segment.end, " of experiment ",
                           segment.recording.experiment, " of user ", segment.recording.user,
                           ", but its recording has ", samples, " samples"));
  }
}

// [samples, kFeatures] of a whole recording.
std::vector<std::array<float, kFeatures>> features_of(const Recording& recording) {
  const double share = 1 - std::exp(-2 * std::numbers::pi * kGravityHertz * kSampleSeconds);
  std::vector<std::array<float, kFeatures>> features(recording.acceleration.size());
  std::array<double, 3> gravity{};
  for (std::size_t n = 0; n < features.size(); ++n) {
    for (std::size_t axis = 0; axis < 3; ++axis) {
      const double total = recording.acceleration[n][axis];
      gravity[axis] = n == 0 ? total : gravity[axis] + share * (total - gravity[axis]);
      features[n][axis] = static_cast<float>(total - gravity[axis]);
      features[n][3 + axis] = recording.angular_velocity[n][axis];
      features[n][6 + axis] = recording.acceleration[n][axis];
    }
  }
  return features;
}

struct Window {
  RecordingKey recording{};
  int activity = 0;
  std::size_t first = 0;
};

Sequence cut_window(const std::vector<std::array<float, kFeatures>>& features, std::size_t first) {
  Sequence window{.steps = kWindow, .features = kFeatures};
  for (std::size_t n = first; n < first + kWindow; ++n) {
    window.values.insert(window.values.end(), features[n].begin(), features[n].end());
  }
  return window;
}

std::vector<Example> load_har(Split split, const TaskOptions& options) {
  const std::filesystem::path path = find_data_file(data_file(), options);
  const RawData raw = read_raw(path, split, options.max_memory);
  check_segments(path, raw);

  std::vector<Window> windows;
  for (const Segment& segment : raw.segments) {
    for (std::size_t first = segment.first; first + kWindow <= segment.end; first += kStep) {
      windows.push_back({.recording = segment.recording, .activity = segment.activity, .first = first});
    }
  }
  std::map<RecordingKey, std::vector<std::array<float, kFeatures>>> features;
  for (const auto& [key, recording] : raw.recordings) features[key] = features_of(recording);

  std::vector<Example> examples;
  for (const std::size_t index : spread(windows.size(), options.limit)) {
    const auto& [recording, activity, first] = windows[index];
    examples.push_back(
        {.name = concat("experiment ", recording.experiment, " user ", recording.user, " sample ", first + 1),
         .input = cut_window(features.at(recording), first),
         .labels = {activity - 1}});
  }
  return examples;
}

}  // namespace

TaskRow har_row() {
  return {.info = {.name = "har",
                   .summary = "six activities of 30 people from a smartphone's accelerometer and gyroscope at 50 Hz",
                   .target = Target::kClass,
                   .features = kFeatures,
                   .classes = {"walking", "walking_upstairs", "walking_downstairs", "sitting", "standing", "laying"},
                   .needs = data_file().file,
                   .step_seconds = kSampleSeconds},
          .load = load_har};
}

}  // namespace quaver
