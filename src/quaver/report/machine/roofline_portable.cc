// Plain loops for the compiler to vectorize with baseline instructions: scalar and NEON paths.
#include <array>
#include <cstring>

#include "quaver/report/machine/roofline_probes.h"

namespace quaver {
namespace {

constexpr std::size_t kLanes = 16;  // of 8 bytes
constexpr std::size_t kProducts = 1024;

std::uint64_t read(const std::byte* bytes, std::size_t size) noexcept {
  std::array<std::uint64_t, kLanes> sums{};
  std::array<std::uint64_t, kLanes> values{};
  std::size_t at = 0;
  for (; at + sizeof values <= size; at += sizeof values) {
    std::memcpy(values.data(), bytes + at, sizeof values);
    for (std::size_t i = 0; i < kLanes; ++i) sums[i] ^= values[i];
  }
  std::uint64_t all = 0;
  for (; at < size; ++at) all ^= std::to_integer<std::uint64_t>(bytes[at]);
  for (const std::uint64_t sum : sums) all ^= sum;
  return all;
}

std::uint64_t multiply(std::size_t rounds) noexcept {
  std::array<std::int8_t, kProducts> left{}, right{};
  std::int32_t sum = 0;
  for (std::size_t round = 0; round < rounds; ++round) {
    left[round % kProducts] = static_cast<std::int8_t>(round % 128);  // so that no round is the last one again
    right[(round * 7) % kProducts] = 3;
    std::int32_t products = 0;
    for (std::size_t i = 0; i < kProducts; ++i)
      products += static_cast<std::int16_t>(left[i]) * static_cast<std::int16_t>(right[i]);
    sum ^= products;
  }
  return static_cast<std::uint64_t>(sum);
}

constexpr RooflineProbes kProbes{Isa::kScalar, read, multiply, kProducts};

}  // namespace

const RooflineProbes& portable_probes() { return kProbes; }

}  // namespace quaver
