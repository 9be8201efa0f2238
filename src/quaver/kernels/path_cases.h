// path_cases.h - what every kernel test runs over: path x size x fill, and a guard that each path was exercised.
//
// Sizes lie around the vector widths (8 to 32 lanes) and include none, one and large. Test-only.
#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "quaver/core/random.h"
#include "quaver/kernels/dispatch/dispatch.h"
#include "support/paths.h"

namespace quaver::testing_support {

enum class Fill { kMinimum, kMaximum, kExtremes, kRandom };

struct PathCase {
  Isa isa;
  std::size_t n;
  Fill fill;
};

// Every path that was built, supported or not, with the sizes from `smallest` to `largest`.
std::vector<PathCase> path_cases(std::size_t smallest = 0, std::size_t largest = 1000);
std::string case_name(const testing::TestParamInfo<PathCase>& info);  // "avx2_n33_random"
std::string isa_case_name(const testing::TestParamInfo<Isa>& info);   // "avx2"
inline void PrintTo(const PathCase& c, std::ostream* out) { *out << isa_name(c.isa) << " n = " << c.n; }

// At the end of a full run, a kernel and a path that this CPU supports but nobody noted here fail the program.
void note_exercised(std::string_view kernel, Isa isa);

// n values of T within [low, high].
template <typename T>
std::vector<T> filled(Fill fill, std::size_t n, Random& random, T low = std::numeric_limits<T>::min(),
                      T high = std::numeric_limits<T>::max()) {
  std::vector<T> values(n);
  for (T& value : values) {
    switch (fill) {
      case Fill::kMinimum: value = low; break;
      case Fill::kMaximum: value = high; break;
      case Fill::kExtremes: value = random.below(2) == 0 ? low : high; break;
      case Fill::kRandom: value = static_cast<T>(random.between(low, high)); break;
    }
  }
  return values;
}

}  // namespace quaver::testing_support
