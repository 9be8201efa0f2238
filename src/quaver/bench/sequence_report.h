// sequence_report.h - a bench of sequences as text and JSON, and what its tables and drawings call rows. Internal.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <vector>

#include "quaver/bench/bench_report.h"

namespace quaver {

nlohmann::ordered_json json_of(const BenchReport& report, const SequenceBenchReport& of_kind);
std::string text_of(const BenchReport& report, const SequenceBenchReport& of_kind);

std::string cell_text(const BenchShape& shape);  // "gru, reset after"
// A peer's row, short: of its scheme what stands before a comma is enough to tell the forms of one engine apart.
std::string peer_text(const BenchRow& row);
std::vector<std::string> peers_of(const SequenceBenchReport& report);  // in the order in which they first appear
// The peers' ratios, those of each of our rows together.
std::vector<std::span<const BenchRatio>> ratios_by_row(const SequenceBenchReport& report);

}  // namespace quaver
