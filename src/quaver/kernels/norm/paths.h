// paths.h - the rows of layer normalization's table, one a file. Internal to kernels/norm.
#pragma once

#include "quaver/kernels/norm/norm.h"

namespace quaver {

extern const LayerNormPath kScalarLayerNorm;

}  // namespace quaver
