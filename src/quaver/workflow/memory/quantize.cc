#include <algorithm>
#include <chrono>
#include <filesystem>
#include <optional>
#include <utility>
#include <vector>

#include "quaver/core/error.h"
#include "quaver/core/text.h"
#include "quaver/files/command_files.h"
#include "quaver/io/model_file/memory_file.h"
#include "quaver/quantize/memory.h"
#include "quaver/report/show/warning_lines.h"
#include "quaver/train/memory/train.h"
#include "quaver/workflow/fields.h"
#include "quaver/workflow/kinds.h"
#include "quaver/workflow/memory/calls.h"
#include "quaver/workflow/memory/story_input.h"

namespace quaver {
namespace {

std::filesystem::path path_of(std::filesystem::path path, std::size_t task) {
  return path.replace_extension(concat(".qa", task, ".safetensors"));
}

// One network of some tasks.
struct Job {
  std::filesystem::path in, out;
  std::vector<StoryTask> tasks{};
};

struct CalibrationStories {
  std::string task;
  std::vector<Story> StoryTask::*split;
};

// "babi", "babi:train": the task and its split, `train` where none is named. "babi:FOLDER": a split of these.
CalibrationStories stories_named(const std::string& calib, const std::string& own_split) {
  if (const std::optional<DataSpec> own = parse_data_spec(calib); own && own->kind == "babi")
    return {calib, story_split(own_split)};
  const std::size_t colon = calib.find(':');
  const std::string task = calib.substr(0, colon);
  require_known("task of a memory network's calibration", task, story_task_names());
  return {task, story_split(colon == std::string::npos ? "train" : calib.substr(colon + 1))};
}

std::vector<Job> planned_jobs(const QuantizeRequest& request, const std::string& task) {
  const std::vector<std::size_t> numbers = story_task_numbers(task, request.data.of_stories().tasks);
  if (!request.data.names_several()) return {{request.in, request.out}};
  std::vector<Job> jobs;
  for (const std::size_t number : numbers) jobs.push_back({path_of(request.in, number), path_of(request.out, number)});
  return jobs;
}

void check_files(const std::vector<Job>& jobs, const std::string& stories) {
  CommandFiles files;
  reads_own_data(files, stories);
  for (const Job& job : jobs) {
    files.reads("IN", job.in);
    files.writes_file("--output", job.out);
  }
  files.check();
}

MemoryScheme checked_scheme(const QuantizeRequest& request) {
  refuse({{"--override", !request.overrides.empty()},
          {"--ignore", !request.ignore.empty()},
          {"--allow-float", request.allow_float},
          {"--calib-report", !request.report.empty()},
          {"--rounding", request.rounding.has_value()}},
         "models of sequences", "here IN is a memory network");
  const MemoryScheme scheme = memory_scheme(request.scheme, request.switches);
  if (!scheme.is_scaled() || scheme.shared_point)
    refuse({{"--calib-method", request.method.has_value()},
            {"--percentile", request.percentile.has_value()},
            {"--calib-limit", request.limit.has_value()}},
           "schemes whose scales are calibrated", concat("here the scheme is ", request.scheme));
  if (scheme.is_float())
    throw_usage(concat("--scheme ", kFloatScheme, ": a memory network to quantize is float already"));
  return scheme;
}

// `limit` of the questions, spread over all; 0: all.
std::vector<MemoryQuestion> spread(const CodedStories& data, std::size_t limit) {
  std::vector<MemoryQuestion> questions;
  const std::size_t all = data.questions().size(), wanted = limit == 0 ? all : std::min(limit, all);
  for (std::size_t i = 0; i < wanted; ++i) {
    const CodedStories::Question& question = data.questions()[i * all / wanted];
    questions.push_back({question.facts, question.words, {}});
  }
  return questions;
}

// Quantizes one network; its file is for the caller to write.
MemoryNetwork quantize_job(const Job& job, const MemoryNetwork& network, const MemoryScheme& scheme,
                           const QuantizeRequest& request, std::vector<Story> StoryTask::*split,
                           MemoryQuantizeRow& row) {
  const Vocabulary vocabulary(network.words);
  std::vector<Story> calibration, validation;
  for (const StoryTask& task : job.tasks) {
    calibration.insert(calibration.end(), (task.*split).begin(), (task.*split).end());
    validation.insert(validation.end(), task.validation.begin(), task.validation.end());
  }
  const CodedStories seen(calibration, vocabulary, network.shape.memory);
  const CodedStories held_out(validation, vocabulary, network.shape.memory);
  const std::vector<MemoryQuestion> questions = spread(seen, request.limit.value_or(kCalibrationLimit));
  MemoryCalibrateOptions options;
  if (request.method) options.method = *request.method;
  if (request.percentile) options.percentile = *request.percentile;
  MemoryNetwork result = quantize_memory(network, scheme, questions, options);
  row.model = job.out.string();
  row.fidelity = measure_fidelity(network, result, questions);
  result.name = job.out.stem().string();
  if (!request.command.empty()) result.provenance["quantize_command"] = request.command;
  result.provenance["calibration_sqnr"] = to_text(row.fidelity);
  row.error = score_memory(result, held_out).error;
  row.float_error = score_memory(network, held_out).error;
  row.bytes = save_bytes(result).size();
  row.float_bytes = std::filesystem::file_size(job.in);
  return result;
}

// network: what request.in holds; not of several.
QuantizeReport quantize_networks(const std::optional<MemoryNetwork>& network, const QuantizeRequest& request,
                                 Listener& listener) {
  const auto start = std::chrono::steady_clock::now();
  const MemoryScheme scheme = checked_scheme(request);
  const CalibrationStories stories = stories_named(request.calib, request.calib_split.value_or("train"));
  std::vector<Job> jobs = planned_jobs(request, stories.task);
  check_files(jobs, stories.task);
  std::vector<StoryTask> tasks = load_story_tasks(stories.task, request.data.of_stories());
  if (network) {
    jobs.front().tasks = std::move(tasks);
  } else {
    for (std::size_t i = 0; i < jobs.size(); ++i) jobs[i].tasks.push_back(std::move(tasks[i]));
  }

  MemoryQuantizeReport of_kind{.several = !network,
                               .method = std::string(method_name(request.method.value_or(CalibrationMethod::kMinMax))),
                               .integer_only = scheme.integer_only};
  std::vector<Warning> warnings;
  std::vector<MemoryNetwork> results;  // written when all are there
  for (const Job& job : jobs) {
    MemoryQuantizeRow& row = of_kind.networks.emplace_back();
    results.push_back(
        quantize_job(job, network ? *network : load_memory_network(job.in), scheme, request, stories.split, row));
    const std::vector<Warning>& raised = row.fidelity.warnings;
    warnings.insert(warnings.end(), raised.begin(), raised.end());
    for (const std::string& line : warning_lines(raised)) listener.warn(concat(row.model, ": ", line));
  }
  const std::string refusal = strict_refusal(request, warnings);
  if (refusal.empty())
    for (std::size_t i = 0; i < jobs.size(); ++i) save(results[i], jobs[i].out);
  return {.of_kind = std::move(of_kind),
          .model = request.out.string(),
          .scheme = memory_scheme_text(scheme),
          .input = request.calib,
          .seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(),
          .warnings = std::move(warnings),
          .refusal = refusal};
}

}  // namespace

MemoryScheme memory_scheme(const std::string& preset, const std::vector<SchemeSwitch>& switches) {
  MemoryScheme scheme = memory_scheme_from_name(preset);
  if (scheme.is_float() && !switches.empty()) {
    std::vector<std::string> others = memory_scheme_names();
    std::erase(others, kFloatScheme);
    throw_usage(concat("--scheme ", kFloatScheme, " has no word length and no fixed-point similarity: choose one of ",
                       join(others, ", ")));
  }
  for (const SchemeSwitch& one : switches) one.apply(scheme);
  validate(scheme);
  return scheme;
}

QuantizeReport quantize(MemoryNetwork network, const QuantizeRequest& request, Listener& listener) {
  return quantize_networks(std::move(network), request, listener);
}

QuantizeReport quantize_each_task(const QuantizeRequest& request, Listener& listener) {
  return quantize_networks(std::nullopt, request, listener);
}

}  // namespace quaver
