// quaver run MODEL --input X.npz -o Y.npz: sequences through a model, whole or step by step, with state in and out.
// quaver run NETWORK --input STORY.txt: a memory network answers the questions of a story (run_memory.cc).
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "checks.h"
#include "given_flags.h"
#include "quaver/core/error.h"
#include "quaver/core/printable.h"
#include "quaver/core/text.h"
#include "quaver/files/command_files.h"
#include "quaver/io/model_file/artifact_file.h"
#include "quaver/npz/npz.h"
#include "quaver/report/show/table.h"
#include "quaver/workflow/state_npz.h"
#include "run_memory.h"
#include "shared.h"
#include "verbs.h"

namespace quaver {
namespace {

struct RunFlags {
  SharedFlags shared;
  MemoryFlag memory_limit;
  std::filesystem::path model, input, output, state_in, state_out;
  bool stream = false, explain = false, state_reals = false;
  std::size_t memory = 0;
};

// ---- running -----------------------------------------------------------------------------------------------------

// One frame a call, as a stream would arrive. `scores` takes the first output after every step.
std::vector<Result> stream(Session& session, const SequenceView& sequence, State& state, std::vector<float>& scores) {
  const Model& model = session.model();
  std::vector<Result> results;
  for (const std::string& output : model.outputs) {
    const Value& value = model.value(output);
    results.push_back({value, value.has_time ? sequence.steps : 1, {}, channels_of(model, output)});
  }
  std::vector<float> frame_scores(session.score_count());
  const OutputView first{0, frame_scores};
  std::vector<InputView> frame(model.inputs.size());
  for (std::size_t t = 0; t < sequence.steps; ++t) {
    for (std::size_t i = 0; i < frame.size(); ++i) {
      const Value& value = model.inputs[i].value;
      const InputView whole = given(sequence, i);
      const auto size = static_cast<std::size_t>(value.size()), at = value.has_time ? t * size : 0;
      frame[i] = {i};
      if (whole.ids.empty()) {
        frame[i].real = whole.real.subspan(at, size);
      } else {
        frame[i].ids = whole.ids.subspan(at, size);
      }
    }
    session.step_checked(frame, state, std::span(&first, 1));
    scores.insert(scores.end(), frame_scores.begin(), frame_scores.end());
    for (std::size_t i = 0; i < results.size(); ++i) {
      const std::span<const std::byte> codes = session.output_codes(i);
      if (!results[i].value.has_time) results[i].bytes.clear();
      results[i].bytes.insert(results[i].bytes.end(), codes.begin(), codes.end());
    }
  }
  return results;
}

// The results of one output over the batch: [batch, time, ...], without what the value or the input lacks; zeros beyond
// the end of shorter sequences.
NpzArray stacked(const std::vector<std::vector<Result>>& results, std::size_t output, bool batched) {
  const Value& value = results[0][output].value;
  std::size_t steps = 0;
  for (const auto& result : results) steps = std::max(steps, result[output].steps);
  std::vector<std::int64_t> shape;
  if (batched) shape.push_back(static_cast<std::int64_t>(results.size()));
  if (value.has_time) shape.push_back(static_cast<std::int64_t>(steps));
  for (const std::int64_t size : value.shape.sizes()) shape.push_back(size);
  const auto size = steps * static_cast<std::size_t>(value.size());
  if (value.format.kind == NumberType::kI32) {
    std::vector<std::int32_t> indices(results.size() * size);
    for (std::size_t i = 0; i < results.size(); ++i)
      std::ranges::copy(results[i][output].bytes, std::as_writable_bytes(std::span(indices).subspan(i * size)).begin());
    return NpzArray::from<std::int32_t>(shape, indices);
  }
  std::vector<float> values(results.size() * size);
  for (std::size_t i = 0; i < results.size(); ++i)
    std::ranges::copy(results[i][output].real(), values.begin() + static_cast<std::ptrdiff_t>(i * size));
  return NpzArray::from<float>(shape, values);
}

// Inputs and tensors are finite, so that only sums of a float node can have left the range of float32.
void warn_of_overflow(const std::string& name, const NpzArray& array) {
  if (array.type != NumberType::kF32) return;
  const auto is_none = [](float value) { return !std::isfinite(value); };
  const auto values = array.as<float>();
  const auto count = std::ranges::count_if(values, is_none);
  if (count == 0) return;
  auto at = static_cast<std::int64_t>(std::ranges::find_if(values, is_none) - values.begin());
  std::vector<std::string> index(array.shape.size());
  for (std::size_t axis = array.shape.size(); axis-- > 0;) {
    index[axis] = std::to_string(at % array.shape[axis]);
    at /= array.shape[axis];
  }
  warn(concat(count, " of ", values.size(), " values of '", printable(name),
              "' are infinite or no numbers, the first at [", join(index, ", "), "]: sums of a float node overflow"));
}

void run_model(const Model& model, const RunFlags& flags) {
  const Sequences sequences = read_npz_sequences(flags.input, model, {0, flags.memory_limit.max_memory});
  Session session(model, {.threads = flags.shared.thread_count()});
  const bool keeps_state = flags.stream || !flags.state_in.empty() || !flags.state_out.empty();
  std::vector<State> states;
  if (!flags.state_in.empty()) {
    states = read_states(flags.state_in, session, sequences.views.size(), flags.memory_limit.max_memory,
                         [](const std::string& text) { warn(text); });
  } else if (keeps_state) {
    states.assign(sequences.views.size(), session.initial_state());
  }

  std::vector<std::vector<Result>> results;
  std::vector<float> streamed;
  const auto start = std::chrono::steady_clock::now();
  if (!keeps_state) {
    results = session.run(sequences.views);
  } else {
    for (std::size_t i = 0; i < sequences.views.size(); ++i) {
      results.push_back(flags.stream ? stream(session, sequences.views[i], states[i], streamed)
                                     : session.run(sequences.views[i], states[i]));
    }
  }
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();

  Npz arrays;
  Table table({{"array", Align::kLeft}, {"shape", Align::kLeft}, {"type", Align::kLeft}});
  nlohmann::ordered_json listed = nlohmann::ordered_json::array();
  const auto add = [&](const std::string& name, NpzArray array) {
    if (arrays.contains(name)) return;
    table.add_row({name, shape_text(array.shape), std::string(npy_type_name(array.type))});
    listed.push_back({{"name", name}, {"shape", array.shape}, {"type", npy_type_name(array.type)}});
    arrays.emplace(name, std::move(array));
  };
  add("y", stacked(results, 0, sequences.batched));
  for (std::size_t i = 0; i < model.outputs.size(); ++i) {
    NpzArray array = stacked(results, i, sequences.batched);
    warn_of_overflow(model.outputs[i], array);
    add(model.outputs[i], std::move(array));
  }
  if (flags.stream && !results[0][0].value.has_time) {
    const std::size_t steps = std::ranges::max(sequences.views, {}, &SequenceView::steps).steps;
    std::vector<std::int64_t> shape{static_cast<std::int64_t>(results.size()), static_cast<std::int64_t>(steps),
                                    static_cast<std::int64_t>(session.score_count())};
    if (!sequences.batched) shape.erase(shape.begin());
    std::vector<float> padded;
    auto from = streamed.begin();
    for (const SequenceView& view : sequences.views) {
      const auto end = from + static_cast<std::ptrdiff_t>(view.steps * session.score_count());
      padded.insert(padded.end(), std::exchange(from, end), end);
      padded.resize(padded.size() + (steps - view.steps) * session.score_count());
    }
    add("y_stream", NpzArray::from<float>(shape, padded));
  }
  if (sequences.ragged) {
    std::vector<std::int64_t> lengths;
    for (const SequenceView& view : sequences.views) lengths.push_back(static_cast<std::int64_t>(view.steps));
    add("lengths", NpzArray::from<std::int64_t>({static_cast<std::int64_t>(lengths.size())}, lengths));
  }
  write_npz(flags.output, arrays);
  if (!flags.state_out.empty())
    write_states(flags.state_out, states, flags.state_reals ? StateNumbers::kReals : StateNumbers::kCodes);

  double steps = 0;
  for (const SequenceView& view : sequences.views) steps += static_cast<double>(view.steps);
  print_result(flags.shared,
               {{"model", flags.model.string()},
                {"scheme", model.scheme},
                {"input", flags.input.string()},
                {"output", flags.output.string()},
                {"sequences", sequences.views.size()},
                {"steps", std::ranges::max(sequences.views, {}, &SequenceView::steps).steps},
                {"arrays", listed},
                {"seconds", seconds},
                {"us_per_step", 1e6 * seconds / steps},
                {"path", isa_name(session.isa())}},
               table.text() + fmt::format("\nwrote {}: {} sequences of {} steps, {} us a step on {}\n",
                                          flags.output.string(), sequences.views.size(),
                                          std::ranges::max(sequences.views, {}, &SequenceView::steps).steps,
                                          significant_text(1e6 * seconds / steps, 3), isa_name(session.isa())));
}

void run_run(const RunFlags& flags, const GivenFlags& given) {
  Artifact artifact = open(flags.model);
  auto* network = std::get_if<MemoryNetwork>(&artifact);
  if (network != nullptr) {
    given.refuse({"--output", "--stream", "--state-reals"}, "models of sequences",
                 concat("here ", flags.model.string(), " is a memory network: its answers are printed"));
  } else {
    given.refuse({"--explain", "--memory"}, "memory networks",
                 concat("here ", flags.model.string(), " is a model of sequences"));
    if (flags.input.empty()) throw_usage("--input is required: the .npz file with the sequences");
    if (flags.state_reals && flags.state_out.empty())
      throw_usage("--state-reals says how --save-state writes, but there is no --save-state");
    if (flags.output.empty()) throw_usage("--output is required: the .npz file to write");
  }
  CommandFiles files;
  files.reads("MODEL", flags.model);
  if (flags.input != "-") files.reads("--input", flags.input);
  files.reads("--state", flags.state_in);
  files.writes("--output", flags.output);
  files.writes("--save-state", flags.state_out);
  files.may_replace("--save-state", "--state");
  files.check();
  if (network != nullptr) {
    run_memory(std::move(*network), {.shared = flags.shared,
                                     .model = flags.model,
                                     .input = flags.input,
                                     .state_in = flags.state_in,
                                     .state_out = flags.state_out,
                                     .memory = flags.memory,
                                     .explain = flags.explain,
                                     .max_memory = flags.memory_limit.max_memory});
  } else {
    run_model(std::get<Model>(artifact), flags);
  }
}

}  // namespace

void add_run(CLI::App& program) {
  auto flags = std::make_shared<RunFlags>();
  CLI::App* verb = program.add_subcommand("run", "Run sequences through a model, or a story through a memory network");
  verb->add_option("model", flags->model, "Model file")->required();
  verb->add_option(
      "--input", flags->input,
      "X.npz with x (float32, [batch, time, features] or [time, features]) or ids (int32), and lengths where "
      "sequences differ; of a model with several inputs arrays of their names; of a memory network a story "
      "as text, from standard input without the flag");
  verb->add_option("-o,--output", flags->output, "Y.npz to write: y, and every output under its name");
  verb->add_flag("--stream", flags->stream,
                 "One step a call, with the same bits; of a pooled model also y_stream, the scores after every step");
  verb->add_option("--state", flags->state_in,
                   "Start from the state in this .npz (state/NODE.PART), or from this saved memory");
  verb->add_option(
      "--save-state", flags->state_out,
      "Write the state after the last step to this .npz, or the memory to this file; may be that of --state");
  verb->add_flag("--state-reals", flags->state_reals,
                 "Write the state as float32 reals instead of the model's codes: for other programs and for models of "
                 "other formats; not every bit comes back");
  verb->add_flag("--explain", flags->explain, "Memory network: which facts each hop looked at");
  verb->add_option("--memory", flags->memory, "Memory network: facts it holds; as many as it was trained with")
      ->check(whole_number(1, std::uint64_t{1} << 31));
  flags->memory_limit.add_to(*verb);
  flags->shared.add_to(*verb);
  verb->callback([flags, verb] { run_run(*flags, GivenFlags(*verb)); });
}

}  // namespace quaver
