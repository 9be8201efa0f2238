#include "quaver/cells/feedforward/dense.h"

#include "quaver/cells/row_scales.h"

namespace quaver {

DensePrepared prepare(const DenseIntParams& params) {
  return {
      prepare_input(params.W, params.format, params.b, params.x.zero_point, params.wide_input,
                    row_multipliers(params.W.rows(), params.W_scales,
                                    [&](std::size_t, float scale) { return scale * params.x.scale / params.y.scale; })),
      {params.y.zero_point, -128, 127}};
}

DenseInt::DenseInt(const DensePrepared& prepared, Isa isa)
    : elementwise_(&elementwise_path(isa)),
      W_(prepared.W, isa),
      r_(prepared.W.product.multipliers),
      codes_(prepared.codes) {}

void DenseInt::run(const std::int8_t* x, std::int8_t* y, std::byte* scratch) const noexcept {
  auto* acc = reinterpret_cast<std::int32_t*>(scratch);
  W_.run(x, acc, scratch + sums_bytes());
  elementwise_->requantize_i8(acc, r_, codes_, units(), y);
}

void DenseInt::run(const std::int8_t* x, std::int16_t* y, std::byte* scratch) const noexcept {
  auto* acc = reinterpret_cast<std::int32_t*>(scratch);
  W_.run(x, acc, scratch + sums_bytes());
  elementwise_->requantize_i16(acc, r_, units(), y);
}

}  // namespace quaver
