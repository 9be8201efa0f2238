// compare.h - where a quantized network parts from its float one, on sequences or questions.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

#include "quaver/report/show/compare_report.h"
#include "quaver/workflow/data_source.h"
#include "quaver/workflow/listener.h"

namespace quaver {

struct CompareRequest {
  std::filesystem::path reference{}, quantized{};  // the float network, and what was made of it
  std::string input{};    // sequences or stories: a file, TASK[:split] or KIND:PATH, of "test" where no split is named
  std::size_t limit = 0;  // sequences, or questions of each task, at most; 0: all
  DataSource data{};
  std::filesystem::path energy_table{};  // docs/energy.md; none: horowitz_2014()
};

// Error (bad input) when the two are not two forms of one network, or for what cannot be read; (usage) for fields that
// do not suit the kind of network.
CompareReport compare(const CompareRequest& request, Listener& listener);

}  // namespace quaver
