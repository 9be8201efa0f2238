// artifact.h - what a file of ours holds: a model of sequences or a memory network.
#pragma once

#include <variant>

#include "quaver/model/memory/memory_network.h"
#include "quaver/model/model.h"

namespace quaver {

using Artifact = std::variant<Model, MemoryNetwork>;

}  // namespace quaver
