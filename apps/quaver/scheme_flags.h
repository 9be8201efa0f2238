// scheme_flags.h - the switches of a memory network's scheme as flags, on top of a preset.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "quaver/cells/memn2n/scheme.h"

namespace CLI {
class App;
}

namespace quaver {

// Named like the fields they set. Only what is said changes the preset.
class MemorySchemeFlags {
 public:
  void add_to(CLI::App& verb, const std::string& group);
  bool given() const { return !changes_.empty(); }
  // Error (usage) for an unknown preset, for switches of float, or for ones that make no scheme.
  MemoryScheme scheme(const std::string& preset) const;

 private:
  std::vector<std::function<void(MemoryScheme&)>> changes_;
};

}  // namespace quaver
