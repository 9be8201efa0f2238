#include <cstddef>
#include <cstdint>

#include "quaver/kernels/dispatch/nibbles.h"
#include "quaver/kernels/matvec/paths.h"

namespace quaver {
namespace {

using enum WeightFormatId;

// A row of four bits is (cols + 1) / 2 bytes, the earlier column in the lower half.
AlignedVector<std::int8_t> pack_nibbles(MatrixView<const std::int8_t> weights) {
  AlignedVector<std::int8_t> packed;
  for (std::size_t r = 0; r < weights.rows(); ++r) {
    for (std::size_t c = 0; c < weights.cols(); c += 2)
      packed.push_back(
          pair_of_nibbles(weights(r, c), c + 1 < weights.cols() ? weights(r, c + 1) : std::int8_t{0}, kTwosComplement));
  }
  return packed;
}

void run_nibbles(const std::int8_t* packed, std::size_t rows, std::size_t cols, const std::int8_t* x,
                 const std::int32_t* bias, std::int32_t* acc) noexcept {
  for (std::size_t r = 0; r < rows; ++r) {
    std::int32_t sum = bias[r];
    for (std::size_t c = 0; c < cols; ++c) {
      const std::int8_t two = packed[r * ((cols + 1) / 2) + c / 2];
      sum += (c % 2 == 0 ? static_cast<std::int8_t>(two * 16) >> 4 : two >> 4) * x[c];
    }
    acc[r] = sum;
  }
}

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

const MatvecPath kScalarMatvec{Isa::kScalar, {{pack, run}, {{kI4, {pack_nibbles, run_nibbles}}}}};

}  // namespace quaver
