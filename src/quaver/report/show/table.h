// table.h - short aligned text tables: what every verb prints for people.
//
// The first row is the header and carries the units; numbers stand to the right, names to the left; two spaces between
// columns and nothing after the last one, so that a line can be pasted anywhere. Widths count UTF-8 characters.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace quaver {

enum class Align { kLeft, kRight };

struct Column {
  std::string title;
  Align align = Align::kRight;
};

class Table {
 public:
  explicit Table(std::vector<Column> columns);

  void add_row(std::vector<std::string> cells);  // as many as there are columns
  std::size_t row_count() const { return rows_.size(); }
  std::string text() const;  // header, rows; every line ends with a newline

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

// Cells. A number that is not finite prints as "-": there is nothing to say.
std::string fixed_text(double value, int digits);        // 3.142
std::string significant_text(double value, int digits);  // 0.0003142, 3.142e-09
std::string count_text(std::uint64_t value);             // 1234567
std::string readable_count(std::uint64_t value);         // 1,234,567, inside a sentence
std::string bytes_text(std::uint64_t bytes);             // 117.3 KiB
std::string seconds_text(double seconds);                // 0.8 s, 42 s, 3 min 05 s, 2 h 03 min

}  // namespace quaver
