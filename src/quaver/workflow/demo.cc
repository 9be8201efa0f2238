#include "quaver/workflow/demo.h"

#include <algorithm>
#include <chrono>

#include "quaver/core/text.h"
#include "quaver/files/command_files.h"
#include "quaver/kernels/dispatch/dispatch.h"
#include "quaver/model/formats/scheme.h"
#include "quaver/model/memory/memory_network.h"
#include "quaver/workflow/demo_parts.h"
#include "quaver/workflow/fields.h"

namespace quaver {

DemoReport demo(const DemoRequest& request, Listener& listener) {
  const auto start = std::chrono::steady_clock::now();
  const std::vector<std::string> all{"lstm", "gru", kMemoryCell};
  for (const std::string& cell : request.cells) require_known("cell", cell, all);
  std::vector<std::string> cells = request.cells.empty() ? all : request.cells;
  const std::string named = join(cells, ", ");
  const bool with_memory = std::erase(cells, kMemoryCell) > 0;
  if (!with_memory)
    refuse({{"--questions", request.questions.has_value()}}, "cell memn2n", concat("here the cells are ", named));
  if (!request.keep.empty()) {
    CommandFiles files;
    const std::string longest_ending = concat(".", kQmannScheme, ".safetensors");  // of all files
    files.writes("--keep", request.keep / kMemoryCell, {longest_ending.c_str()});
    files.check();
  }
  DemoReport report{.task = kDemoTask, .rows = {}, .memory = {}, .path = std::string(isa_name(chosen_isa()))};
  if (!cells.empty()) demo_sequences(request, cells, report, listener);
  if (with_memory) report.memory = demo_memory(request, listener);
  report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return report;
}

}  // namespace quaver
