// csv.h - tables of numbers, as loggers write them. Internal to this floor.
//
// A line of column names (numbers there mean that there is none: then they are column1, column2, ...), then a line a
// row. Fields are separated by commas, semicolons or tabs, whichever the first line has most, and may stand in double
// quotes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "quaver/data/own/blocks.h"
#include "quaver/data/own/kind_row.h"
#include "quaver/data/own/lines.h"

namespace quaver {

struct CsvTable {
  std::vector<std::string> columns{};  // names of the numeric columns, the label left out
  std::vector<double> origin{};  // of each column; values are stored less this one, so that floats keep their digits
  Blocks<float> values{};        // [rows, columns]
  std::vector<std::string> classes{};  // in order of appearance, where a label was asked for
  std::deque<std::int32_t> labels{};   // [rows]
  std::vector<std::string> notes{};

  std::size_t rows() const { return columns.empty() ? 0 : values.size() / columns.size(); }
};

// label, missing, skip_broken and max_memory of the options count. Error (bad input) "FILE:LINE: ..." for a row of
// another number of fields, a column that is text, a missing value unless the options say what to do, an empty line.
CsvTable read_csv(LineReader& lines, const OwnDataOptions& options);

}  // namespace quaver
