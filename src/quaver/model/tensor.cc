#include "quaver/model/tensor.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <type_traits>

#include "quaver/core/check.h"
#include "quaver/core/error.h"
#include "quaver/core/text.h"

namespace quaver {
namespace {

static_assert(std::endian::native == std::endian::little, "tensor bytes are little-endian and used in place");

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
  if (tensor.kind != number_type_of<T>())
    throw_bad_input(concat("tensor of shape ", shape_text(tensor.shape), " holds ", type_name(tensor.kind),
                           ", expected ", type_name(number_type_of<T>())));
}

const WeightFormat& expect_weights(NumberType kind, std::span<const std::int64_t> shape) {
  if (const WeightFormat* format = weight_format_of(kind)) return *format;
  throw_bad_input(concat("tensor of shape ", shape_text(shape), ": no weights are ", type_name(kind)));
}

}  // namespace

Tensor Tensor::zeros(NumberType kind, std::vector<std::int64_t> shape) {
  if (const WeightFormat* format = weight_format_of(kind); format != nullptr && format->is_packed())
    return zeros(NumberType::kI8, std::move(shape)).packed(kind);
  Tensor tensor;
  tensor.kind = kind;
  tensor.shape = std::move(shape);
  tensor.bytes = SharedBytes(tensor.byte_count());
  if (kind == NumberType::kI8 || kind == NumberType::kI16) tensor.scales = {1.0f};
  return tensor;
}

Tensor Tensor::packed(NumberType type) const {
  const std::span<const std::int8_t> codes = as<std::int8_t>();
  const WeightFormat& format = expect_weights(type, shape);
  if (format.is_packed() && shape.size() != 2)
    throw_bad_input(concat(format.name, " of shape ", shape_text(shape), ", expected a matrix"));
  Tensor tensor = *this;
  tensor.kind = type;
  tensor.bytes = SharedBytes(tensor.byte_count());
  const std::span<std::byte> packed = tensor.bytes.writable();
  const auto cols = static_cast<std::size_t>(row_size());
  for (std::size_t r = 0; r < static_cast<std::size_t>(rows()); ++r)
    format.pack(codes.data() + r * cols, cols, packed.data() + r * format.row_bytes(cols));
  return tensor;
}

Tensor Tensor::unpacked() const {
  const WeightFormat& format = expect_weights(kind, shape);
  Tensor tensor = zeros(NumberType::kI8, shape);
  tensor.scales = scales;
  const std::span<std::int8_t> codes = tensor.as_mutable<std::int8_t>();
  const auto cols = static_cast<std::size_t>(row_size());
  for (std::size_t r = 0; r < static_cast<std::size_t>(rows()); ++r)
    format.unpack(bytes.data() + r * format.row_bytes(cols), cols, codes.data() + r * cols);
  return tensor;
}

template <typename T>
Tensor Tensor::from(std::vector<std::int64_t> shape, std::span<const T> values) {
  const std::int64_t count = checked_count(shape);
  if (static_cast<std::size_t>(count) != values.size())
    throw_bad_input(concat("shape ", shape_text(shape), " wants ", count, " values, found ", values.size()));
  Tensor tensor = zeros(number_type_of<T>(), std::move(shape));
  if (!values.empty()) std::memcpy(tensor.bytes.writable().data(), values.data(), values.size_bytes());
  return tensor;
}

std::int64_t Tensor::element_count() const { return checked_count(shape); }

std::size_t Tensor::byte_count() const {
  const auto elements = static_cast<std::size_t>(element_count());
  const WeightFormat* format = weight_format_of(kind);
  if (format == nullptr) return elements * type_bytes(kind);
  return static_cast<std::size_t>(rows()) * format->row_bytes(static_cast<std::size_t>(row_size()));
}

std::int64_t Tensor::row_size() const {
  return shape.empty() ? 1 : checked_count(std::span<const std::int64_t>(shape).subspan(1));
}

float Tensor::scale_of_row(std::int64_t row) const {
  if (scales.empty()) return 1.0f;
  QUAVER_DCHECK(row >= 0 && row < rows() && rows() % static_cast<std::int64_t>(scales.size()) == 0);
  return scales[static_cast<std::size_t>(row / (rows() / static_cast<std::int64_t>(scales.size())))];
}

NumberType Tensor::scale_type() const {
  const auto is_bf16 = [](float scale) { return (std::bit_cast<std::uint32_t>(scale) & 0xffffu) == 0; };
  return scales.size() > 1 && std::ranges::all_of(scales, is_bf16) ? NumberType::kBf16 : NumberType::kF32;
}

template <typename T>
std::span<const T> Tensor::as() const {
  expect_kind<T>(*this);
  return {reinterpret_cast<const T*>(bytes.data()), bytes.size() / sizeof(T)};
}

template <typename T>
std::span<T> Tensor::as_mutable() {
  expect_kind<T>(*this);
  const std::span<std::byte> own = bytes.writable();
  return {reinterpret_cast<T*>(own.data()), own.size() / sizeof(T)};
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
