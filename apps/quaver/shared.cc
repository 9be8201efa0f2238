#include "shared.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <cstring>
#include <initializer_list>
#include <limits>
#include <nlohmann/json.hpp>
#include <span>
#include <string_view>
#include <thread>
#include <utility>
#include <variant>

#include "checks.h"
#include "quaver/core/error.h"
#include "quaver/core/printable.h"
#include "quaver/core/team.h"
#include "quaver/core/text.h"
#include "quaver/data/tasks.h"
#include "quaver/io/npz.h"
#include "stories.h"

namespace quaver {
namespace {

std::string the_command_line;

bool reads_ids(const Model& model) { return model.inputs[0].value.format.kind == NumberType::kI32; }

// Splits [batch, time, ...] or [time, ...] into its sequences.
struct Layout {
  bool batched = true;
  std::size_t batch = 1;
  std::size_t steps = 0;
};

Layout require_layout(const NpzHeader& array, const std::string& name, std::size_t step_dimensions,
                      const std::string& expected) {
  const std::size_t dimensions = array.shape.size();
  if (dimensions != step_dimensions && dimensions != step_dimensions + 1)
    throw_bad_input(concat("array '", name, "' has shape ", shape_text(array.shape), ", expected ", expected));
  Layout layout;
  layout.batched = dimensions > step_dimensions;
  if (layout.batched) layout.batch = static_cast<std::size_t>(array.shape[0]);
  layout.steps = static_cast<std::size_t>(array.shape[layout.batched ? 1 : 0]);
  if (layout.batch == 0)
    throw_bad_input(concat("array '", name, "' has shape ", shape_text(array.shape), ": no sequence"));
  if (layout.steps == 0)
    throw_bad_input(concat("array '", name, "' has shape ", shape_text(array.shape),
                           ": its sequences are empty, expected at least one step"));
  return layout;
}

void require_type(const NpzHeader& array, const std::string& name, NumberType type) {
  if (array.type == type) return;
  throw_bad_input(concat("array '", name, "' is ", npy_type_name(array.type), ", expected ", npy_type_name(type),
                         ": save it with ", name, ".astype(numpy.", npy_type_name(type), ")"));
}

// What people put beside their sequences in the hope that it is read.
std::string advice_on(const std::string& name, const std::string& read) {
  const auto is_one_of = [&name](std::initializer_list<std::string_view> names) {
    return std::ranges::find(names, name) != names.end();
  };
  if (is_one_of({"x", "ids"})) return concat("the model reads '", read, "' alone");
  if (is_one_of({"lengths", "length", "seq_lengths", "seq_len", "input_lengths", "offsets", "mask", "attention_mask"}))
    return "sequences of different lengths are not supported yet; give those of each length in a file of their own";
  if (is_one_of({"h0", "c0", "h_0", "c_0", "hx", "cx", "initial_h", "initial_c", "initial_state", "fingerprint"}) ||
      name.starts_with("state/"))
    return "initial states beside the input are not supported yet; 'quaver run --state FILE' starts from the state "
           "that --save-state wrote";
  return "nothing reads it; save a file without it";
}

// The one array of sequences that the model reads. Every other one is refused by its name: to leave it unread would
// give results of another input than the one that was meant.
void require_only(const NpzFile& file, const std::string& name, const std::string& why) {
  std::vector<std::string> shown;
  for (const std::string& other : file.names()) shown.push_back(printable(other));
  if (!file.contains(name))
    throw_bad_input(concat("there is no array '", name, "', which ", why, "; the file has: ", join(shown, ", ")));
  for (const std::string& other : file.names()) {
    if (other == name) continue;
    throw_bad_input(concat("array '", printable(other), "' is not read: ", advice_on(other, name)));
  }
}

std::size_t at_most(std::size_t limit, std::size_t count) { return limit == 0 ? count : std::min(limit, count); }

// Shape and type are compared before the elements are unpacked.
void read_reals(NpzFile& file, const Model& model, const SequenceLimits& limits, Sequences& sequences) {
  const auto features = static_cast<std::size_t>(model.inputs[0].value.size());
  require_only(file, "x", concat("a model of ", features, " real features a step reads"));
  const NpzHeader header = file.header("x");
  require_type(header, "x", NumberType::kF32);
  const std::string expected =
      concat("[batch, time, ", features, "] or [time, ", features, "]: the model reads ", features, " features a step");
  const Layout layout = require_layout(header, "x", 2, expected);
  if (header.shape.back() != model.inputs[0].value.size())
    throw_bad_input(concat("array 'x' has shape ", shape_text(header.shape), ", so ", header.shape.back(),
                           " features a step, expected ", expected));
  sequences.array = file.read("x", limits.max_memory);
  const std::span<const float> values = sequences.array.as<float>();
  check_finite(values, header.shape, "x");
  sequences.batched = layout.batched;
  const std::size_t size = layout.steps * features;
  for (std::size_t i = 0; i < at_most(limits.count, layout.batch); ++i)
    sequences.views.push_back({layout.steps, values.subspan(i * size, size), {}, {}});
}

// Streams cannot refuse an id in the middle, so all are looked at before.
void require_in_vocabulary(std::span<const std::int32_t> ids, const Model& model) {
  for (const Node& node : model.nodes) {
    const auto* embedding = std::get_if<EmbeddingAttributes>(&node.operation);
    if (embedding == nullptr) continue;
    for (std::size_t i = 0; i < ids.size(); ++i) {
      if (ids[i] >= 0 && ids[i] < embedding->vocabulary) continue;
      throw_bad_input(concat("array 'ids' holds ", ids[i], " (element ", i, "), outside the vocabulary [0, ",
                             embedding->vocabulary, ") of node '", node.name, "'"));
    }
  }
}

void read_ids(NpzFile& file, const Model& model, const SequenceLimits& limits, Sequences& sequences) {
  require_only(file, "ids", "a model of ids reads");
  const NpzHeader header = file.header("ids");
  require_type(header, "ids", NumberType::kI32);
  const Layout layout = require_layout(header, "ids", 1, "[batch, time] or [time]: the model reads one id a step");
  sequences.array = file.read("ids", limits.max_memory);
  const std::span<const std::int32_t> values = sequences.array.as<std::int32_t>();
  require_in_vocabulary(values, model);
  sequences.batched = layout.batched;
  for (std::size_t i = 0; i < at_most(limits.count, layout.batch); ++i)
    sequences.views.push_back({layout.steps, {}, values.subspan(i * layout.steps, layout.steps), {}});
}

std::string per_step(bool ids, std::size_t features) {
  return ids ? std::string("ids") : concat(features, " features a step");
}

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

void EnergyFlags::add_to(CLI::App& verb) {
  verb.add_option("--energy-table", table_file,
                  "JSON file of energies an operation (docs/energy.md); else those of 45 nm, Horowitz 2014");
}

EnergyTable EnergyFlags::table() const { return table_file.empty() ? horowitz_2014() : load_energy_table(table_file); }

std::string json_text(const nlohmann::ordered_json& json, int indent) {
  return json.dump(indent, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
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

void require_known(const std::string& what, const std::string& name, const std::vector<std::string>& names) {
  if (std::ranges::find(names, name) != names.end()) return;
  const std::string near = closest(name, names);
  throw_usage(concat("unknown ", what, " '", printable(name), "'",
                     near.empty() ? "" : concat(": did you mean '", near, "'?"), " (there are ", join(names, ", "),
                     ")"));
}

void MemoryFlag::add_to(CLI::App& verb) {
  verb.add_option("--max-memory", max_memory,
                  "Bytes that the data of one input may take once decoded, such as 512M or 8G; more is refused before "
                  "it is read (default 4G)")
      ->transform(CLI::Validator(bytes_from_text, "BYTES"));
}

void DataFlags::add_to(CLI::App& verb, const std::string& seed_flag) {
  verb.add_option("--data", data_dir, "Folder with the tasks' data; else QUAVER_DATA, else ../shared/data");
  verb.add_option(seed_flag, data_seed, "Seed of generated data (chirps, stories); files have a fixed split")
      ->check(seed_number())
      ->capture_default_str();
  memory.add_to(verb);
}

Dataset load_split(const std::string& task, const std::string& split, const DataFlags& flags, std::size_t limit) {
  TaskOptions options;
  options.data_dir = flags.data_dir;
  options.seed = flags.data_seed;
  options.limit = limit;
  options.max_memory = flags.memory.max_memory;
  return load_task(task, split, options);
}

SequenceView view_of(const Sequence& sequence) { return {sequence.steps, sequence.values, sequence.ids, {}}; }

Sequences read_npz_sequences(const std::filesystem::path& path, const Model& model, const SequenceLimits& limits) {
  Sequences sequences;
  sequences.source = path.string();
  NpzFile file = NpzFile::open(path);
  try {
    (reads_ids(model) ? read_ids : read_reals)(file, model, limits, sequences);
  } catch (const Error& error) {
    throw Error(error.kind(), concat(path.string(), ": ", error.what()));
  }
  return sequences;
}

bool names_a_file(const std::string& spec) {
  const std::filesystem::path path(spec);
  const std::vector<TaskInfo> known = tasks();
  const bool task = std::ranges::count(known, spec, &TaskInfo::name) > 0 || is_story_task(spec);
  std::error_code none;
  if (!task && std::filesystem::is_regular_file(path, none)) return true;  // of a kind that its reader names
  return path.extension() == ".npz" || path.extension() == ".npy" || spec.find('/') != std::string::npos;
}

Sequences read_sequences(const std::string& spec, const std::string& default_split, const Model& model,
                         const DataFlags& flags, std::size_t limit) {
  if (names_a_file(spec)) return read_npz_sequences(spec, model, {limit, flags.memory.max_memory});
  const std::size_t colon = spec.find(':');
  const std::string task = spec.substr(0, colon);
  const std::string split = colon == std::string::npos ? default_split : spec.substr(colon + 1);
  if (is_story_task(task))
    throw_bad_input(concat("task '", task, "' asks questions about stories, which memory networks answer; '",
                           printable(model.name), "' is a model of sequences"));
  Dataset data = load_split(task, split, flags, limit);
  require_fit(model, data);
  Sequences sequences;
  sequences.source = task + ":" + split;
  sequences.examples = std::move(data.examples);
  for (const Example& example : sequences.examples) sequences.views.push_back(view_of(example.input));
  return sequences;
}

void require_fit(const Model& model, const Dataset& data) {
  const bool ids = reads_ids(model);
  const auto features = static_cast<std::size_t>(model.inputs[0].value.size());
  if (ids != (data.vocabulary > 0) || (!ids && features != data.features))
    throw_bad_input(concat("model '", printable(model.name), "' reads ", per_step(ids, features), ", task '", data.task,
                           "' has ", per_step(data.vocabulary > 0, data.features), "; was the model trained for ",
                           model.task.empty() ? "another task" : concat("task '", printable(model.task), "'"), "?"));
}

std::vector<LabelledSequence> labelled(const Dataset& data) {
  std::vector<LabelledSequence> sequences;
  for (const Example& example : data.examples) sequences.push_back({view_of(example.input), example.labels});
  return sequences;
}

void require_model_name(const std::filesystem::path& path) {
  if (path.extension() != ".safetensors")
    throw_usage(concat("--output ", path.string(), ": a model file is called NAME.safetensors"));
}

}  // namespace quaver
