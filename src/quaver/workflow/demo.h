// demo.h - the whole way on generated data: train in float, quantize, compare, and one table of what it cost; then a
// memory network on generated stories.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "quaver/report/show/demo_report.h"
#include "quaver/train/options/options.h"
#include "quaver/workflow/listener.h"

namespace quaver {

struct DemoRequest {
  std::vector<std::string> cells{};        // lstm, gru, kMemoryCell; empty: all of them
  std::optional<std::size_t> questions{};  // of kMemoryCell's stories, to train with and of the test; else 4,000
  std::uint64_t seed = 1;                  // of weights, order and stories
  std::filesystem::path keep{};            // folder to leave the models in; none: they are not kept
  std::size_t threads = 1;

  // Of recurrent cells: gives who trains them, or an Error that says why nobody does.
  std::function<const RecurrentTrainer&()> trainer{};
};

// Error (usage) for unknown cells, for questions without memory networks, and for a folder that is not there; (failed)
// where nothing can be trained, or a model cannot be written.
DemoReport demo(const DemoRequest& request, Listener& listener);

}  // namespace quaver
