#include <algorithm>
#include <type_traits>

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
              input().format.zero_point, forward(site)),
        mean_(std::get<PoolAttributes>(site.node.operation).pooling == Pooling::kMean) {}
  // Sums of codes less their zero point (mean), or codes.
  std::vector<StatePart> state_parts() const override {
    std::vector<StatePart> parts = pool_.state_parts();
    for (StatePart& part : parts) {
      if (part.counts || std::is_same_v<T, float>) continue;
      part.scale = static_cast<double>(input().format.scale);
      part.zero_point = mean_ ? 0 : input().format.zero_point;
    }
    return parts;
  }
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
  bool mean_;
};

}  // namespace

std::unique_ptr<Layer> make_pool(const LayerSite& site) { return make_typed<PoolLayer>(site); }

}  // namespace quaver
