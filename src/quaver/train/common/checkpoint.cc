#include "quaver/train/common/checkpoint.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <span>

#include "quaver/core/error.h"
#include "quaver/core/printable.h"
#include "quaver/core/text.h"
#include "quaver/files/atomic_file.h"
#include "quaver/io/container/contents_checksum.h"
#include "quaver/io/container/safetensors.h"

namespace quaver {
namespace {

constexpr std::string_view kFormat = "quaver checkpoint";
constexpr std::string_view kVersion = "3";  // 1 had no checksum, 2 no curve
constexpr const char* kChecksum = "checksum";
constexpr std::string_view kIdentityPrefix = "identity.";

struct Array {
  std::string_view name;
  std::vector<float> Checkpoint::*values;
  std::size_t (*size)(const Checkpoint&, const CheckpointLimits&);
  std::string_view what;  // that many
};
std::size_t every_parameter(const Checkpoint&, const CheckpointLimits& limits) { return limits.parameters; }
std::size_t averaged(const Checkpoint&, const CheckpointLimits& limits) {
  return limits.average ? limits.parameters : 0;
}
std::size_t with_moments(const Checkpoint&, const CheckpointLimits& limits) {
  return limits.moments ? limits.parameters : 0;
}
std::size_t every_epoch(const Checkpoint& checkpoint, const CheckpointLimits&) { return 3 * checkpoint.epoch; }
constexpr std::string_view kParameters = "the parameters of the network";
constexpr std::array<Array, 6> kArrays{{{"values", &Checkpoint::values, every_parameter, kParameters},
                                        {"average", &Checkpoint::average, averaged, kParameters},
                                        {"best_values", &Checkpoint::best_values, every_parameter, kParameters},
                                        {"first_moment", &Checkpoint::first_moment, with_moments, kParameters},
                                        {"second_moment", &Checkpoint::second_moment, with_moments, kParameters},
                                        {"curve", &Checkpoint::curve, every_epoch, "three an epoch"}}};

// Visits every number of the metadata, for reading and for writing.
template <typename Visitor, typename CheckpointType>
void visit_numbers(CheckpointType& checkpoint, const Visitor& visit) {
  visit("steps", checkpoint.steps);
  visit("epoch", checkpoint.epoch);
  visit("batch", checkpoint.batch);
  visit("epoch_loss", checkpoint.epoch_loss);
  visit("epoch_sequences", checkpoint.epoch_sequences);
  visit("best_epoch", checkpoint.best_epoch);
  visit("best_metric", checkpoint.best.metric);
  visit("best_loss", checkpoint.best.loss);
  visit("last_metric", checkpoint.last.metric);
  visit("last_loss", checkpoint.last.loss);
}

using Texts = std::map<std::string, std::string>;

std::string text_or(const Texts& texts, const std::string& key, const std::string& otherwise) {
  const auto found = texts.find(key);
  return found == texts.end() ? otherwise : found->second;
}

// Over all metadata but itself, and the tensors.
template <typename AddTensors>
std::string checksum_of(const Texts& metadata, const AddTensors& add_tensors) {
  std::string texts;
  for (const auto& [name, text] : metadata) {
    if (name != kChecksum) texts.append(name).append(1, '\0').append(text).append(1, '\0');
  }
  ContentsChecksum checksum({texts});
  add_tensors(checksum);
  return checksum.text();
}

void check_identity(const std::filesystem::path& path, const Texts& metadata, const Texts& identity) {
  std::vector<std::string> differences;
  for (const auto& [name, now] : identity) {
    const std::string then = text_or(metadata, concat(kIdentityPrefix, name), "not given");
    if (then != now) differences.push_back(concat(name, " was ", then, " and is now ", now));
  }
  if (!differences.empty())
    throw_usage(concat(path.string(), ": this checkpoint is of another training: ", join(differences, "; "),
                       ". Resume with the same options and data, or start anew without --resume"));
}

}  // namespace

void save_checkpoint(const Checkpoint& checkpoint, const Texts& identity, const std::filesystem::path& path) {
  std::map<std::string, SafetensorsEntry> entries;
  for (const Array& array : kArrays) {
    const std::vector<float>& values = checkpoint.*array.values;
    entries[std::string(array.name)] = {
        NumberType::kF32, {static_cast<std::int64_t>(values.size())}, std::as_bytes(std::span(values))};
  }
  Texts metadata{{"format", std::string(kFormat)}, {"version", std::string(kVersion)}};
  for (const auto& [name, value] : identity) metadata[concat(kIdentityPrefix, name)] = value;
  visit_numbers(checkpoint, [&](const char* name, auto value) { metadata[name] = number_text(value); });
  metadata[kChecksum] = checksum_of(metadata, [&](ContentsChecksum& checksum) {
    for (const auto& [name, entry] : entries) checksum.add(name, entry.dtype, entry.shape, entry.bytes);
  });
  write_file_atomically(path, [&](const ByteSink& sink) { write_safetensors(entries, metadata, sink); });
}

namespace {

// What no training that stopped here can say.
void check_numbers(const Checkpoint& state, const CheckpointLimits& limits) {
  const auto expect = [](const char* name, auto value, auto least, auto most) {
    if (value >= least && value <= most) return;  // false of what is no number
    throw_bad_input(concat("metadata '", name, "' is ", number_text(value), ", expected ",
                           least == most ? "" : concat(number_text(least), " to "), number_text(most)));
  };
  constexpr double kLargest = std::numeric_limits<double>::max();
  const bool within = limits.sequences > 0;  // an epoch
  expect("epoch", state.epoch, std::size_t{0}, limits.epochs);
  expect("batch", state.batch, std::size_t{0}, within && state.epoch < limits.epochs ? limits.batches - 1 : 0);
  const std::uint64_t steps = state.epoch * limits.batches + state.batch;
  expect("steps", state.steps, steps, steps);
  expect("epoch_sequences", state.epoch_sequences, state.batch, state.batch == 0 ? 0 : limits.sequences);
  expect("epoch_loss", state.epoch_loss, state.batch == 0 ? 0 : -kLargest, state.batch == 0 ? 0 : kLargest);
  expect("best_epoch", state.best_epoch, std::size_t{0}, state.epoch);
  expect("best_metric", state.best.metric, -kLargest, kLargest);
  expect("best_loss", state.best.loss, -kLargest, kLargest);
  expect("last_metric", state.last.metric, -kLargest, kLargest);
  expect("last_loss", state.last.loss, -kLargest, kLargest);
}

void check_values(const Array& array, const Checkpoint& state, const CheckpointLimits& limits) {
  const std::vector<float>& values = state.*array.values;
  const std::size_t expected = array.size(state, limits);
  if (values.size() != expected)
    throw_bad_input(
        concat("tensor '", array.name, "' has ", values.size(), " elements, expected ", expected, ", ", array.what));
  const auto wrong = std::ranges::find_if(values, [](float value) { return !std::isfinite(value); });
  if (wrong != values.end())
    throw_bad_input(
        concat("tensor '", array.name, "' has ", *wrong, " at ", wrong - values.begin(), ", expected finite values"));
}

Checkpoint read_checkpoint(const SafetensorsFile& file, const CheckpointLimits& limits) {
  const Texts& metadata = file.metadata();
  const std::string found = checksum_of(metadata, [&file](ContentsChecksum& checksum) {
    for (const auto& [name, tensor] : file.tensors()) checksum.add(name, tensor.dtype, tensor.shape, file.bytes(name));
  });
  if (const std::string expected = text_or(metadata, kChecksum, "none"); found != expected)
    throw_bad_input(concat("checksum ", printable(expected), " expected, but the contents give ", found));
  Checkpoint checkpoint;
  visit_numbers(checkpoint, [&](const char* name, auto& value) {
    const std::string text = text_or(metadata, name, "");
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size())
      throw_bad_input(concat("metadata '", name, "' is '", printable(text), "', expected a number"));
  });
  check_numbers(checkpoint, limits);
  for (const Array& array : kArrays) {
    checkpoint.*array.values = file.as_f32(array.name);
    check_values(array, checkpoint, limits);
  }
  return checkpoint;
}

}  // namespace

std::optional<std::size_t> checkpoint_epochs(const std::filesystem::path& path) {
  try {
    const SafetensorsFile file = SafetensorsFile::open(path);
    if (text_or(file.metadata(), "format", "") != kFormat) return std::nullopt;
    const std::string text = text_or(file.metadata(), "epoch", "");
    std::size_t epochs = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), epochs);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return epochs;
  } catch (const Error&) {
    return std::nullopt;
  }
}

Checkpoint load_checkpoint(const std::filesystem::path& path, const Texts& identity, const CheckpointLimits& limits) {
  if (!std::filesystem::exists(path))
    throw_bad_input(concat(path.string(), ": there is no checkpoint to resume; start without --resume"));
  const SafetensorsFile file = SafetensorsFile::open(path);
  const std::string format = text_or(file.metadata(), "format", "");
  const std::string version = text_or(file.metadata(), "version", "");
  if (format != kFormat)
    throw_bad_input(concat(path.string(), ": is no checkpoint of a training: its format is '", printable(format),
                           "', expected '", kFormat, "'"));
  if (version != kVersion)
    throw_bad_input(concat(path.string(), ": this checkpoint is of version '", printable(version),
                           "', made by another version of quaver, and this one goes on from version ", kVersion,
                           " alone; finish it with the program that began it, or start anew without --resume"));
  check_identity(path, file.metadata(), identity);
  try {
    return read_checkpoint(file, limits);
  } catch (const Error& error) {
    throw Error(error.kind(),
                concat(path.string(), ": the checkpoint is damaged: ", error.what(), "; start anew without --resume"));
  }
}

}  // namespace quaver
