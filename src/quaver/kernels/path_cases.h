// path_cases.h - what every kernel test runs over: path x size x fill, and a guard that each path was exercised.
//
// Sizes lie around the vector widths (8 to 32 lanes) and include none, one and large. Test-only.
#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "quaver/core/random.h"
#include "quaver/kernels/dispatch/dispatch.h"
#include "quaver/kernels/dispatch/path_table.h"
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

// A table begins with scalar, keeps the order of all_isas() and names no path twice. Those that it does not have are
// run by the set that they extend.
template <typename Path>
void expect_rows_of_paths(std::span<const Path> paths) {
  ASSERT_FALSE(paths.empty());
  EXPECT_EQ(paths[0].isa, Isa::kScalar);
  std::size_t row = 0;
  for (const Isa isa : all_isas()) {
    const bool own = row < paths.size() && paths[row].isa == isa;
    row += own ? 1 : 0;
    EXPECT_EQ(find_path(paths, isa).isa, own ? isa : find_path(paths, extended_by(isa)).isa) << isa_name(isa);
  }
  EXPECT_EQ(row, paths.size());
}

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
