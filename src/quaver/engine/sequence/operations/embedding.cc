#include <cstring>

#include "quaver/engine/sequence/operations/row.h"
#include "quaver/engine/sequence/operations/tensors.h"

namespace quaver {
namespace {

class EmbeddingLayer final : public Layer {
 public:
  EmbeddingLayer(const LayerSite& site, const Tensor& table)
      : Layer(site.node.name, site.inputs, site.outputs),
        rows_(table.rows()),
        features_(static_cast<std::size_t>(table.row_size())),
        format_(weight_format_of(table.kind)),
        table_(table.bytes.begin(), table.bytes.end()) {}
  void step(const std::byte* const* in, std::byte* const* out, std::byte*, WorkingMemory,
            Observer*) const noexcept override {
    std::int32_t id;
    std::memcpy(&id, in[0], sizeof id);
    const std::size_t row = id >= 0 && id < rows_ ? static_cast<std::size_t>(id) : 0;
    if (format_ != nullptr) {
      format_->unpack(table_.data() + row * format_->row_bytes(features_), features_, typed<std::int8_t>(out[0]));
    } else {
      const std::size_t bytes = value_bytes(output());
      std::copy_n(table_.data() + row * bytes, bytes, out[0]);
    }
  }

 private:
  std::int64_t rows_;
  std::size_t features_;
  const WeightFormat* format_;  // of i8 and fewer bits, which stay as files have them; null of f32 and i16
  AlignedVector<std::byte> table_;
};

}  // namespace

std::unique_ptr<Layer> make_embedding(const LayerSite& site) {
  return std::make_unique<EmbeddingLayer>(site, NodeTensors(site).get("W"));
}

}  // namespace quaver
