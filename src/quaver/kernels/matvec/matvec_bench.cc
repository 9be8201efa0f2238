// Time and GMAC/s of one matrix-vector product: path x format of the weights x shape x largest code of the vector.
// Shapes are the gate products of LSTM and GRU cells of real models, with small and odd ones among them. A path may
// have faster ways for small codes (avx2_products.inc), found for each vector anew: every call takes another of
// kVectors.
#include <benchmark/benchmark.h>

#include <array>
#include <string>
#include <vector>

#include "quaver/core/random.h"
#include "quaver/kernels/matvec/matvec.h"

namespace {

using quaver::AlignedVector;
using quaver::Isa;

struct Shape {
  std::size_t rows, cols;
};
constexpr auto kShapes = std::to_array<Shape>({{10, 128},
                                               {33, 17},
                                               {128, 13},
                                               {128, 64},
                                               {384, 128},
                                               {512, 40},
                                               {512, 256},
                                               {1024, 512},
                                               {2048, 1024},
                                               {4096, 2048}});

constexpr std::size_t kVectors = 64;

void matvec(benchmark::State& state, Isa isa, const quaver::WeightFormat& format, Shape shape, int largest) {
  quaver::Random random(1);
  std::vector<std::int8_t> weights(shape.rows * shape.cols), x(kVectors * shape.cols);
  for (auto& w : weights) {
    do {
      w = static_cast<std::int8_t>(random.between(-format.limit, format.limit));
    } while (!format.holds(w));
  }
  for (auto& code : x) code = static_cast<std::int8_t>(random.between(-largest, largest));
  const AlignedVector<std::int32_t> bias(quaver::padded_rows(shape.rows), 1000);
  AlignedVector<std::int32_t> acc(bias.size());
  const quaver::PackedMatrix packed({weights.data(), shape.rows, shape.cols}, format.id, isa);
  std::size_t call = 0;
  for (auto _ : state) {
    packed.run(x.data() + call++ % kVectors * shape.cols, bias.data(), acc.data());
    benchmark::DoNotOptimize(acc.data());
    benchmark::ClobberMemory();
  }
  const double products = static_cast<double>(shape.rows * shape.cols);
  state.counters["GMAC"] = benchmark::Counter(products * 1e-9, benchmark::Counter::kIsIterationInvariantRate);
}

const bool kRegistered = [] {
  benchmark::AddCustomContext("cpu", quaver::cpu_name());
  for (const Isa isa : quaver::all_isas()) {
    if (!quaver::isa_supported(isa)) continue;
    for (const quaver::WeightFormat& format : quaver::weight_formats()) {
      for (const Shape shape : kShapes) {
        for (const int largest : {127, 64, 32}) {
          const std::string name = "matvec/" + std::string(quaver::isa_name(isa)) + "/" + std::string(format.name) +
                                   "/" + std::to_string(shape.rows) + "x" + std::to_string(shape.cols) + "/" +
                                   std::to_string(largest);
          benchmark::RegisterBenchmark(name.c_str(), matvec, isa, format, shape, largest);
        }
      }
    }
  }
  return true;
}();

}  // namespace
