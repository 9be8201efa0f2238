#include <cstddef>
#include <cstdint>

#include "quaver/kernels/matvec/paths.h"

namespace quaver {
namespace {

using enum WeightFormatId;

// Rows as files have them: what a format's codec writes.
template <WeightFormatId kFormat>
AlignedVector<std::int8_t> pack(MatrixView<const std::int8_t> weights) {
  const WeightFormat& format = weight_format(kFormat);
  const std::size_t row_bytes = format.row_bytes(weights.cols());
  AlignedVector<std::int8_t> packed(weights.rows() * row_bytes);
  for (std::size_t r = 0; r < weights.rows(); ++r)
    format.pack(weights.row(r).data(), weights.cols(), reinterpret_cast<std::byte*>(packed.data()) + r * row_bytes);
  return packed;
}

void run_nibbles(const std::int8_t* packed, std::size_t rows, std::size_t cols, const std::int8_t* x,
                 const std::int32_t* bias, std::int32_t* acc) noexcept {
  for (std::size_t r = 0; r < rows; ++r) {
    std::int32_t sum = bias[r];
    for (std::size_t c = 0; c < cols; ++c) {
      const auto two = static_cast<std::byte>(packed[r * ((cols + 1) / 2) + c / 2]);
      sum += (c % 2 == 0 ? lower_nibble(two) : upper_nibble(two)) * x[c];
    }
    acc[r] = sum;
  }
}

void run(const std::int8_t* packed, std::size_t rows, std::size_t cols, const std::int8_t* x, const std::int32_t* bias,
         std::int32_t* acc) noexcept {
  for (std::size_t r = 0; r < rows; ++r) {
    std::int32_t sum = bias[r];
    for (std::size_t c = 0; c < cols; ++c) sum += packed[r * cols + c] * x[c];
    acc[r] = sum;
  }
}

}  // namespace

const MatvecPath kScalarMatvec{Isa::kScalar, {{pack<kI8>, run}, {{kI4, {pack<kI4>, run_nibbles}}}}};

}  // namespace quaver
