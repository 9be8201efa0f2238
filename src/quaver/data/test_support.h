// test_support.h - what the tests of this floor share: folders and archives made for a test, errors, the real data.
#pragma once

#include <archive.h>
#include <archive_entry.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <numbers>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "quaver/core/error.h"
#include "quaver/data/tasks.h"
#include "support/files.h"
#include "support/places.h"

namespace quaver {

// Calls and returns the Error it throws; fails the test when it throws none, or one of another kind.
template <typename Call>
Error expect_error(ErrorKind kind, const Call& call) {
  try {
    call();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), kind) << error.what();
    return error;
  }
  ADD_FAILURE() << "no error was thrown";
  return Error(kind, "");
}

inline testing::AssertionResult says(const Error& error, const std::string& part) {
  if (std::string(error.what()).find(part) != std::string::npos) return testing::AssertionSuccess();
  return testing::AssertionFailure() << "'" << error.what() << "' does not say '" << part << "'";
}

// What every data set promises.
inline void expect_consistent(const Dataset& data) {
  ASSERT_FALSE(data.examples.empty());
  for (const Example& example : data.examples) {
    ASSERT_FALSE(example.name.empty());
    ASSERT_GE(example.input.steps, 1u) << example.name;
    ASSERT_EQ(example.input.features, data.features) << example.name;
    ASSERT_EQ(example.input.values.size(), example.input.steps * data.features) << example.name;
    ASSERT_EQ(example.input.ids.size(), data.vocabulary == 0 ? 0 : example.input.steps) << example.name;
    const std::size_t rows = data.target == Target::kClass || data.target == Target::kReals ? 1 : example.input.steps;
    const bool reals = data.target == Target::kReals || data.target == Target::kRealSteps;
    const std::size_t width = data.target == Target::kLabels ? data.classes.size() : 1;
    ASSERT_EQ(example.labels.size(), reals ? 0 : rows * width) << example.name;
    ASSERT_EQ(example.targets.size(), rows * data.outputs) << example.name;
    for (const float value : example.targets) ASSERT_TRUE(std::isfinite(value)) << example.name;
    for (const float value : example.input.values) ASSERT_TRUE(std::isfinite(value)) << example.name;
    for (const std::int32_t id : example.input.ids) {
      ASSERT_GE(id, 0) << example.name;
      ASSERT_LT(static_cast<std::size_t>(id), data.vocabulary) << example.name;
    }
    for (const std::int32_t label : example.labels) {
      ASSERT_GE(label, 0) << example.name;
      ASSERT_LT(static_cast<std::size_t>(label), data.target == Target::kLabels ? 2 : data.classes.size());
    }
  }
}

// The same for one that load_task() returned, which is what its task says.
inline void expect_well_formed(const Dataset& data) {
  const TaskInfo& info = task_info(data.task);
  EXPECT_EQ(data.target, info.target);
  EXPECT_EQ(data.features, info.features);
  EXPECT_EQ(data.classes, info.classes);
  EXPECT_EQ(data.vocabulary, info.vocabulary);
  EXPECT_EQ(data.outputs, info.outputs);
  EXPECT_EQ(data.metric, info.metric);
  expect_consistent(data);
}

using io_test::TemporaryFolder;

inline std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

inline void write_file(const std::filesystem::path& path, const std::string& bytes) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream file(path, std::ios::binary);
  file << bytes;
  if (!file.flush()) ADD_FAILURE() << "cannot write " << path;
}

// Writes a .xz of these bytes.
inline void write_xz(const std::filesystem::path& path, const std::string& bytes) {
  std::filesystem::create_directories(path.parent_path());
  archive* writer = archive_write_new();
  archive_write_add_filter_xz(writer);
  archive_write_set_format_raw(writer);
  if (archive_write_open_filename(writer, path.c_str()) != ARCHIVE_OK) ADD_FAILURE() << archive_error_string(writer);
  archive_entry* entry = archive_entry_new();
  archive_entry_set_filetype(entry, AE_IFREG);
  archive_write_header(writer, entry);
  archive_write_data(writer, bytes.data(), bytes.size());
  archive_entry_free(entry);
  if (archive_write_free(writer) != ARCHIVE_OK) ADD_FAILURE() << "cannot write " << path;
}

// Writes a .tar.xz of the files given as name -> bytes, a folder entry first, as tar does.
inline void write_archive(const std::filesystem::path& path, const std::map<std::string, std::string>& files) {
  std::filesystem::create_directories(path.parent_path());
  archive* writer = archive_write_new();
  archive_write_add_filter_xz(writer);
  archive_write_set_format_ustar(writer);
  if (archive_write_open_filename(writer, path.c_str()) != ARCHIVE_OK) ADD_FAILURE() << archive_error_string(writer);
  const auto add = [&](const std::string& name, unsigned type, const std::string& bytes) {
    archive_entry* entry = archive_entry_new();
    archive_entry_set_pathname(entry, name.c_str());
    archive_entry_set_filetype(entry, type);
    archive_entry_set_perm(entry, 0644);
    archive_entry_set_size(entry, static_cast<la_int64_t>(bytes.size()));
    archive_write_header(writer, entry);
    archive_write_data(writer, bytes.data(), bytes.size());
    archive_entry_free(entry);
  };
  add("folder/", AE_IFDIR, "");
  for (const auto& [name, bytes] : files) add(name, AE_IFREG, bytes);
  if (archive_write_free(writer) != ARCHIVE_OK) ADD_FAILURE() << "cannot write " << path;
}

struct WavForm {
  unsigned rate = 8000;
  unsigned channels = 1;
  unsigned bits = 16;
};

// A wav file: a canonical 44-byte header and samples in little-endian order.
inline std::string wav(std::span<const std::int16_t> samples, const WavForm& form = {}) {
  std::string bytes;
  const auto number = [&](std::size_t value, int size) {
    for (int i = 0; i < size; ++i) bytes += static_cast<char>(value >> (8 * i) & 0xff);
  };
  const std::size_t frame = form.channels * form.bits / 8;
  const std::size_t size = samples.size() * form.bits / 8;
  bytes += "RIFF";
  number(36 + size, 4);
  bytes += "WAVEfmt ";
  number(16, 4);
  number(1, 2);  // PCM
  number(form.channels, 2);
  number(form.rate, 4);
  number(form.rate * frame, 4);
  number(frame, 2);
  number(form.bits, 2);
  bytes += "data";
  number(size, 4);
  for (const std::int16_t sample : samples) {
    if (form.bits == 8) number(static_cast<std::size_t>((sample >> 8) + 128), 1);
    if (form.bits == 16) number(static_cast<std::uint16_t>(sample), 2);
  }
  return bytes;
}

inline std::vector<std::int16_t> tone(std::size_t count, double hertz, double rate = 8000) {
  std::vector<std::int16_t> samples(count);
  for (std::size_t n = 0; n < count; ++n) {
    samples[n] =
        static_cast<std::int16_t>(9000 * std::sin(2 * std::numbers::pi * hertz * static_cast<double>(n) / rate));
  }
  return samples;
}

// The notes of data of one's own, a line each.
template <typename Data>
std::string notes_of(const Data& data) {
  std::string text;
  for (const std::string& note : data.notes()) text += note + "\n";
  return text;
}

// The folder of the real data, or nothing when `file` is not in it: the test then skips with skip_text(), and is one of
// EXTERNAL_TESTS in CMakeLists.txt.
inline std::optional<std::filesystem::path> real_data(const std::string& file) {
  const std::filesystem::path folder = testing_support::data_folder();
  if (!std::filesystem::exists(folder / file)) return std::nullopt;
  return folder;
}

inline std::string skip_text(const std::string& file) {
  return "no " + file + " in QUAVER_DATA or ../shared/data: the real data was not read";
}

}  // namespace quaver
