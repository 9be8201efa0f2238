#include "quaver/cells/feedforward/dense.h"

#include "quaver/engine/sequence/operations/row.h"
#include "quaver/engine/sequence/operations/tensors.h"

namespace quaver {
namespace {

// Along the innermost axis: `rows` products a frame.
class DenseFloatLayer final : public Layer {
 public:
  DenseFloatLayer(const LayerSite& site, DenseRef dense)
      : Layer(site.node.name, site.inputs, site.outputs), dense_(std::move(dense)) {}
  void step(const std::byte* const* in, std::byte* const* out, std::byte*, WorkingMemory,
            Observer*) const noexcept override {
    const auto columns = input().shape.features(), units = output().shape.features();
    for (std::int64_t row = 0; row < input().size() / columns; ++row)
      dense_.run(typed<float>(in[0]) + row * columns, typed<float>(out[0]) + row * units);
  }

 private:
  DenseRef dense_;
};

template <typename Out>
class DenseIntLayer final : public Layer {
 public:
  DenseIntLayer(const LayerSite& site, DenseInt dense)
      : Layer(site.node.name, site.inputs, site.outputs),
        dense_(std::move(dense)),
        rows_(static_cast<std::size_t>(input().size() / input().shape.features())),
        in_bytes_(value_bytes(input()) / rows_) {}
  std::size_t scratch_bytes() const override { return dense_.scratch_bytes(); }
  PackedWeights weights() const override { return dense_.weights(); }
  void step(const std::byte* const* in, std::byte* const* out, std::byte*, WorkingMemory scratch,
            Observer*) const noexcept override {
    for (std::size_t row = 0; row < rows_; ++row)
      dense_.run(typed<std::int8_t>(in[0] + row * in_bytes_), typed<Out>(out[0]) + row * dense_.units(), scratch);
  }

 private:
  DenseInt dense_;
  std::size_t rows_, in_bytes_;
};

}  // namespace

std::unique_ptr<Layer> make_dense(const LayerSite& site) {
  NodeTensors tensors(site);
  if (runs_in_float(site.node))
    return std::make_unique<DenseFloatLayer>(site, DenseRef(tensors.matrix<float>("W"), tensors.vector<float>("b")));
  DenseIntParams params;
  params.format = weight_format_id(site.node);
  params.W = tensors.matrix<std::int8_t>("W");
  params.b = tensors.vector<std::int32_t>("b");
  params.W_scales = tensors.scales("W");
  params.x = affine(site.inputs[0].format);
  params.wide_input = is_wide(site.inputs[0].format);
  params.y = affine(site.outputs[0].format);
  DenseInt dense(params, site.isa);
  if (is_wide(site.outputs[0].format)) return std::make_unique<DenseIntLayer<std::int16_t>>(site, std::move(dense));
  return std::make_unique<DenseIntLayer<std::int8_t>>(site, std::move(dense));
}

}  // namespace quaver
