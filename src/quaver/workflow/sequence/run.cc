#include <algorithm>
#include <chrono>
#include <cmath>
#include <utility>

#include "quaver/core/error.h"
#include "quaver/core/printable.h"
#include "quaver/core/text.h"
#include "quaver/files/command_files.h"
#include "quaver/npz/npz.h"
#include "quaver/workflow/fields.h"
#include "quaver/workflow/raw_fields.h"
#include "quaver/workflow/sequence/answer.h"
#include "quaver/workflow/sequence/calls.h"
#include "quaver/workflow/sequence/input.h"
#include "quaver/workflow/state_npz.h"

namespace quaver {
namespace {

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
void warn_of_overflow(const std::string& name, const NpzArray& array, Listener& listener) {
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
  listener.warn(concat(count, " of ", values.size(), " values of '", printable(name),
                       "' are infinite or no numbers, the first at [", join(index, ", "),
                       "]: sums of a float node overflow"));
}

// The scores after every step: [batch, time, scores], zeros beyond the end of shorter sequences.
NpzArray stacked_stream(const Sequences& sequences, std::size_t steps, std::size_t scores,
                        std::span<const float> streamed) {
  std::vector<std::int64_t> shape{static_cast<std::int64_t>(sequences.views.size()), static_cast<std::int64_t>(steps),
                                  static_cast<std::int64_t>(scores)};
  if (!sequences.batched) shape.erase(shape.begin());
  std::vector<float> padded;
  auto from = streamed.begin();
  for (const SequenceView& view : sequences.views) {
    const auto end = from + static_cast<std::ptrdiff_t>(view.steps * scores);
    padded.insert(padded.end(), std::exchange(from, end), end);
    padded.resize(padded.size() + (steps - view.steps) * scores);
  }
  return NpzArray::from<float>(shape, padded);
}

void check(const RunRequest& request) {
  if (request.input.empty())
    throw_usage("--input is required: the .npz file with the sequences, or a recording, a table, a text");
  if (request.state_reals && request.state_out.empty())
    throw_usage("--state-reals says how --save-state writes, but there is no --save-state");
  if (request.output.empty()) throw_usage("--output is required: the .npz file to write");
  CommandFiles files;
  files.reads("MODEL", request.model);
  files.reads("--input", request.input);
  files.reads("--state", request.state_in);
  files.writes("--output", request.output);
  files.writes("--save-state", request.state_out);
  files.may_replace("--save-state", "--state");
  files.check();
}

}  // namespace

// Outputs are written under their names, beside arrays that have names of their own.
void require_free_names(const Model& model, const Sequences& sequences, const RunRequest& request) {
  for (std::size_t i = 0; i < model.outputs.size(); ++i) {
    const std::string& name = model.outputs[i];
    if ((name == "y" && i > 0) || (name == "lengths" && sequences.ragged) || (name == "y_stream" && request.stream))
      throw_bad_input(concat(request.model.string(), ": output '", name, "' has the name of another array of ",
                             request.output.string(), " (y: the first output; lengths; y_stream): rename the node"));
  }
}

RunReport run(Model model, const RunRequest& request, Listener& listener) {
  refuse({{"--explain", request.explain}, {"--memory", request.memory > 0}}, "memory networks",
         concat("here ", request.model.string(), " is a model of sequences"));
  if (is_raw_input(request.input)) return answer(model, request, listener);
  refuse_raw_fields(request, concat("here the input is ", request.input.string()));
  require_arrays(model, request);
  check(request);
  const Sequences sequences = read_npz_sequences(request.input, model, {0, request.max_memory});
  require_free_names(model, sequences, request);
  Session session(model, {.threads = request.threads});
  std::vector<State> states;
  if (!request.state_in.empty()) {
    states = read_states(request.state_in, session, sequences.views.size(), request.max_memory,
                         [&](const std::string& text) { listener.warn(text); });
  } else if (request.stream || !request.state_out.empty()) {
    states.assign(sequences.views.size(), session.initial_state());
  }

  std::vector<std::vector<Result>> results;
  std::vector<float> streamed;
  const auto start = std::chrono::steady_clock::now();
  if (states.empty()) results = session.run(sequences.views);
  for (std::size_t i = 0; i < states.size(); ++i)
    results.push_back(request.stream ? stream(session, sequences.views[i], states[i], streamed)
                                     : session.run(sequences.views[i], states[i]));
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();

  const std::size_t longest = std::ranges::max(sequences.views, {}, &SequenceView::steps).steps;
  SequenceRunReport report{.model = request.model.string(),
                           .scheme = model.scheme,
                           .input = request.input.string(),
                           .output = request.output.string(),
                           .sequences = sequences.views.size(),
                           .steps = longest,
                           .seconds = seconds,
                           .path = std::string(isa_name(session.isa()))};
  Npz arrays;
  const auto add = [&](const std::string& name, NpzArray array) {
    if (arrays.contains(name)) return;
    report.arrays.push_back({name, array.shape, std::string(npy_type_name(array.type))});
    arrays.emplace(name, std::move(array));
  };
  add("y", stacked(results, 0, sequences.batched));
  for (std::size_t i = 0; i < model.outputs.size(); ++i) {
    NpzArray array = stacked(results, i, sequences.batched);
    warn_of_overflow(model.outputs[i], array, listener);
    add(model.outputs[i], std::move(array));
  }
  if (request.stream && !results[0][0].value.has_time)
    add("y_stream", stacked_stream(sequences, longest, session.score_count(), streamed));
  std::vector<std::int64_t> lengths;
  for (const SequenceView& view : sequences.views) lengths.push_back(static_cast<std::int64_t>(view.steps));
  if (sequences.ragged)
    add("lengths", NpzArray::from<std::int64_t>({static_cast<std::int64_t>(lengths.size())}, lengths));
  write_npz(request.output, arrays);
  if (!request.state_out.empty())
    write_states(request.state_out, states, request.state_reals ? StateNumbers::kReals : StateNumbers::kCodes);
  double steps = 0;
  for (const std::int64_t length : lengths) steps += static_cast<double>(length);
  report.us_per_step = 1e6 * seconds / steps;
  return report;
}

}  // namespace quaver
