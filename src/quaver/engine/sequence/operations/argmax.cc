#include <algorithm>

#include "quaver/engine/sequence/operations/row.h"
#include "quaver/engine/sequence/operations/tensors.h"

namespace quaver {
namespace {

template <typename T>
class ArgmaxLayer final : public Layer {
 public:
  explicit ArgmaxLayer(const LayerSite& site) : Layer(site.node.name, site.inputs, site.outputs) {}
  void step(const std::byte* const* in, std::byte* const* out, std::byte*, WorkingMemory,
            Observer*) const noexcept override {
    const std::int64_t features = input().shape.features();
    for (std::int64_t row = 0; row < output().size(); ++row) {
      const auto* x = typed<T>(in[0]) + row * features;
      typed<std::int32_t>(out[0])[row] = static_cast<std::int32_t>(std::max_element(x, x + features) - x);
    }
  }
};

}  // namespace

std::unique_ptr<Layer> make_argmax(const LayerSite& site) { return make_typed<ArgmaxLayer>(site); }

}  // namespace quaver
