#include <algorithm>
#include <array>

#include "quaver/cells/feedforward/nonlinearity.h"
#include "quaver/engine/sequence/operations/row.h"
#include "quaver/engine/sequence/operations/tensors.h"

namespace quaver {
namespace {

class ActivationFloatLayer final : public Layer {
 public:
  ActivationFloatLayer(const LayerSite& site)
      : Layer(site.node.name, site.inputs, site.outputs),
        function_(std::get<ActivationAttributes>(site.node.operation).function) {}
  void step(const std::byte* const* in, std::byte* const* out, std::byte*, WorkingMemory,
            Observer*) const noexcept override {
    for (std::int64_t j = 0; j < input().size(); ++j)
      typed<float>(out[0])[j] = apply(function_, typed<float>(in[0])[j]);
  }

 private:
  Nonlinearity function_;
};

class ActivationIntLayer final : public Layer {
 public:
  ActivationIntLayer(const LayerSite& site, const Tensor& table) : Layer(site.node.name, site.inputs, site.outputs) {
    std::ranges::copy(table.as<std::int8_t>(), table_.begin());
  }
  void step(const std::byte* const* in, std::byte* const* out, std::byte*, WorkingMemory,
            Observer*) const noexcept override {
    for (std::int64_t j = 0; j < input().size(); ++j)
      typed<std::int8_t>(out[0])[j] = table_[static_cast<std::size_t>(typed<std::int8_t>(in[0])[j] + 128)];
  }

 private:
  std::array<std::int8_t, 256> table_{};
};

}  // namespace

std::unique_ptr<Layer> make_activation(const LayerSite& site) {
  if (runs_in_float(site.node)) return std::make_unique<ActivationFloatLayer>(site);
  return std::make_unique<ActivationIntLayer>(site, NodeTensors(site).get("table"));
}

}  // namespace quaver
