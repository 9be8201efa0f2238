#include <algorithm>

#include "quaver/cells/feedforward/pool.h"
#include "quaver/engine/sequence/operations/row.h"
#include "quaver/engine/sequence/operations/tensors.h"

namespace quaver {
namespace {

template <typename T>
class PoolLayer final : public Layer {
 public:
  explicit PoolLayer(const LayerSite& site)
      : Layer(site.node.name, site.inputs, site.outputs),
        pool_(std::get<PoolAttributes>(site.node.operation).pooling, static_cast<std::size_t>(input().size()),
              input().format.zero_point, forward(site)) {}
  std::vector<StatePart> state_parts() const override { return pool_.state_parts(); }
  std::size_t state_bytes() const override {
    std::size_t bytes = 0;
    for (const StatePart& part : pool_.state_parts())
      bytes = std::max(bytes, part.offset + align_up(part.count * type_bytes(part.type)));
    return bytes;
  }
  void reset(std::byte* state) const noexcept override { pool_.reset(state); }
  void step(const std::byte* const* in, std::byte* const* out, std::byte* state, WorkingMemory,
            Observer*) const noexcept override {
    pool_.step(typed<T>(in[0]), typed<T>(out[0]), state);
  }

 private:
  static std::size_t forward(const LayerSite& site) {
    const Node* before = site.model.maker(site.node.inputs[0]);
    return before == nullptr ? 0 : static_cast<std::size_t>(forward_features(*before));
  }

  Pool<T> pool_;
};

}  // namespace

std::unique_ptr<Layer> make_pool(const LayerSite& site) { return make_typed<PoolLayer>(site); }

}  // namespace quaver
