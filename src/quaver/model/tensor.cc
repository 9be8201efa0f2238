#include "quaver/model/tensor.h"

#include <bit>
#include <cstring>
#include <type_traits>

#include "quaver/core/check.h"
#include "quaver/core/error.h"
#include "quaver/core/text.h"

namespace quaver {
namespace {

static_assert(std::endian::native == std::endian::little, "tensor bytes are little-endian and used in place");

template <typename T>
constexpr FormatKind kind_of() {
  if constexpr (std::is_same_v<T, float>) return FormatKind::kF32;
  if constexpr (std::is_same_v<T, std::int8_t>) return FormatKind::kI8;
  if constexpr (std::is_same_v<T, std::int16_t>) return FormatKind::kI16;
  if constexpr (std::is_same_v<T, std::int32_t>) return FormatKind::kI32;
}

// Shapes come from files: the product is checked before it is formed.
std::int64_t checked_count(std::span<const std::int64_t> shape) {
  std::int64_t count = 1;
  for (const std::int64_t size : shape) {
    if (size < 0) throw_bad_input(concat("shape ", shape_text(shape), " has a negative size"));
    if (size > 0 && count > kMaxTensorElements / size)
      throw_bad_input(concat("shape ", shape_text(shape), " has more elements than the limit of ", kMaxTensorElements));
    count *= size;
  }
  return count;
}

template <typename T>
void expect_kind(const Tensor& tensor) {
  if (tensor.kind != kind_of<T>())
    throw_bad_input(concat("tensor of shape ", shape_text(tensor.shape), " holds ", format_name(tensor.kind),
                           ", expected ", format_name(kind_of<T>())));
}

}  // namespace

Tensor Tensor::zeros(FormatKind kind, std::vector<std::int64_t> shape) {
  Tensor tensor;
  tensor.kind = kind;
  tensor.bytes.resize(static_cast<std::size_t>(checked_count(shape)) * format_bytes(kind));
  tensor.shape = std::move(shape);
  if (kind == FormatKind::kI8 || kind == FormatKind::kI16) tensor.scales = {1.0f};
  return tensor;
}

template <typename T>
Tensor Tensor::from(std::vector<std::int64_t> shape, std::span<const T> values) {
  const std::int64_t count = checked_count(shape);
  if (static_cast<std::size_t>(count) != values.size())
    throw_bad_input(concat("shape ", shape_text(shape), " wants ", count, " values, found ", values.size()));
  Tensor tensor = zeros(kind_of<T>(), std::move(shape));
  if (!values.empty()) std::memcpy(tensor.bytes.data(), values.data(), values.size_bytes());
  return tensor;
}

std::int64_t Tensor::element_count() const { return checked_count(shape); }

std::int64_t Tensor::row_size() const {
  return shape.empty() ? 1 : checked_count(std::span<const std::int64_t>(shape).subspan(1));
}

float Tensor::scale_of_row(std::int64_t row) const {
  if (scales.empty()) return 1.0f;
  QUAVER_DCHECK(row >= 0 && row < rows() && rows() % static_cast<std::int64_t>(scales.size()) == 0);
  return scales[static_cast<std::size_t>(row / (rows() / static_cast<std::int64_t>(scales.size())))];
}

template <typename T>
std::span<const T> Tensor::as() const {
  expect_kind<T>(*this);
  return {reinterpret_cast<const T*>(bytes.data()), bytes.size() / sizeof(T)};
}

template <typename T>
std::span<T> Tensor::as_mutable() {
  expect_kind<T>(*this);
  return {reinterpret_cast<T*>(bytes.data()), bytes.size() / sizeof(T)};
}

template <typename T>
MatrixView<const T> Tensor::matrix() const {
  return {as<T>().data(), static_cast<std::size_t>(rows()), static_cast<std::size_t>(row_size())};
}

#define QUAVER_INSTANTIATE(T)                                                     \
  template Tensor Tensor::from<T>(std::vector<std::int64_t>, std::span<const T>); \
  template std::span<const T> Tensor::as<T>() const;                              \
  template std::span<T> Tensor::as_mutable<T>();                                  \
  template MatrixView<const T> Tensor::matrix<T>() const
QUAVER_INSTANTIATE(float);
QUAVER_INSTANTIATE(std::int8_t);
QUAVER_INSTANTIATE(std::int16_t);
QUAVER_INSTANTIATE(std::int32_t);
#undef QUAVER_INSTANTIATE

}  // namespace quaver
