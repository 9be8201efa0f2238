#include <algorithm>
#include <vector>

#include "quaver/engine/sequence/operations/row.h"
#include "quaver/engine/sequence/operations/tensors.h"

namespace quaver {
namespace {

class ConcatLayer final : public Layer {
 public:
  explicit ConcatLayer(const LayerSite& site) : Layer(site.node.name, site.inputs, site.outputs) {
    for (const Value& value : inputs())
      widths_.push_back(static_cast<std::size_t>(value.shape.features()) * type_bytes(value.format.kind));
  }
  void step(const std::byte* const* in, std::byte* const* out, std::byte*, WorkingMemory,
            Observer*) const noexcept override {
    std::byte* to = out[0];
    const auto rows = static_cast<std::size_t>(output().size() / output().shape.features());
    for (std::size_t row = 0; row < rows; ++row)
      for (std::size_t slot = 0; slot < widths_.size(); ++slot)
        to = std::copy_n(in[slot] + row * widths_[slot], widths_[slot], to);
  }

 private:
  std::vector<std::size_t> widths_;  // bytes of a row, by slot
};

}  // namespace

std::unique_ptr<Layer> make_concat(const LayerSite& site) { return std::make_unique<ConcatLayer>(site); }

}  // namespace quaver
