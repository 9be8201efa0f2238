#include "quaver/model/graph/value.h"

#include <algorithm>

#include "quaver/core/error.h"
#include "quaver/core/text.h"

namespace quaver {

Shape::Shape(std::span<const std::int64_t> sizes) : axes_(sizes.size()) {
  if (sizes.size() > kMostAxes)
    throw_bad_input(concat("a shape has ", sizes.size(), " axes, expected at most ", kMostAxes));
  std::ranges::copy(sizes, sizes_.begin());
}

Shape Shape::with_features(std::int64_t features) const {
  Shape changed = *this;
  if (axes_ == 0) changed.axes_ = 1;
  changed.sizes_[changed.axes_ - 1] = features;
  return changed;
}

}  // namespace quaver
