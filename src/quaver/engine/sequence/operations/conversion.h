// conversion.h - the layer between two nodes that code a value differently; no node of the model. Internal.
#pragma once

#include <memory>

#include "quaver/engine/sequence/layer.h"

namespace quaver {

// f32 to codes, codes to f32, i8 and i16 codes to each other. Error for others.
std::unique_ptr<Layer> make_conversion(const Value& from, const Format& to);

}  // namespace quaver
