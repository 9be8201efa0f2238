#include "quaver/engine/sequence/operations/row.h"
#include "quaver/engine/sequence/operations/tensors.h"
#include "quaver/fixed/multiplier.h"
#include "quaver/fixed/rounding.h"

namespace quaver {
namespace {

class AddFloatLayer final : public Layer {
 public:
  explicit AddFloatLayer(const LayerSite& site) : Layer(site.node.name, site.inputs, site.outputs) {}
  void step(const std::byte* const* in, std::byte* const* out, std::byte*, WorkingMemory,
            Observer*) const noexcept override {
    auto* y = typed<float>(out[0]);
    for (std::int64_t j = 0; j < output().size(); ++j) {
      float sum = typed<float>(in[0])[j];
      for (std::size_t slot = 1; slot < inputs().size(); ++slot) sum += typed<float>(in[slot])[j];
      y[j] = sum;
    }
  }
};

// (A47) y = sat(m(sum of x_k) + z), m = s_x / s_y; |sum| <= 64 2^15.
template <typename Out>
class AddIntLayer final : public Layer {
 public:
  explicit AddIntLayer(const LayerSite& site)
      : Layer(site.node.name, site.inputs, site.outputs),
        multiplier_(Multiplier::from_real(static_cast<double>(input().format.scale / output().format.scale))) {}
  void step(const std::byte* const* in, std::byte* const* out, std::byte*, WorkingMemory,
            Observer*) const noexcept override {
    auto* y = typed<Out>(out[0]);
    for (std::int64_t j = 0; j < output().size(); ++j) {
      std::int32_t sum = 0;
      for (std::size_t slot = 0; slot < inputs().size(); ++slot) sum += typed<std::int16_t>(in[slot])[j];
      y[j] = saturate<Out>(std::int64_t{multiplier_.apply(sum)} + output().format.zero_point);
    }
  }

 private:
  Multiplier multiplier_;
};

}  // namespace

std::unique_ptr<Layer> make_add(const LayerSite& site) {
  if (runs_in_float(site.node)) return std::make_unique<AddFloatLayer>(site);
  if (is_wide(site.outputs[0].format)) return std::make_unique<AddIntLayer<std::int16_t>>(site);
  return std::make_unique<AddIntLayer<std::int8_t>>(site);
}

}  // namespace quaver
