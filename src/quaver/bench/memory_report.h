// memory_report.h - a bench of memory networks as text and JSON. Internal.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "quaver/bench/bench_report.h"

namespace quaver {

nlohmann::ordered_json json_of(const BenchReport& report, const MemoryBenchReport& of_kind);
std::string text_of(const BenchReport& report, const MemoryBenchReport& of_kind);

}  // namespace quaver
