// fuzz_csv.cc - read_csv() on anything: an Error that names a line, or a table with a number in every place. The first
// byte chooses the options.

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "quaver/core/error.h"
#include "quaver/data/own/csv.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  quaver::OwnDataOptions options;
  options.missing = static_cast<quaver::MissingValues>(data[0] % 3);
  options.skip_broken = (data[0] & 4) != 0;
  if ((data[0] & 8) != 0) options.label = "a";
  try {
    quaver::LineReader lines("table", {reinterpret_cast<const char*>(data + 1), size - 1});
    const quaver::CsvTable table = quaver::read_csv(lines, options);
    if (table.values.size() != table.rows() * table.columns.size() || table.rows() == 0) std::abort();
    if (!options.label.empty() && table.labels.size() != table.rows()) std::abort();
    for (std::size_t i = 0; i < table.values.size(); ++i)
      if (!std::isfinite(table.values[i])) std::abort();
  } catch (const quaver::Error& error) {
    if (!std::string_view(error.what()).starts_with("table:")) std::abort();
  }
  return 0;
}
