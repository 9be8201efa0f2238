#include <cstddef>
#include <cstdint>

#include "quaver/kernels/matvec/paths.h"

namespace quaver {
namespace {

AlignedVector<std::int8_t> pack(MatrixView<const std::int8_t> weights) {
  return {weights.data(), weights.data() + weights.rows() * weights.cols()};
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

const MatvecPath kScalarMatvec{Isa::kScalar, pack, run};

}  // namespace quaver
