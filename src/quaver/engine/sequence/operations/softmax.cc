#include <algorithm>
#include <cmath>

#include "quaver/engine/sequence/operations/row.h"
#include "quaver/engine/sequence/operations/tensors.h"
#include "quaver/kernels/softmax/softmax.h"

namespace quaver {
namespace {

class SoftmaxFloatLayer final : public Layer {
 public:
  explicit SoftmaxFloatLayer(const LayerSite& site) : Layer(site.node.name, site.inputs, site.outputs) {}
  void step(const std::byte* const* in, std::byte* const* out, std::byte*, WorkingMemory,
            Observer*) const noexcept override {
    const auto features = static_cast<std::size_t>(input().shape.features());
    for (std::size_t first = 0; first < static_cast<std::size_t>(input().size()); first += features) {
      const std::span x(typed<float>(in[0]) + first, features);
      auto* y = typed<float>(out[0]) + first;
      const float largest = *std::ranges::max_element(x);
      float sum = 0;
      for (std::size_t j = 0; j < x.size(); ++j) sum += y[j] = std::exp(x[j] - largest);
      for (std::size_t j = 0; j < x.size(); ++j) y[j] /= sum;
    }
  }
};

class SoftmaxIntLayer final : public Layer {
 public:
  explicit SoftmaxIntLayer(const LayerSite& site)
      : Layer(site.node.name, site.inputs, site.outputs), rule_(SoftmaxRule::from_scale(input().format.scale)) {}
  void step(const std::byte* const* in, std::byte* const* out, std::byte*, WorkingMemory,
            Observer*) const noexcept override {
    const auto features = static_cast<std::size_t>(input().shape.features());
    for (std::size_t first = 0; first < static_cast<std::size_t>(input().size()); first += features)
      softmax_i16(typed<std::int16_t>(in[0]) + first, features, rule_, typed<std::int16_t>(out[0]) + first);
  }

 private:
  SoftmaxRule rule_;
};

}  // namespace

std::unique_ptr<Layer> make_softmax(const LayerSite& site) {
  if (runs_in_float(site.node)) return std::make_unique<SoftmaxFloatLayer>(site);
  return std::make_unique<SoftmaxIntLayer>(site);
}

}  // namespace quaver
