// fuzz_own_npz.cc - sequences_of() on any arrays: an Error that names them, or sequences that are what they say.
//
// The bytes say what arrays there are, not how a file holds them, which is fuzz_npz's: of each a byte of its name, a
// byte of its type, one of the number of axes and one of each, then its elements.

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <utility>

#include "quaver/core/error.h"
#include "quaver/data/own/npz.h"

namespace quaver {
namespace {

constexpr const char* kNames[] = {"x", "ids", "lengths", "offsets", "y", "z"};
constexpr NumberType kTypes[] = {NumberType::kF32, NumberType::kF64, NumberType::kI8, NumberType::kI16,
                                 NumberType::kI32, NumberType::kI64, NumberType::kU8};

Npz arrays_of(std::span<const std::byte> bytes) {
  const auto next = [&] {
    if (bytes.empty()) return 0u;
    const auto value = std::to_integer<unsigned>(bytes.front());
    bytes = bytes.subspan(1);
    return value;
  };
  Npz arrays;
  while (!bytes.empty()) {
    const char* const name = kNames[next() % std::size(kNames)];
    NpzArray array{.type = kTypes[next() % std::size(kTypes)], .shape = {}, .bytes = {}};
    std::size_t size = type_bytes(array.type);
    for (unsigned axes = next() % 5; axes > 0; --axes) {
      array.shape.push_back(next() % 8);
      size *= static_cast<std::size_t>(array.shape.back());
    }
    const std::size_t given = std::min(size, bytes.size());
    array.bytes.assign(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(given));
    array.bytes.resize(size);
    bytes = bytes.subspan(given);
    arrays[name] = std::move(array);
  }
  return arrays;
}

void require(bool holds) {
  if (!holds) std::abort();
}

void check(const NpzSequences& read) {
  require(!read.examples.empty());
  for (const Example& example : read.examples) {
    const std::size_t steps = example.input.steps, rows = is_of_steps(read.target) ? steps : 1;
    require(steps > 0);
    require(example.input.values.size() == steps * read.features);
    require(example.input.ids.size() == (read.features == 0 ? steps : 0));
    require(example.targets.size() == (is_real(read.target) ? rows * read.outputs : 0));
    const std::size_t width = read.target == Target::kLabels ? read.labels : 1;
    require(example.labels.size() == (is_real(read.target) ? 0 : rows * width));
    for (const float value : example.input.values) require(std::isfinite(value));
    for (const float value : example.targets) require(std::isfinite(value));
    for (const std::int32_t id : example.input.ids) require(id >= 0);
    for (const std::int32_t label : example.labels) require(label >= 0);
  }
}

}  // namespace
}  // namespace quaver

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    quaver::check(quaver::sequences_of("arrays", quaver::arrays_of(std::as_bytes(std::span(data, size)))));
  } catch (const quaver::Error& error) {
    if (!std::string_view(error.what()).starts_with("arrays")) std::abort();
  }
  return 0;
}
