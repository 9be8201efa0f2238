// fuzz_ts.cc - parse_ts() on anything: an Error that names a line, or cases with a number at every step and a target.

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "quaver/core/error.h"
#include "quaver/data/own/ts.h"

namespace quaver {
namespace {

void check(const TsFile& file, const Example& example) {
  const Sequence& input = example.input;
  if (input.steps == 0 || input.features != file.channels || input.values.size() != input.steps * input.features)
    std::abort();
  for (const float value : input.values)
    if (!std::isfinite(value)) std::abort();
  if (example.labels.size() + example.targets.size() != 1) std::abort();
  for (const std::int32_t label : example.labels)
    if (label < 0 || static_cast<std::size_t>(label) >= file.classes.size()) std::abort();
}

}  // namespace
}  // namespace quaver

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    quaver::LineReader lines("cases", {reinterpret_cast<const char*>(data), size});
    const quaver::TsFile file = quaver::parse_ts(lines);
    for (const quaver::Example& example : file.examples) quaver::check(file, example);
  } catch (const quaver::Error& error) {
    if (!std::string_view(error.what()).starts_with("cases:")) std::abort();
  }
  return 0;
}
