// fuzz_text.cc - read_labelled_texts() on anything: an Error that names a line, or texts with labels.

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "quaver/core/error.h"
#include "quaver/core/printable.h"
#include "quaver/data/own/text.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    quaver::LineReader lines("texts", {reinterpret_cast<const char*>(data), size});
    quaver::BrokenExamples broken("lines", size % 2 == 0);
    for (const quaver::LabelledText& text : quaver::read_labelled_texts(lines, broken, 1 << 30))
      if (text.text.empty() || text.label.empty() || !quaver::is_utf8(text.text) || !quaver::is_utf8(text.label))
        std::abort();
  } catch (const quaver::Error& error) {
    if (!std::string_view(error.what()).starts_with("texts:")) std::abort();
  }
  return 0;
}
