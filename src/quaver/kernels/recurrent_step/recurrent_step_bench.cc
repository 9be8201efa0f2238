// Time of the product of one half of a cell beside what belongs to it: the operand with its tables, and the rows'
// requantization. Path x format of the weights x units (four gates, as many columns) x largest code of the operand, of
// which every call has another: "cycles_32" is cycles for 32 weights, by the rate that a chain of additions shows.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <string>
#include <vector>

#include "quaver/core/random.h"
#include "quaver/kernels/dispatch/unrolled.h"
#include "quaver/kernels/recurrent_step/recurrent_step.h"

namespace {

using quaver::AlignedVector;
using quaver::Isa;

constexpr std::size_t kGates = 4, kVectors = 64;

// Additions that wait for each other take a cycle each on every CPU with these paths.
double cycles_a_second() {
  constexpr int kTurns = 2'000'000, kAdditions = 16;
  double best = 0;
  for (int repetition = 0; repetition < 9; ++repetition) {
    const auto begin = std::chrono::steady_clock::now();
    std::size_t sum = 1;
    for (int turn = 0; turn < kTurns; ++turn) {
      QUAVER_UNROLLED
      for (int i = 0; i < kAdditions; ++i) {
        sum += 3;
        asm volatile("" : "+r"(sum));
      }
    }
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
    best = std::max(best, kTurns * double{kAdditions} / seconds.count());
  }
  return best;
}

void sums(benchmark::State& state, Isa isa, const quaver::WeightFormat& format, std::size_t units, int largest) {
  quaver::Random random(1);
  const std::size_t rows = kGates * units, cols = units;
  std::vector<std::int8_t> weights(rows * cols), x(kVectors * cols);
  for (auto& w : weights) {
    do {
      w = static_cast<std::int8_t>(random.between(-format.limit, format.limit));
    } while (!format.holds(w));
  }
  for (auto& code : x) code = static_cast<std::int8_t>(random.between(-largest, largest));
  const quaver::RecurrentStep& step = quaver::recurrent_step(isa, format.id);
  const std::vector<quaver::Multiplier> multipliers(rows, {1 << 30, -8});
  const quaver::GateMatrix matrix(step, {weights.data(), rows, cols}, kGates, std::vector<std::int32_t>(rows, 1000),
                                  quaver::RowMultipliers::from(multipliers));
  AlignedVector<std::byte> operand(step.operand_bytes(cols));
  AlignedVector<std::int32_t> found(kGates * matrix.padded());
  const std::byte* const operands[]{operand.data()};
  std::int32_t* const to[]{found.data()};
  std::size_t call = 0;
  for (auto _ : state) {
    step.prepare(x.data() + call++ % kVectors * cols, cols, operand.data());
    step.sums(matrix.rows(), operands, 1, matrix.padded(), {0, matrix.blocks()}, quaver::kWholeSums, to);
    benchmark::DoNotOptimize(found.data());
    benchmark::ClobberMemory();
  }
  static const double rate = cycles_a_second();
  const double products = static_cast<double>(rows * cols);
  state.counters["cycles_32"] = benchmark::Counter(
      products / 32 / rate, benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}

const bool kRegistered = [] {
  for (const Isa isa : quaver::all_isas()) {
    if (!quaver::isa_supported(isa)) continue;
    for (const quaver::WeightFormat& format : quaver::weight_formats()) {
      for (const std::size_t units : std::array<std::size_t, 3>{128, 256, 512}) {
        for (const int largest : {127, 64, 32}) {
          const std::string name = "recurrent_sums/" + std::string(quaver::isa_name(isa)) + "/" +
                                   std::string(format.name) + "/" + std::to_string(units) + "/" +
                                   std::to_string(largest);
          benchmark::RegisterBenchmark(name.c_str(), sums, isa, format, units, largest);
        }
      }
    }
  }
  return true;
}();

}  // namespace
