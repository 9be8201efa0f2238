// reproduce.h - a paper's tables, ours beside theirs: the trainings behind them, each kept for the next call, and what
// is made of them all.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "quaver/reproduce/qmann/report.h"
#include "quaver/workflow/data_source.h"
#include "quaver/workflow/listener.h"

namespace quaver {

struct ReproduceRequest {
  std::string paper{};              // "qmann": memory networks at 8 bits and at 1 bit
  std::string task = "babi";        // or "stories", generated: for machines without the data
  DataSource data{};                // tasks: else all, with `quick` three; each row of the table has a set of its own
  std::vector<std::string> rows{};  // keys of the table's rows; empty: all
  std::optional<std::size_t> seeds{};  // trainings of a row and task, with seeds from `seed` on; else 3, with `quick` 1
  std::uint64_t seed = 1;
  std::size_t epochs = 0;  // of every training; 0: as the recipes say
  bool quick = false;
  bool report_only = false;                   // trains nothing; reports what is finished
  std::filesystem::path work = "qmann.work";  // folder of finished trainings, which a second call does not repeat
  std::filesystem::path save{};               // also writes NAME.json, NAME.md, NAME-errors.png, NAME-similarities.png
  std::string note{};                         // a sentence for the report: machine, code
  std::size_t threads = 1;                    // trainings at a time
  std::function<bool()> should_stop{};        // asked while training, by any thread; empty: never
};

struct ReproduceReport {
  QmannReport qmann;
  double seconds = 0;
};

// Error (usage) for an unknown paper, task or row, fields that do not suit the task, and files that would be lost; (bad
// input) for data that is missing and finished trainings that cannot be read; (failed) for what cannot be written, and
// when it was stopped: the same request then goes on.
ReproduceReport reproduce(const ReproduceRequest& request, Listener& listener);

nlohmann::ordered_json to_json(const ReproduceReport& report);
std::string to_text(const ReproduceReport& report);

}  // namespace quaver
