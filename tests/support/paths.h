// paths.h - the paths of the kernels in tests: what this CPU lacks is skipped and told, or fails where it is required.
//
// QUAVER_REQUIRE_ISA=scalar,avx2 turns skips of the named paths into failures. A name that is no path of this build is
// an Error in every test that asks. "make test" counts at its end the cases that lacked a path, from the properties
// "lacks_<path>" that they leave in GoogleTest's XML (tools/tell_unchecked.py).
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "quaver/core/error.h"
#include "quaver/core/text.h"
#include "quaver/kernels/dispatch/dispatch.h"

namespace quaver::testing_support {

// The paths that `text`, names separated by commas, asks for.
inline std::vector<Isa> required_paths(std::string_view text) {
  std::vector<Isa> paths;
  while (!text.empty()) {
    const std::string_view name = text.substr(0, text.find(','));
    const auto isa = std::ranges::find(all_isas(), name, isa_name);
    if (isa == all_isas().end()) {
      std::vector<std::string> built;
      for (const Isa each : all_isas()) built.emplace_back(isa_name(each));
      throw_usage(concat("QUAVER_REQUIRE_ISA: '", name, "' is no path of this build; its paths: ", join(built, ", ")));
    }
    paths.push_back(*isa);
    text.remove_prefix(std::min(name.size() + 1, text.size()));
  }
  return paths;
}

// Whether this CPU lacks `isa`, which the running test then leaves out. Error when QUAVER_REQUIRE_ISA names it.
inline bool lacks(Isa isa) {
  const char* variable = std::getenv("QUAVER_REQUIRE_ISA");
  const std::vector<Isa> required = required_paths(variable == nullptr ? "" : variable);
  if (isa_supported(isa)) return false;
  if (std::ranges::find(required, isa) != required.end())
    throw_failed(concat("QUAVER_REQUIRE_ISA names ", isa_name(isa), ", which this CPU (", cpu_name(), ") lacks"));
  ::testing::Test::RecordProperty(concat("lacks_", isa_name(isa)), 1);
  return true;
}

// The paths of this CPU, scalar first, for a test that loops over them.
inline std::vector<Isa> paths_here() {
  std::vector<Isa> paths;
  for (const Isa isa : all_isas())
    if (!lacks(isa)) paths.push_back(isa);
  return paths;
}

}  // namespace quaver::testing_support

// First in the test, or in SetUp() of its fixture.
#define QUAVER_SKIP_WITHOUT(isa) \
  if (quaver::testing_support::lacks(isa)) GTEST_SKIP() << "this CPU lacks " << quaver::isa_name(isa)
