// shared.h - what all verbs have in common: flags, and how a result is printed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "console.h"
#include "quaver/model/memory/memory_network.h"
#include "quaver/report/show/json_text.h"
#include "quaver/workflow/data_source.h"

namespace CLI {
class App;
}

namespace quaver {

// Flags of every verb.
struct SharedFlags {
  bool json = false;
  std::size_t threads = 0;  // 0: as many as the machine has

  void add_to(CLI::App& verb);
  std::size_t thread_count() const;
};

// --energy-table, of verbs that print energies.
void add_energy_table(CLI::App& verb, std::filesystem::path& file);
// --max-memory, of verbs that read data.
void add_max_memory(CLI::App& verb, std::uint64_t& bytes);
// "chirps, ..., babi, stories": of every task, for --help.
std::string task_names_text();
// Of verbs that read a task's data. seed_flag: "--seed", or "--data-seed" where the verb draws something else from its
// seed.
void add_data_flags(CLI::App& verb, DataSource& data, const std::string& seed_flag = "--seed,--data-seed");
// Of verbs that read stories.
void add_story_flags(CLI::App& verb, DataSource& data);

// Of verbs that read a KIND:PATH: --skip-broken; of those that make a pipeline of it all others too.
void add_skip_broken(CLI::App& verb, DataSource& data);
void add_own_data_flags(CLI::App& verb, DataSource& data);

// The result of a verb: exactly one JSON object, or text for people, on standard output.
void print_result(const SharedFlags& flags, const nlohmann::ordered_json& json, const std::string& text);
template <typename Report>
void print_report(const SharedFlags& flags, const Report& report) {
  print_result(flags, to_json(report), to_text(report));
}

// The command line as it was typed, for provenance: in UTF-8, bytes that are none replaced.
void remember_command_line(int argc, const char* const* argv);
const std::string& command_line();

}  // namespace quaver
