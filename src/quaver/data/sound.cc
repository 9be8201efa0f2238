#include "quaver/data/sound.h"

#include <samplerate.h>
#include <sndfile.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <functional>
#include <optional>
#include <utility>

#include "quaver/core/error.h"
#include "quaver/core/text.h"
#include "quaver/files/input_file.h"

namespace quaver {
namespace {

// Bytes at a place, as libsndfile reads them.
struct Source {
  std::uint64_t size = 0;
  // Fills the target from this place on; all of it lies inside `size`. False when the disk fails.
  std::function<bool(std::uint64_t place, std::span<char> target)> read;
  sf_count_t position = 0;

  sf_count_t end() const { return static_cast<sf_count_t>(size); }

  static SF_VIRTUAL_IO functions() {
    SF_VIRTUAL_IO io{};
    io.get_filelen = [](void* source) { return static_cast<Source*>(source)->end(); };
    io.tell = [](void* source) { return static_cast<Source*>(source)->position; };
    io.seek = [](sf_count_t offset, int whence, void* source) {
      return static_cast<Source*>(source)->seek(offset, whence);
    };
    io.read = [](void* to, sf_count_t count, void* source) { return static_cast<Source*>(source)->take(to, count); };
    return io;
  }

  sf_count_t seek(sf_count_t offset, int whence) {
    const sf_count_t origin = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? position : end();
    // A damaged header asks for any place; one outside the file is its nearest end.
    position = offset < -origin ? 0 : std::min(offset, end() - origin) + origin;
    return position;
  }

  sf_count_t take(void* to, sf_count_t count) {
    count = std::clamp<sf_count_t>(count, 0, end() - position);
    if (!read(static_cast<std::uint64_t>(position), {static_cast<char*>(to), static_cast<std::size_t>(count)}))
      return 0;
    position += count;
    return count;
  }
};

// libsndfile takes as many samples as there are for as many as the header says: a file that was cut off is found here.
// RIFF: "RIFF" size "WAVE", then chunks of a name (4 bytes), a size (4 bytes, little-endian) and contents, padded to 2.
void require_whole_data(const std::string& name, const Source& source) {
  constexpr std::size_t kForm = 12, kChunkHead = 8;
  std::array<char, kChunkHead> head{};
  if (source.size < kForm || !source.read(0, head) || std::string_view(head.data(), 4) != "RIFF")
    return;  // libsndfile says what else it is
  for (std::uint64_t at = kForm; at + kChunkHead <= source.size && source.read(at, head);) {
    std::uint64_t size = 0;
    for (std::size_t i = kChunkHead; i-- > 4;) size = size << 8 | static_cast<unsigned char>(head[i]);
    const std::uint64_t left = source.size - at - kChunkHead;
    if (std::string_view(head.data(), 4) == "data" && size > left)
      throw_bad_input(concat(name, ": its data chunk claims ", size, " bytes, but ", left, " follow; is it cut off?"));
    if (size >= left) return;
    at += kChunkHead + size + size % 2;
  }
}

// Of those whose sample takes a byte at least, so that a header cannot claim more samples than the file has bytes.
std::optional<std::string> encoding_text(int format) {
  switch (format & SF_FORMAT_SUBMASK) {
    case SF_FORMAT_PCM_U8: return "8-bit PCM";
    case SF_FORMAT_PCM_16: return "16-bit PCM";
    case SF_FORMAT_PCM_24: return "24-bit PCM";
    case SF_FORMAT_PCM_32: return "32-bit PCM";
    case SF_FORMAT_FLOAT: return "32-bit float";
    case SF_FORMAT_DOUBLE: return "64-bit float";
    case SF_FORMAT_ULAW: return "mu-law";
    case SF_FORMAT_ALAW: return "A-law";
    default: return std::nullopt;
  }
}

struct CloseSound {
  void operator()(SNDFILE* file) const { sf_close(file); }
};

}  // namespace

struct SoundFile::Contents {
  std::string name;
  std::optional<InputFile> file{};
  Source source{};
  SoundForm form{};
  std::unique_ptr<SNDFILE, CloseSound> sound{};

  void open() {
    require_whole_data(name, source);
    SF_VIRTUAL_IO io = Source::functions();
    SF_INFO info{};
    sound.reset(sf_open_virtual(&io, SFM_READ, &info, &source));
    if (sound == nullptr) throw_bad_input(concat(name, ": not a readable wav file (", sf_strerror(nullptr), ")"));
    const std::optional<std::string> encoding = encoding_text(info.format);
    if (!encoding)
      throw_bad_input(concat(name,
                             ": its samples are compressed, expected PCM of 8 to 32 bits, float, mu-law or A-law: "
                             "convert the recording"));
    form = {.rate = info.samplerate,
            .channels = info.channels,
            .encoding = *encoding,
            .frames = static_cast<std::uint64_t>(std::max<sf_count_t>(info.frames, 0))};
    const std::uint64_t most = source.size / static_cast<std::uint64_t>(std::max(form.channels, 1));
    if (form.frames > most)
      throw_bad_input(
          concat(name, ": ", most, " samples at most, but its header says ", form.frames, "; is it cut off?"));
    if (form.rate <= 0 || form.channels <= 0)
      throw_bad_input(concat(name, ": ", sound_text(form), ", expected a rate and a number of channels above 0"));
  }
};

std::string sound_text(const SoundForm& form) {
  return concat(form.rate, " Hz, ", form.channels, form.channels == 1 ? " channel, " : " channels, ", form.encoding);
}

SoundFile::SoundFile(std::string name, std::string_view bytes) : contents_(new Contents{.name = std::move(name)}) {
  contents_->source.size = bytes.size();
  contents_->source.read = [bytes](std::uint64_t place, std::span<char> target) {
    std::memcpy(target.data(), bytes.data() + place, target.size());
    return true;
  };
  contents_->open();
}

SoundFile::SoundFile(const std::filesystem::path& path) : contents_(new Contents{.name = path.string()}) {
  const InputFile& file = contents_->file.emplace(path);
  contents_->source.size = file.size();
  contents_->source.read = [&file](std::uint64_t place, std::span<char> target) {
    try {
      file.read(place, std::as_writable_bytes(target));
      return true;
    } catch (const Error&) {  // the caller is C; it then finds fewer samples than the header says
      return false;
    }
  };
  contents_->open();
}

SoundFile::SoundFile(SoundFile&&) noexcept = default;
SoundFile& SoundFile::operator=(SoundFile&&) noexcept = default;
SoundFile::~SoundFile() = default;

const SoundForm& SoundFile::form() const { return contents_->form; }

std::vector<float> SoundFile::samples() {
  constexpr std::size_t kBlock = 4096;  // frames
  const auto channels = static_cast<std::size_t>(form().channels);
  std::vector<float> samples, block(kBlock * channels);
  samples.reserve(static_cast<std::size_t>(form().frames));
  for (;;) {
    const sf_count_t read = sf_readf_float(contents_->sound.get(), block.data(), kBlock);
    for (std::size_t frame = 0; frame < static_cast<std::size_t>(std::max<sf_count_t>(read, 0)); ++frame) {
      float sum = 0;
      for (std::size_t channel = 0; channel < channels; ++channel) sum += block[frame * channels + channel];
      const float sample = sum / static_cast<float>(channels);
      if (!std::isfinite(sample))
        throw_bad_input(
            concat(contents_->name, ": sample ", samples.size(), " is ", sample, ", expected finite numbers"));
      samples.push_back(sample);
    }
    if (read < static_cast<sf_count_t>(kBlock)) break;
  }
  if (samples.size() != form().frames)
    throw_bad_input(concat(contents_->name, ": ", samples.size(), " samples, but its header says ", form().frames,
                           "; is it cut off?"));
  return samples;
}

std::vector<float> resampled(std::span<const float> samples, int from, int to) {
  if (from == to) return {samples.begin(), samples.end()};
  const double ratio = static_cast<double>(to) / from;
  std::vector<float> output(static_cast<std::size_t>(std::ceil(static_cast<double>(samples.size()) * ratio)) + 1);
  SRC_DATA data{};
  data.data_in = samples.data();
  data.input_frames = static_cast<long>(samples.size());
  data.data_out = output.data();
  data.output_frames = static_cast<long>(output.size());
  data.src_ratio = ratio;
  if (const int error = src_simple(&data, SRC_SINC_MEDIUM_QUALITY, 1); error != 0)
    throw_bad_input(concat("cannot be resampled from ", from, " to ", to, " Hz: ", src_strerror(error)));
  output.resize(static_cast<std::size_t>(data.output_frames_gen));
  return output;
}

}  // namespace quaver
