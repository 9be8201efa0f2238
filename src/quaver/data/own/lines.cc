#include "quaver/data/own/lines.h"

#include <archive.h>
#include <archive_entry.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <span>
#include <utility>

#include "quaver/core/error.h"
#include "quaver/core/printable.h"
#include "quaver/core/text.h"
#include "quaver/data/own/pipeline.h"
#include "quaver/files/input_file.h"

namespace quaver {
namespace {

constexpr std::size_t kLongestLine = std::size_t{1} << 26;  // bytes
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

struct FreeArchive {
  void operator()(archive* reader) const { archive_read_free(reader); }
};

bool is_plain(std::string_view line) {
  bool other = false;  // one loop without exits, which is the time of large files
  for (const char character : line) {
    const auto byte = static_cast<unsigned char>(character);
    other |= byte >= 0x7f || (byte < ' ' && byte != '\t');
  }
  return !other;
}

// The place, from 0, of the first byte that is no UTF-8 or a control character other than a tab.
std::optional<std::size_t> first_bad_byte(std::string_view line) {
  if (is_plain(line)) return std::nullopt;
  for (std::size_t i = 0; i < line.size();) {
    const auto byte = static_cast<unsigned char>(line[i]);
    const std::size_t length = utf8_length(line.substr(i));
    if (length == 0 || (byte < ' ' && byte != '\t') || byte == 0x7f) return i;
    i += length;
  }
  return std::nullopt;
}

}  // namespace

struct LineReader::Contents {
  std::string name;
  std::function<void(std::uint64_t, std::uint64_t)> progress{};
  std::uint64_t total = 0, told = 0;
  std::unique_ptr<archive, FreeArchive> reader{};
  std::string buffer{};
  std::size_t begin = 0;  // of what was not given yet, in `buffer`
  bool ended = false;
  std::size_t number = 0;
  std::uint64_t hash = fnv1a({});

  void start() {
    reader.reset(archive_read_new());
    if (reader == nullptr) throw_failed(concat(name, ": no memory to read it"));
    require(archive_read_support_filter_gzip(reader.get()));
    require(archive_read_support_filter_xz(reader.get()));
    require(archive_read_support_format_raw(reader.get()));
  }

  void first_entry() {
    archive_entry* entry = nullptr;
    require(archive_read_next_header(reader.get(), &entry));
  }

  void require(int status) const {
    if (status >= ARCHIVE_WARN) return;
    const char* reason = archive_error_string(reader.get());
    throw_bad_input(concat(name, ": cannot be read (", reason == nullptr ? "no reason given" : reason,
                           "); it may be damaged or cut off"));
  }

  // Appends a block to the buffer, or finds the end.
  void fill() {
    buffer.erase(0, begin);
    begin = 0;
    const void* block = nullptr;
    std::size_t size = 0;
    la_int64_t offset = 0;
    const int status = archive_read_data_block(reader.get(), &block, &size, &offset);
    if (status == ARCHIVE_EOF) {
      ended = true;
      return;
    }
    require(status);
    buffer.append(static_cast<const char*>(block), size);
    constexpr std::uint64_t kTellEvery = 1 << 20;
    const auto done = static_cast<std::uint64_t>(std::max<la_int64_t>(archive_filter_bytes(reader.get(), -1), 0));
    if (!progress || done < told + kTellEvery) return;
    told = done;
    progress(std::min(done, total), total);
  }
};

LineReader::LineReader(const std::filesystem::path& path, std::function<void(std::uint64_t, std::uint64_t)> progress)
    : contents_(new Contents{.name = path.string(), .progress = std::move(progress)}) {
  contents_->total = InputFile(path).size();
  if (contents_->total == 0) throw_bad_input(concat(path.string(), ": the file is empty"));
  contents_->start();
  constexpr std::size_t kBlock = 1 << 18;
  contents_->require(archive_read_open_filename(contents_->reader.get(), path.c_str(), kBlock));
  contents_->first_entry();
}

LineReader::LineReader(std::string name, std::string_view bytes) : contents_(new Contents{.name = std::move(name)}) {
  if (bytes.empty()) throw_bad_input(concat(contents_->name, ": the file is empty"));
  contents_->start();
  contents_->require(archive_read_open_memory(contents_->reader.get(), bytes.data(), bytes.size()));
  contents_->first_entry();
}

LineReader::LineReader(LineReader&&) noexcept = default;
LineReader& LineReader::operator=(LineReader&&) noexcept = default;
LineReader::~LineReader() = default;

std::optional<std::string_view> LineReader::next() {
  Contents& all = *contents_;
  std::size_t end = all.buffer.find('\n', all.begin);
  while (end == std::string::npos && !all.ended) {
    const std::size_t searched = all.buffer.size() - all.begin;
    all.fill();
    end = all.buffer.find('\n', searched);
    if (all.buffer.size() > kLongestLine && end == std::string::npos)
      throw_bad_input(concat(all.name, ":", all.number + 1, ": this line has more than ", kLongestLine,
                             " bytes; is it a text file?"));
  }
  if (end == std::string::npos) {
    if (all.begin == all.buffer.size()) return std::nullopt;
    end = all.buffer.size();
  }
  std::string_view line = std::string_view(all.buffer).substr(all.begin, end - all.begin);
  all.begin = std::min(end + 1, all.buffer.size());
  if (++all.number == 1) {
    if (line.starts_with("\xff\xfe") || line.starts_with("\xfe\xff"))
      throw_bad_input(concat(where(), ": the file is UTF-16, expected UTF-8: save it as UTF-8"));
    if (line.starts_with(kByteOrderMark)) line.remove_prefix(kByteOrderMark.size());
  }
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (first_bad_byte(line)) require_text(line, where());
  constexpr std::string_view kEnd = "\n";
  all.hash = fnv1a(std::as_bytes(std::span(kEnd)), fnv1a(std::as_bytes(std::span(line)), all.hash));
  return line;
}

std::optional<std::string_view> LineReader::next_filled() {
  std::size_t blank = 0;
  for (;;) {
    const std::optional<std::string_view> line = next();
    if (!line) return std::nullopt;
    if (trimmed(*line).empty()) {
      if (blank == 0) blank = number();
      continue;
    }
    if (blank > 0) throw_bad_input(concat(name(), ":", blank, ": this line is empty; remove it"));
    return line;
  }
}

std::size_t LineReader::number() const { return contents_->number; }
std::string LineReader::where() const { return concat(contents_->name, ":", contents_->number); }
const std::string& LineReader::name() const { return contents_->name; }
std::uint64_t LineReader::hash() const { return contents_->hash; }

void require_text(std::string_view line, const std::string& where) {
  const std::optional<std::size_t> place = first_bad_byte(line);
  if (!place) return;
  const auto byte = static_cast<unsigned char>(line[*place]);
  if (byte < ' ' || byte == 0x7f)
    throw_bad_input(concat(where, ": the control character ", static_cast<unsigned>(byte), " at place ", *place + 1,
                           ", expected text; is it a text file?"));
  throw_bad_input(concat(where, ": the byte ", static_cast<unsigned>(byte), " at place ", *place + 1,
                         ", expected text in UTF-8; save the file as UTF-8"));
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

std::optional<double> number_of(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(number)) return std::nullopt;
  return number;
}

}  // namespace quaver
