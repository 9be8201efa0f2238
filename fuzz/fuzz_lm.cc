// fuzz_lm.cc - running text in lines and tokens: an Error that names a line, or tokens of which the characters are the
// line again.

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "quaver/core/error.h"
#include "quaver/data/own/lines.h"
#include "quaver/data/own/tokens.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using quaver::TokenUnit;
  try {
    quaver::LineReader lines("text", {reinterpret_cast<const char*>(data), size});
    while (const std::optional<std::string_view> line = lines.next()) {
      for (const TokenUnit unit : {TokenUnit::kCharacter, TokenUnit::kWord, TokenUnit::kBlankSeparated}) {
        std::string joined;
        quaver::for_each_token(*line, unit, [&joined](std::string_view token) {
          if (token.empty()) std::abort();
          joined += token;
        });
        if (unit == TokenUnit::kCharacter && joined != *line) std::abort();
      }
    }
  } catch (const quaver::Error& error) {
    if (!std::string_view(error.what()).starts_with("text:")) std::abort();
  }
  return 0;
}
