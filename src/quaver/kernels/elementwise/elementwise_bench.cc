// Time and elements a second of the arithmetic between the products: path x function x size. 512 is the four gates of
// an LSTM of 128 units, 128 its state, 100 a size that leaves a part of a vector.
#include <benchmark/benchmark.h>

#include <array>
#include <string>
#include <vector>

#include "quaver/core/random.h"
#include "quaver/kernels/elementwise/elementwise.h"

namespace {

using quaver::ElementwisePath;
using quaver::Multiplier;

struct Arrays {
  explicit Arrays(std::size_t n) : acc(n), a(n), b(n), c(n), gate(n), out(n), bytes(n) {
    quaver::Random random(1);
    for (std::size_t j = 0; j < n; ++j) {
      acc[j] = static_cast<std::int32_t>(random.between(-(1 << 20), 1 << 20));
      for (auto* values : {&a, &b, &c}) (*values)[j] = static_cast<std::int16_t>(random.between(-32768, 32767));
      gate[j] = static_cast<std::int16_t>(random.between(0, 32767));
      rows.push_back(Multiplier::from_real(random.uniform(0.001, 0.02)));
    }
    m = quaver::RowMultipliers::from(rows);
  }
  std::vector<std::int32_t> acc;
  std::vector<std::int16_t> a, b, c, gate, out;
  std::vector<std::int8_t> bytes;
  std::vector<Multiplier> rows;
  quaver::RowMultipliers m;
};

struct Function {
  const char* name;
  void (*call)(const ElementwisePath&, Arrays&, std::size_t n);
};

constexpr std::array<Function, 8> kFunctions{{
    {"requantize_i16",
     [](const ElementwisePath& p, Arrays& v, std::size_t n) { p.requantize_i16(v.acc.data(), v.m, n, v.out.data()); }},
    {"requantize_sum_i16",
     [](const ElementwisePath& p, Arrays& v, std::size_t n) {
       p.requantize_sum_i16(v.acc.data(), v.m, v.acc.data(), v.m, quaver::kWholeSums, n, v.out.data());
     }},
    {"sigmoid", [](const ElementwisePath& p, Arrays& v,
                   std::size_t n) { p.curve(quaver::Curve::kSigmoid, v.a.data(), 3, n, v.out.data()); }},
    {"tanh", [](const ElementwisePath& p, Arrays& v,
                std::size_t n) { p.curve(quaver::Curve::kTanh, v.a.data(), 3, n, v.out.data()); }},
    {"lstm_cell_update",
     [](const ElementwisePath& p, Arrays& v, std::size_t n) {
       p.lstm_cell_update(v.gate.data(), v.gate.data(), v.a.data(), 12, 0, n, v.c.data());
     }},
    {"lstm_hidden", [](const ElementwisePath& p, Arrays& v,
                       std::size_t n) { p.lstm_hidden(v.gate.data(), v.a.data(), v.rows[0], {}, n, v.bytes.data()); }},
    {"gru_reset_after",
     [](const ElementwisePath& p, Arrays& v, std::size_t n) {
       p.gru_reset_after(v.acc.data(), v.gate.data(), v.b.data(), 15, n, v.out.data());
     }},
    {"gru_state_update",
     [](const ElementwisePath& p, Arrays& v, std::size_t n) {
       p.gru_state_update(v.gate.data(), v.a.data(), quaver::StateCodes::from({0.0078f, 0}), n, v.out.data(),
                          v.bytes.data());
     }},
}};

void elementwise(benchmark::State& state, const ElementwisePath& path, Function function, std::size_t n) {
  Arrays arrays(n);
  for (auto _ : state) {
    function.call(path, arrays, n);
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(n));
}

const bool kRegistered = [] {
  for (const ElementwisePath& path : quaver::elementwise_paths()) {
    if (!quaver::isa_supported(path.isa)) continue;
    for (const Function& function : kFunctions) {
      for (const std::size_t n : {100u, 128u, 512u}) {
        const std::string name =
            "elementwise/" + std::string(quaver::isa_name(path.isa)) + "/" + function.name + "/" + std::to_string(n);
        benchmark::RegisterBenchmark(name.c_str(), elementwise, path, function, n);
      }
    }
  }
  return true;
}();

}  // namespace
