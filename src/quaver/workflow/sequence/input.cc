#include "quaver/workflow/sequence/input.h"

#include <algorithm>
#include <initializer_list>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "quaver/core/error.h"
#include "quaver/core/printable.h"
#include "quaver/core/text.h"
#include "quaver/data/tasks.h"
#include "quaver/workflow/own_input.h"

namespace quaver {
namespace {

constexpr std::string_view kLengths = "lengths", kOffsets = "offsets";

bool reads_ids(const Model& model) { return model.inputs[0].value.format.kind == NumberType::kI32; }

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
  if (is_one_of({"length", "seq_lengths", "seq_len", "input_lengths", "mask", "attention_mask"}))
    return "sequences of different lengths come with 'lengths' (steps of each, the rest is padding) or 'offsets'";
  if (is_one_of({"h0", "c0", "h_0", "c_0", "hx", "cx", "initial_h", "initial_c", "initial_state", "fingerprint"}) ||
      name.starts_with("state/"))
    return "initial states beside the input are not supported yet; 'quaver run --state FILE' starts from the state "
           "that --save-state wrote";
  return "nothing reads it; save a file without it";
}

// The arrays that stand for the model's inputs, by input: of its name, or of the only one x or ids.
std::vector<std::string> input_arrays(const NpzFile& file, const Model& model) {
  std::vector<std::string> arrays;
  for (const ModelInput& input : model.inputs) {
    const bool ids = input.value.format.kind == NumberType::kI32, only = model.inputs.size() == 1;
    const std::string usual = only ? (ids ? "ids" : "x") : input.name;
    arrays.push_back(file.contains(usual) || !file.contains(input.name) ? usual : input.name);
    if (file.contains(arrays.back())) continue;
    std::vector<std::string> shown;
    for (const std::string& other : file.names()) shown.push_back(printable(other));
    const std::string reader = !only ? concat("the model's input '", input.name, "' reads")
                               : ids ? std::string("a model of ids reads")
                                     : concat("a model of ", input.value.size(), " real features a step reads");
    throw_bad_input(concat("there is no array '", usual, "', which ", reader, "; the file has: ", join(shown, ", ")));
  }
  return arrays;
}

// Every array must be read: to leave one aside would give results of another input than the one that was meant.
void require_no_more(const NpzFile& file, const std::vector<std::string>& read) {
  for (const std::string& name : file.names())
    if (std::ranges::find(read, name) == read.end() && name != kLengths && name != kOffsets)
      throw_bad_input(concat("array '", printable(name), "' is not read: ", advice_on(name, join(read, "', '"))));
  if (file.contains(std::string(kLengths)) && file.contains(std::string(kOffsets)))
    throw_bad_input("there are 'lengths' and 'offsets', expected one of the two");
}

std::size_t at_most(std::size_t limit, std::size_t count) { return limit == 0 ? count : std::min(limit, count); }

// How the sequences of a file lie in its arrays.
struct Arrangement {
  bool batched = true;
  std::size_t batch = 0, steps = 0;          // of the padded arrays
  std::vector<std::size_t> first{}, last{};  // frames of each sequence, by offsets into one run of them
};

// [batch, time, ...], [time, ...] of one sequence, or with offsets [all steps, ...]; of an input without time the same
// without the steps. Compared before the elements are unpacked.
void arrange(const NpzHeader& header, const std::string& name, const ModelInput& input, bool joined,
             std::optional<Arrangement>& arrangement) {
  const Value& value = input.value;
  const bool ids = value.format.kind == NumberType::kI32;
  require_type(header, name, ids ? NumberType::kI32 : NumberType::kF32);
  std::vector<std::int64_t> frame(value.shape.sizes().begin(), value.shape.sizes().end());
  if (ids && value.size() == 1) frame.clear();
  std::string sizes;
  for (const std::int64_t size : frame) sizes += concat(", ", size);
  const std::string time = value.has_time ? "time" : "";
  const std::string alone = concat("[", time, value.has_time || sizes.empty() ? sizes : sizes.substr(2), "]");
  const std::string expected =
      concat(joined ? concat("[", value.has_time ? "all steps" : "sequences", sizes, "]")
                    : concat("[batch", value.has_time ? ", time" : "", sizes, "] or ", alone),
             ": the model reads ", ids ? std::string("one id") : concat(value.size(), " features"),
             value.has_time ? " a step" : " a sequence");
  const auto refuse = [&](const std::string& why) {
    throw_bad_input(concat("array '", name, "' has shape ", shape_text(header.shape), why));
  };
  const std::size_t own = frame.size() + (value.has_time ? 1 : 0);
  const bool batched = joined ? !value.has_time : header.shape.size() > own;
  if (header.shape.size() != own + (batched ? 1 : 0)) refuse(concat(", expected ", expected));
  for (std::size_t axis = 0; axis < frame.size(); ++axis) {
    const std::int64_t found = header.shape[header.shape.size() - frame.size() + axis];
    if (found != frame[axis])
      refuse(axis + 1 == frame.size() ? concat(", so ", found, " features a step, expected ", expected)
                                      : concat(", expected ", expected));
  }
  const auto count = [&](std::size_t axis) { return static_cast<std::size_t>(header.shape[axis]); };
  const std::size_t batch = batched ? count(0) : 1, steps = value.has_time ? count(batched ? 1 : 0) : 0;
  if (batch == 0) refuse(": no sequence");
  if (value.has_time && steps == 0) refuse(": its sequences are empty, expected at least one step");
  if (!arrangement) arrangement = Arrangement{.batched = batched || joined, .batch = joined ? 0 : batch};
  if (joined) {
    if (value.has_time && arrangement->steps != 0 && arrangement->steps != steps)
      refuse(concat(", expected ", arrangement->steps, " steps in all, as the others have"));
    if (value.has_time) arrangement->steps = steps;
    if (!value.has_time && arrangement->batch != 0 && arrangement->batch != batch)
      refuse(concat(", expected ", arrangement->batch, " sequences, as the others have"));
    if (!value.has_time) arrangement->batch = batch;
    return;
  }
  if (arrangement->batched != batched || arrangement->batch != batch ||
      (value.has_time && arrangement->steps != 0 && arrangement->steps != steps))
    refuse(concat(", expected ",
                  arrangement->batched ? concat(arrangement->batch, " sequences") : std::string("one sequence"),
                  arrangement->steps == 0 ? "" : concat(" of ", arrangement->steps, " steps"), ", as the others have"));
  if (value.has_time) arrangement->steps = steps;
}

std::vector<std::size_t> counts_of(NpzFile& file, const std::string& name, const SequenceLimits& limits) {
  const NpzArray array = file.read(name, limits.max_memory);
  if (array.shape.size() != 1 || (array.type != NumberType::kI32 && array.type != NumberType::kI64))
    throw_bad_input(concat("array '", name, "' is ", npy_type_name(array.type), " ", shape_text(array.shape),
                           ", expected int32 or int64 of one axis"));
  std::vector<std::size_t> counts;
  for (std::size_t i = 0; i < array.element_count(); ++i) {
    const std::int64_t value =
        array.type == NumberType::kI32 ? array.as<std::int32_t>()[i] : array.as<std::int64_t>()[i];
    if (value < 0) throw_bad_input(concat("array '", name, "' has ", value, " at ", i, ", expected 0 or more"));
    counts.push_back(static_cast<std::size_t>(value));
  }
  return counts;
}

void set_lengths(NpzFile& file, const SequenceLimits& limits, Arrangement& arrangement) {
  const std::vector<std::size_t> lengths = counts_of(file, std::string(kLengths), limits);
  if (lengths.size() != arrangement.batch)
    throw_bad_input(concat("array 'lengths' has ", lengths.size(), " elements, expected one for each of ",
                           arrangement.batch, " sequences"));
  for (std::size_t i = 0; i < lengths.size(); ++i) {
    if (lengths[i] < 1 || lengths[i] > arrangement.steps)
      throw_bad_input(concat("array 'lengths' has ", lengths[i], " at ", i, ", expected 1 to ", arrangement.steps,
                             ", the steps that the sequences are padded to"));
    arrangement.first.push_back(i * arrangement.steps);
    arrangement.last.push_back(i * arrangement.steps + lengths[i]);
  }
}

void set_offsets(NpzFile& file, const SequenceLimits& limits, Arrangement& arrangement) {
  const std::vector<std::size_t> offsets = counts_of(file, std::string(kOffsets), limits);
  if (offsets.size() < 2 || offsets.front() != 0 || offsets.back() != arrangement.steps)
    throw_bad_input(concat("array 'offsets' has ", offsets.size(), " elements",
                           offsets.empty() ? "" : concat(" from ", offsets.front(), " to ", offsets.back()),
                           ", expected one more than there are sequences, from 0 to the ", arrangement.steps,
                           " steps of all"));
  for (std::size_t i = 0; i + 1 < offsets.size(); ++i) {
    if (offsets[i + 1] <= offsets[i])
      throw_bad_input(concat("array 'offsets' has ", offsets[i + 1], " at ", i + 1, " behind ", offsets[i],
                             ", expected larger ones: a sequence has a step or more"));
    arrangement.first.push_back(offsets[i]);
    arrangement.last.push_back(offsets[i + 1]);
  }
  if (arrangement.batch != 0 && arrangement.batch != arrangement.first.size())
    throw_bad_input(concat("array 'offsets' parts ", arrangement.first.size(),
                           " sequences, expected as many as an input without time has: ", arrangement.batch));
  arrangement.batch = arrangement.first.size();
}

// Streams cannot refuse an id in the middle, so all are looked at before.
void require_in_vocabulary(std::span<const std::int32_t> ids, const std::string& array, const ModelInput& input,
                           const Model& model) {
  for (const Node& node : model.nodes) {
    const OperationRow& row = row_of(node.operation);
    if (!row.reads_ids() || node.inputs[0] != input.name) continue;
    for (std::size_t i = 0; i < ids.size(); ++i)
      if (ids[i] < 0 || ids[i] >= row.vocabulary(node.operation))
        throw_bad_input(concat("array '", array, "' holds ", ids[i], " (element ", i, "), outside the vocabulary [0, ",
                               row.vocabulary(node.operation), ") of node '", node.name, "'"));
  }
}

void read_arrays(NpzFile& file, const Model& model, const SequenceLimits& limits, Sequences& sequences) {
  const std::vector<std::string> names = input_arrays(file, model);
  require_no_more(file, names);
  const bool joined = file.contains(std::string(kOffsets));
  std::optional<Arrangement> found;
  for (std::size_t i = 0; i < names.size(); ++i)
    arrange(file.header(names[i]), names[i], model.inputs[i], joined, found);
  Arrangement& arrangement = *found;
  sequences.ragged = joined || file.contains(std::string(kLengths));
  if (joined) {
    set_offsets(file, limits, arrangement);
  } else if (sequences.ragged) {
    set_lengths(file, limits, arrangement);
  } else {
    for (std::size_t i = 0; i < arrangement.batch; ++i) {
      arrangement.first.push_back(i * arrangement.steps);
      arrangement.last.push_back((i + 1) * arrangement.steps);
    }
  }
  sequences.batched = arrangement.batched;
  const std::size_t count = at_most(limits.count, arrangement.batch);
  for (std::size_t s = 0; s < count; ++s)
    sequences.views.push_back({.steps = arrangement.last[s] - arrangement.first[s]});
  for (std::size_t i = 0; i < names.size(); ++i) {
    const ModelInput& input = model.inputs[i];
    const NpzArray& array = sequences.arrays.emplace_back(file.read(names[i], limits.max_memory));
    const bool ids = input.value.format.kind == NumberType::kI32;
    const auto size = static_cast<std::size_t>(input.value.size());
    for (std::size_t s = 0; s < count; ++s) {
      const std::size_t first = (input.value.has_time ? arrangement.first[s] : s) * size;
      const std::size_t elements = input.value.has_time ? sequences.views[s].steps * size : size;
      InputView view{i};
      if (ids) {
        view.ids = array.as<std::int32_t>().subspan(first, elements);
        require_in_vocabulary(view.ids, names[i], input, model);
      } else {
        view.real = array.as<float>().subspan(first, elements);
        // Of padding nothing is asked.
        const std::vector<std::int64_t> shape{static_cast<std::int64_t>(elements / size), input.value.size()};
        if (sequences.ragged) check_finite(view.real, shape, concat(names[i], " of sequence ", s));
      }
      SequenceView& sequence = sequences.views[s];
      if (model.inputs.size() > 1) {
        sequence.inputs.push_back(view);
      } else {
        sequence.real = view.real;
        sequence.ids = view.ids;
      }
    }
    if (!ids && !sequences.ragged) check_finite(array.as<float>(), array.shape, names[i]);
  }
}

std::string per_step(bool ids, std::size_t features) {
  return ids ? std::string("ids") : concat(features, " features a step");
}

Sequences sequences_of(std::vector<Example> examples, std::string source) {
  Sequences sequences;
  sequences.source = std::move(source);
  sequences.examples = std::move(examples);
  for (const Example& example : sequences.examples) sequences.views.push_back(view_of(example.input));
  return sequences;
}

}  // namespace

SequenceView view_of(const Sequence& sequence) { return {sequence.steps, sequence.values, sequence.ids, {}}; }

Sequences read_npz_sequences(const std::filesystem::path& path, const Model& model, const SequenceLimits& limits) {
  Sequences sequences;
  sequences.source = path.string();
  NpzFile file = NpzFile::open(path);
  try {
    read_arrays(file, model, limits, sequences);
  } catch (const Error& error) {
    throw Error(error.kind(), concat(path.string(), ": ", error.what()));
  }
  return sequences;
}

bool names_a_file(const std::string& spec) {
  if (names_own_data(spec)) return false;
  const std::filesystem::path path(spec);
  const std::vector<TaskInfo> known = tasks();
  const bool task = std::ranges::count(known, spec, &TaskInfo::name) > 0 || is_story_task(spec);
  std::error_code none;
  if (!task && std::filesystem::is_regular_file(path, none)) return true;  // of a kind that its reader names
  return path.extension() == ".npz" || path.extension() == ".npy" || spec.find('/') != std::string::npos;
}

Sequences read_sequences(const std::string& spec, const std::string& default_split, const Model& model,
                         const std::filesystem::path& file, const DataSource& data, std::size_t limit,
                         Listener& listener) {
  if (!names_a_file(spec)) warn_of_origin(model, spec, listener);
  if (names_own_data(spec)) {
    OwnData own = open_own_data(spec, data, limit, pipeline_of(model, file), listener);
    Dataset dataset = own.load(default_split);
    require_fit(model, dataset);
    return sequences_of(std::move(dataset.examples), concat(spec, " (", default_split, ")"));
  }
  if (names_a_file(spec)) return read_npz_sequences(spec, model, {limit, data.max_memory});
  const std::size_t colon = spec.find(':');
  const std::string task = spec.substr(0, colon);
  const std::string split = colon == std::string::npos ? default_split : spec.substr(colon + 1);
  if (is_story_task(task))
    throw_bad_input(concat("task '", task, "' asks questions about stories, which memory networks answer; '",
                           printable(model.name), "' is a model of sequences"));
  Dataset dataset = load_task(task, split, data.of_sequences(limit));
  require_fit(model, dataset);
  return sequences_of(std::move(dataset.examples), task + ":" + split);
}

void require_fit(const Model& model, const Dataset& data) {
  const bool ids = reads_ids(model);
  const auto features = static_cast<std::size_t>(model.inputs[0].value.size());
  if (ids != (data.vocabulary > 0) || (!ids && features != data.features))
    throw_bad_input(concat("model '", printable(model.name), "' reads ", per_step(ids, features), ", task '", data.task,
                           "' has ", per_step(data.vocabulary > 0, data.features), "; was the model trained for ",
                           model.task.empty() ? "another task" : concat("task '", printable(model.task), "'"), "?"));
}

std::size_t target_width(const Dataset& data) { return is_real(data.target) ? data.outputs : data.classes.size(); }

Truth truth_of(const Example& example) { return {.labels = example.labels, .reals = example.targets}; }

}  // namespace quaver
