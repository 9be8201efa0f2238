// demo_parts.h - demo() of either kind of network. Internal.
#pragma once

#include <string>
#include <vector>

#include "quaver/workflow/demo.h"

namespace quaver {

inline constexpr const char* kDemoTask = "chirps";

// Sets the report's rows and test_sequences.
void demo_sequences(const DemoRequest& request, const std::vector<std::string>& cells, DemoReport& report,
                    Listener& listener);
MemoryDemoReport demo_memory(const DemoRequest& request, Listener& listener);

}  // namespace quaver
