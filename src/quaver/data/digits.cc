// digits.cc - spoken digits: the recordings of the Free Spoken Digit Dataset as log-mel frames.
//
// recordings/{digit}_{speaker}_{index}.wav, 8000 Hz, mono, 16 bits. The publisher's split is by index: 0 to 4 test, the
// rest training. Of the latter we keep 5 to 9 for validation, so that no choice is ever made on the test files.
#include <sndfile.h>

#include <algorithm>
#include <charconv>
#include <compare>
#include <cstdio>
#include <cstring>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "quaver/core/error.h"
#include "quaver/core/text.h"
#include "quaver/data/archive.h"
#include "quaver/data/features.h"
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

// A file in memory, as libsndfile reads it.
struct MemoryFile {
  std::string_view bytes;
  sf_count_t position = 0;

  sf_count_t size() const { return static_cast<sf_count_t>(bytes.size()); }

  static SF_VIRTUAL_IO functions() {
    SF_VIRTUAL_IO io{};
    io.get_filelen = [](void* file) { return static_cast<MemoryFile*>(file)->size(); };
    io.tell = [](void* file) { return static_cast<MemoryFile*>(file)->position; };
    io.seek = [](sf_count_t offset, int whence, void* file) {
      return static_cast<MemoryFile*>(file)->seek(offset, whence);
    };
    io.read = [](void* to, sf_count_t count, void* file) { return static_cast<MemoryFile*>(file)->read(to, count); };
    return io;
  }

  sf_count_t seek(sf_count_t offset, int whence) {
    const sf_count_t origin = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? position : size();
    // A damaged header asks for any place; one outside the file is its nearest end.
    position = offset < -origin ? 0 : std::min(offset, size() - origin) + origin;
    return position;
  }

  sf_count_t read(void* to, sf_count_t count) {
    count = std::clamp<sf_count_t>(count, 0, size() - position);
    std::memcpy(to, bytes.data() + position, static_cast<std::size_t>(count));
    position += count;
    return count;
  }
};

struct CloseSound {
  void operator()(SNDFILE* file) const { sf_close(file); }
};

// libsndfile takes as many samples as there are for as many as the header says: a file that was cut off is found here.
// RIFF: "RIFF" size "WAVE", then chunks of a name (4 bytes), a size (4 bytes, little-endian) and contents, padded to 2.
void require_whole_data(const std::string& name, std::string_view bytes) {
  constexpr std::size_t kForm = 12, kChunkHead = 8;
  if (!bytes.starts_with("RIFF") || bytes.size() < kForm) return;  // libsndfile says what else it is
  for (std::size_t at = kForm; at + kChunkHead <= bytes.size();) {
    std::uint64_t size = 0;
    for (std::size_t i = kChunkHead; i-- > 4;) size = size << 8 | static_cast<unsigned char>(bytes[at + i]);
    const std::size_t left = bytes.size() - at - kChunkHead;
    if (bytes.substr(at, 4) == "data" && size > left)
      throw_bad_input(concat(name, ": its data chunk claims ", size, " bytes, but ", left, " follow; is it cut off?"));
    if (size >= left) return;
    at += kChunkHead + static_cast<std::size_t>(size + size % 2);
  }
}

// Samples in [-1, 1). Error (bad input) naming `name` when it is no wav, or not one of 8000 Hz, mono, 16 bits.
std::vector<float> decode_wav(const std::string& name, std::string_view bytes) {
  require_whole_data(name, bytes);
  MemoryFile memory{.bytes = bytes};
  SF_VIRTUAL_IO io = MemoryFile::functions();
  SF_INFO info{};
  const std::unique_ptr<SNDFILE, CloseSound> file(sf_open_virtual(&io, SFM_READ, &info, &memory));
  if (file == nullptr) throw_bad_input(concat(name, ": not a readable wav file (", sf_strerror(nullptr), ")"));

  constexpr int kRate = 8000;
  const bool pcm16 = (info.format & SF_FORMAT_SUBMASK) == SF_FORMAT_PCM_16;
  if (info.samplerate != kRate || info.channels != 1 || !pcm16) {
    throw_bad_input(concat(name, ": ", info.samplerate, " Hz, ", info.channels,
                           info.channels == 1 ? " channel" : " channels", pcm16 ? ", 16-bit PCM" : ", not 16-bit PCM",
                           "; expected ", kRate, " Hz, 1 channel, 16-bit PCM: convert the recording"));
  }
  std::vector<float> samples(std::min<std::size_t>(static_cast<std::size_t>(std::max<sf_count_t>(info.frames, 0)),
                                                   bytes.size() / sizeof(std::int16_t)));
  const sf_count_t read = sf_read_float(file.get(), samples.data(), static_cast<sf_count_t>(samples.size()));
  if (read != info.frames) {
    throw_bad_input(concat(name, ": ", read, " samples, but its header says ", info.frames, "; is it cut off?"));
  }
  return samples;
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
