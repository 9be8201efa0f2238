#include <cstddef>
#include <cstdint>

#include "quaver/kernels/dispatch/packed_order.h"
#include "quaver/kernels/matvec/paths.h"

namespace quaver {
namespace {

using enum WeightFormatId;

template <WeightFormatId kFormat>
AlignedVector<std::int8_t> pack(MatrixView<const std::int8_t> weights) {
  return pack_rows(weights, 1, kFormat);
}

template <WeightFormatId kFormat>
void run(const std::int8_t* packed, std::size_t rows, std::size_t cols, const std::int8_t* x, const std::int32_t* bias,
         std::int32_t* acc) noexcept {
  constexpr std::size_t kCodesAByte = plane_count(kFormat);
  for (std::size_t r = 0; r < rows; ++r, packed += (cols + kCodesAByte - 1) / kCodesAByte) {
    std::int32_t sum = bias[r];
    for (std::size_t c = 0; c < cols; ++c)
      sum += code_in(kFormat, static_cast<std::byte>(packed[c / kCodesAByte]), c) * x[c];
    acc[r] = sum;
  }
}

template <WeightFormatId kFormat>
constexpr MatvecProduct kProduct{pack<kFormat>, run<kFormat>};

}  // namespace

const MatvecPath kScalarMatvec{Isa::kScalar,
                               {kProduct<kI8>,
                                {{kI4, kProduct<kI4>},
                                 {kTernary, kProduct<kTernary>},
                                 {kQuaternary, kProduct<kQuaternary>},
                                 {kBinary, kProduct<kBinary>}}}};

}  // namespace quaver
