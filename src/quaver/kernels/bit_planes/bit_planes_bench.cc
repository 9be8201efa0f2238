// Time of one product of bit planes beside that of int8 of the same path: path x size x bits of weights and of
// activations. Cutting the activations' codes into planes is part of it, as preparing x is part of the product of int8.
#include <benchmark/benchmark.h>

#include <array>
#include <string>
#include <vector>

#include "quaver/core/random.h"
#include "quaver/kernels/bit_planes/paths.h"
#include "quaver/kernels/matvec/matvec.h"

namespace {

using quaver::AlignedVector;
using quaver::BitPlanesPath;
using quaver::BitProductFormats;
using quaver::Isa;

constexpr std::array<std::size_t, 3> kSizes{256, 1024, 2048};  // rows and columns
constexpr std::array<int, 4> kBits{1, 2, 4, 8};

std::vector<std::uint8_t> random_codes(std::size_t count, int bits) {
  quaver::Random random(1);
  std::vector<std::uint8_t> codes(count);
  for (auto& code : codes) code = static_cast<std::uint8_t>(random.below(std::uint64_t{1} << bits));
  return codes;
}

void int8(benchmark::State& state, Isa isa, std::size_t size) {
  const std::vector<std::uint8_t> codes = random_codes(size * size, 8);
  const std::vector<std::int8_t> weights(codes.begin(), codes.end()), x(size, 7);
  const AlignedVector<std::int32_t> bias(quaver::padded_rows(size), 1000);
  AlignedVector<std::int32_t> acc(bias.size());
  const quaver::PackedMatrix packed({weights.data(), size, size}, quaver::WeightFormatId::kI8, isa);
  for (auto _ : state) {
    packed.run(x.data(), bias.data(), acc.data());
    benchmark::DoNotOptimize(acc.data());
    benchmark::ClobberMemory();
  }
}

void bit_planes(benchmark::State& state, const BitPlanesPath& path, std::size_t size, BitProductFormats formats) {
  const std::vector<std::uint8_t> weights = random_codes(size * size, formats.weights.bits);
  const std::vector<std::uint8_t> codes = random_codes(size, formats.activations.bits);
  AlignedVector<std::int32_t> acc(quaver::padded_rows(size));
  quaver::ActivationCodes x(size, formats.activations, path);
  const quaver::BitPlaneMatrix matrix({weights.data(), size, size}, {}, formats, path);
  for (auto _ : state) {
    x.assign(codes);
    matrix.run(x, acc.data());
    benchmark::DoNotOptimize(acc.data());
    benchmark::ClobberMemory();
  }
}

void register_path(const std::string& name, const BitPlanesPath& path) {
  for (const std::size_t size : kSizes) {
    for (const int weights : kBits) {
      for (const int activations : kBits) {
        const std::string full = "bit_planes/" + name + "/" + std::to_string(size) + "/" + std::to_string(weights) +
                                 "x" + std::to_string(activations);
        benchmark::RegisterBenchmark(full.c_str(), bit_planes, path, size, BitProductFormats{{weights}, {activations}});
      }
    }
  }
}

const bool kRegistered = [] {
  for (const Isa isa : quaver::all_isas()) {
    if (!quaver::isa_supported(isa)) continue;
    const std::string name(quaver::isa_name(isa));
    for (const std::size_t size : kSizes)
      benchmark::RegisterBenchmark(("bit_planes/" + name + "/" + std::to_string(size) + "/int8").c_str(), int8, isa,
                                   size);
    register_path(name, quaver::bit_planes_path(isa));
#if defined(__x86_64__)
    if (isa == Isa::kAvx512Vnni && quaver::has_avx512vpopcntdq())
      register_path(name + "_without_vpopcntdq", quaver::kAvx512VnniBitPlanes);
#endif
  }
  return true;
}();

}  // namespace
