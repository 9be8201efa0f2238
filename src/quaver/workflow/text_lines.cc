#include "quaver/workflow/text_lines.h"

#include <string_view>
#include <utility>

#include "quaver/core/error.h"
#include "quaver/core/memory_limit.h"
#include "quaver/core/text_place.h"
#include "quaver/data/babi.h"

namespace quaver {
namespace {

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

}  // namespace

TextLines::TextLines(std::istream& in, std::string source)
    : in_(in), source_(std::move(source)), buffer_(kMaxStoryLine + 2) {}

std::string TextLines::where() const { return text_place(source_, number_); }

bool TextLines::next(std::string& line) {
  ++number_;
  in_.getline(buffer_.data(), static_cast<std::streamsize>(buffer_.size()));
  auto count = static_cast<std::size_t>(in_.gcount());
  if (in_.bad()) throw_bad_input(concat(source_, ": cannot be read"));
  if (!in_.eof()) {
    if (in_.fail())
      throw_bad_input(concat(where(), ": this line has more than ", kMaxStoryLine, " bytes; is this a text?"));
    --count;  // the end of the line
  }
  line.assign(buffer_.data(), count);
  if (number_ == 1 && line.starts_with(kByteOrderMark)) line.erase(0, kByteOrderMark.size());
  if (line.ends_with('\r')) line.pop_back();
  return !in_.eof() || count > 0;
}

std::string TextLines::rest(std::uint64_t max_memory) {
  // Words of a few letters lie in memory as texts of their own.
  constexpr std::uint64_t kBytesOfALetter = 16;
  std::string text;
  for (std::string line; next(line);) {
    text.append(line).append(1, '\n');
    require_memory(concat(where(), ": the text up to here has"), text.size() * kBytesOfALetter, max_memory);
  }
  return text;
}

}  // namespace quaver
