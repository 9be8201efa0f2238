// scheme_flags.h - the switches of a memory network's scheme as flags, on top of a preset.
#pragma once

#include <string>
#include <vector>

#include "quaver/workflow/quantize.h"

namespace CLI {
class App;
}

namespace quaver {

// Named like the fields they set. Only what is said changes the preset.
void add_scheme_flags(CLI::App& verb, std::vector<SchemeSwitch>& switches, const std::string& group);

}  // namespace quaver
