// calls.h - bench() of sequences and of memory networks, on requests whose every field has its value. Internal.
#pragma once

#include <vector>

#include "quaver/bench/bench.h"
#include "quaver/kernels/dispatch/dispatch.h"

namespace quaver {

// The chosen path, or all that this CPU can run, the fastest last.
std::vector<Isa> raced_paths(const BenchRequest& request);
std::vector<BenchShape> shapes_of(const BenchRequest& request);  // of presets, or of cells with random weights
// Errors of bench() that can be known before anything is measured.
void check_sequences(const BenchRequest& request);
void check_memory(const BenchRequest& request);

// All of the report but what the request says.
BenchReport bench_sequences(const BenchRequest& request, Listener& listener);
BenchReport bench_memory(const BenchRequest& request, Listener& listener);

}  // namespace quaver
