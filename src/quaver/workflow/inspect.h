// inspect.h - what a network is, and what a step of it or a question to it costs.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>

#include "quaver/report/show/inspect_report.h"
#include "quaver/workflow/data_source.h"
#include "quaver/workflow/listener.h"

namespace quaver {

struct InspectRequest {
  std::filesystem::path model{};
  std::filesystem::path energy_table{};  // docs/energy.md; none: horowitz_2014()

  // Of memory networks: what is counted is the mean of these questions (memory/story_input.h); without input the
  // question that facts and words describe, 0 for the most there can be.
  std::string input{};
  std::size_t facts = 0, words = 0;
  std::optional<std::size_t> limit{};  // questions of each task at most, 0: all; else all
  DataSource data{};
};

// Error (usage) for fields that do not suit the kind of network or each other; (bad input) for what cannot be read.
InspectReport inspect(const InspectRequest& request, Listener& listener);

}  // namespace quaver
