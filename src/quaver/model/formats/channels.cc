#include "quaver/model/formats/channels.h"

#include "quaver/core/text.h"

namespace quaver {

Channels Channels::part(std::size_t first, std::size_t count) const {
  const auto cut = [&](const std::vector<float>& all) {
    if (all.empty()) return all;
    const auto begin = all.begin() + static_cast<std::ptrdiff_t>(first);
    return std::vector<float>(begin, begin + static_cast<std::ptrdiff_t>(count));
  };
  return {cut(scale), cut(offset)};
}

Channels channels_of(const Model& model, std::string_view value) {
  const auto values = [&](const char* suffix) {
    const Tensor* tensor = model.find_tensor(concat(value, suffix));
    if (tensor == nullptr) return std::vector<float>{};
    const auto span = tensor->as<float>();
    return std::vector<float>(span.begin(), span.end());
  };
  return {values(".scale"), values(".offset")};
}

}  // namespace quaver
