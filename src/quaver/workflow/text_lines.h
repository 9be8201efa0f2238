// text_lines.h - a text that comes in a stream, a line at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <istream>
#include <string>
#include <vector>

namespace quaver {

// Lines of a text whose length nobody has promised: an endless one ends at the first line beyond kMaxTextLine bytes.
class TextLines {
 public:
  // source: as messages call it.
  TextLines(std::istream& in, std::string source);

  // False at the end. Error (bad input) with the line's place when it is too long, or the text cannot be read.
  bool next(std::string& line);                   // without its end, and the first without a byte order mark
  std::size_t number() const { return number_; }  // of the line that next() gave, from 1
  const std::string& source() const { return source_; }
  std::string where() const;  // of that line: core/text_place.h
  // All lines that follow, each with its end. Error (bad input) when their words would take more than max_memory.
  std::string rest(std::uint64_t max_memory);

 private:
  std::istream& in_;
  std::string source_;
  std::size_t number_ = 0;
  std::vector<char> buffer_;
};

}  // namespace quaver
