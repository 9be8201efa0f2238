#include "shared.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <limits>
#include <nlohmann/json.hpp>
#include <string_view>
#include <thread>

#include "checks.h"
#include "quaver/core/error.h"
#include "quaver/core/printable.h"
#include "quaver/core/team.h"
#include "quaver/core/text.h"

namespace quaver {
namespace {

std::string the_command_line;

// "512M" becomes the number of bytes, in steps of 1024; returns what is wrong with the text, or "".
std::string bytes_from_text(std::string& text) {
  constexpr std::string_view kUnits = "KMGT";
  std::uint64_t bytes = 0;
  const char* end = text.data() + text.size();
  const auto [read, error] = std::from_chars(text.data(), end, bytes);
  const std::size_t unit = read == end ? std::string_view::npos : kUnits.find(*read);
  const int shift = unit == std::string_view::npos ? 0 : 10 * static_cast<int>(unit + 1);
  const bool whole = read == end || (unit != std::string_view::npos && read + 1 == end);
  if (error != std::errc() || !whole || bytes == 0 || bytes > (std::numeric_limits<std::uint64_t>::max() >> shift))
    return concat("found '", printable(text), "', expected a number of bytes above 0, such as 100000, 512M or 4G");
  text = std::to_string(bytes << shift);
  return "";
}

}  // namespace

void SharedFlags::add_to(CLI::App& verb) {
  verb.add_flag("--json", json, "Print one JSON object on standard output, and nothing else there");
  verb.add_option("--threads", threads, "Threads to work with; 0: as many as the machine has. No result depends on it")
      ->check(whole_number(0, Team::kMostWorkers))
      ->capture_default_str();
}

std::size_t SharedFlags::thread_count() const {
  return threads > 0 ? threads : std::max<std::size_t>(1, std::thread::hardware_concurrency());
}

void add_energy_table(CLI::App& verb, std::filesystem::path& file) {
  verb.add_option("--energy-table", file,
                  "JSON file of energies an operation (docs/energy.md); else those of 45 nm, Horowitz 2014");
}

void add_max_memory(CLI::App& verb, std::uint64_t& bytes) {
  verb.add_option("--max-memory", bytes,
                  "Bytes that the data of one input may take once decoded, such as 512M or 8G; more is refused before "
                  "it is read (default 4G)")
      ->transform(CLI::Validator(bytes_from_text, "BYTES"));
}

std::string task_names_text() {
  std::vector<std::string> names;
  for (const TaskInfo& task : tasks()) names.push_back(task.name);
  for (const std::string& task : story_task_names()) names.push_back(task);
  return join(names, ", ");
}

void add_data_flags(CLI::App& verb, DataSource& data, const std::string& seed_flag) {
  verb.add_option("--data", data.data_dir, "Folder with the tasks' data; else QUAVER_DATA, else ../shared/data");
  verb.add_option(seed_flag, data.data_seed, "Seed of generated data (chirps, stories) and of splits of KIND:PATH")
      ->check(seed_number())
      ->default_str("1");
  add_max_memory(verb, data.max_memory);
}

constexpr const char* kOwnData = "Data of one's own (KIND:PATH)";

void add_skip_broken(CLI::App& verb, DataSource& data) {
  verb.add_flag("--skip-broken", data.own.skip_broken, "Leave out what cannot be read, and say how much")
      ->group(kOwnData);
}

void add_own_data_flags(CLI::App& verb, DataSource& data) {
  OwnDataOptions& own = data.own;
  verb.add_option("--group", own.group,
                  "wav: regular expression on the path; recordings with the same match (a speaker) stay in one split")
      ->group(kOwnData);
  verb.add_option("--sample-rate", own.sample_rate, "wav: Hz; else that of most recordings, at most 16000")
      ->check(whole_number(1000, 192000))
      ->group(kOwnData);
  verb.add_option("--label", own.label, "csv: column of the class of each row")->group(kOwnData);
  verb.add_option("--target", own.targets, "csv: columns to forecast, between commas; else the last")
      ->delimiter(',')
      ->group(kOwnData);
  verb.add_option("--window", own.window, "csv: rows of a sequence (96); lm: tokens of one (128)")
      ->check(whole_number(1, 1'000'000))
      ->group(kOwnData);
  verb.add_option("--horizon", own.horizon, "csv: rows to forecast")
      ->check(whole_number(1, 1'000'000))
      ->default_str(std::to_string(kDefaultHorizon))
      ->group(kOwnData);
  verb.add_option_function<std::string>(
          "--missing", [&own](const std::string& name) { own.missing = missing_values_names().value(name); },
          "csv: where a number is missing: error, hold the one before, or drop the row")
      ->check(one_of({"error", "hold", "drop"}))
      ->default_str("error")
      ->group(kOwnData);
  verb.add_option_function<std::string>(
          "--tokens", [&own](const std::string& name) { own.tokens = token_unit_names().value(name); },
          "char, word or blank-separated; text: else word, lm: else char")
      ->check(one_of({"char", "word", "blank-separated"}))
      ->group(kOwnData);
  verb.add_option("--vocabulary", own.vocabulary, "text, lm: ids at most, of the most frequent tokens")
      ->check(whole_number(2, 10'000'000))
      ->default_str(std::to_string(kDefaultVocabulary))
      ->group(kOwnData);
  add_skip_broken(verb, data);
}

void add_story_flags(CLI::App& verb, DataSource& data) {
  const char* group = "Stories (tasks babi, stories)";
  verb.add_option("--tasks", data.tasks,
                  "Numbers and ranges (1, 1,2,5, 1-20), all: a network each; joint: one network of all")
      ->group(group);
  verb.add_option("--set", data.set, "babi: en (1,000 training questions a task) or en-10k")
      ->check(one_of({"en", "en-10k"}))
      ->group(group);
  verb.add_option("--questions", data.questions, "stories: to generate, for training and for the test")
      ->check(whole_number(kLeastQuestions, kMostQuestions))
      ->group(group);
}

void print_result(const SharedFlags& flags, const nlohmann::ordered_json& json, const std::string& text) {
  if (flags.json)
    print_json(json_text(json, 2) + '\n');
  else
    print_text(text);
}

void remember_command_line(int argc, const char* const* argv) {
  the_command_line = "quaver";
  for (int i = 1; i < argc; ++i) the_command_line.append(" ").append(as_utf8(argv[i]));
}

const std::string& command_line() { return the_command_line; }

}  // namespace quaver
