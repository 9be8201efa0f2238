#include "quantize_memory.h"

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "quaver/core/error.h"
#include "quaver/core/text.h"
#include "quaver/files/command_files.h"
#include "quaver/io/model_file/memory_file.h"
#include "quaver/model/formats/scheme.h"
#include "quaver/report/error/fidelity.h"
#include "quaver/report/show/table.h"
#include "quaver/report/show/warning_lines.h"
#include "quaver/train/memory/train.h"

namespace quaver {
namespace {

std::filesystem::path path_of(std::filesystem::path path, std::size_t number) {
  return path.replace_extension(concat(".qa", number, ".safetensors"));
}

// "babi", "babi:train": the task and its split, `train` where none is named.
std::pair<std::string, std::string> task_and_split(const std::string& calib) {
  const std::size_t colon = calib.find(':');
  std::pair<std::string, std::string> found{calib.substr(0, colon),
                                            colon == std::string::npos ? "train" : calib.substr(colon + 1)};
  require_known("task of a memory network's calibration", found.first, story_task_names());
  require_known("split", found.second, {"train", "validation", "test"});
  return found;
}

std::vector<MemoryQuestion> spread(const CodedStories& data, std::size_t limit) {
  std::vector<MemoryQuestion> questions;
  const std::size_t all = data.questions().size(), wanted = limit == 0 ? all : std::min(limit, all);
  for (std::size_t i = 0; i < wanted; ++i) {
    const CodedStories::Question& question = data.questions()[i * all / wanted];
    questions.push_back({question.facts, question.words, {}});
  }
  return questions;
}

}  // namespace

std::string strict_failure(std::size_t warnings, const std::filesystem::path& out) {
  return concat("--strict: ", warnings, warnings == 1 ? " warning; " : " warnings; ", out.string(), " was not written");
}

bool names_several(const StoryFlags& stories) {
  return stories.tasks != "joint" && stories.tasks.find_first_not_of("0123456789") != std::string::npos;
}

void run_memory_quantization(const MemoryQuantization& quantization) {
  const auto start = std::chrono::steady_clock::now();
  const MemoryScheme& scheme = quantization.scheme;
  if (scheme.is_float())
    throw_usage(concat("--scheme ", kFloatScheme, ": a memory network to quantize is float already"));
  const auto [task_name, split] = task_and_split(quantization.calib);
  const std::string named = quantization.stories.tasks == "joint" ? "all" : quantization.stories.tasks;
  const std::vector<std::size_t> numbers = story_task_numbers(task_name, named);
  const bool several = names_several(quantization.stories);
  const auto place = [&](const std::filesystem::path& path, std::size_t number) {
    return several ? path_of(path, number) : path;
  };
  CommandFiles files;
  for (const std::size_t number : several ? numbers : std::vector{numbers.front()}) {
    files.reads("IN", place(quantization.in, number));
    files.writes("--output", place(quantization.out, number));
  }
  files.check();
  const std::vector<StoryTask> tasks = load_story_tasks(task_name, {.tasks = named,
                                                                    .set = quantization.stories.set,
                                                                    .data_dir = quantization.data.data_dir,
                                                                    .seed = quantization.data.data_seed,
                                                                    .questions = quantization.stories.questions});
  Table table({{"model", Align::kLeft},
               {"scheme", Align::kLeft},
               {"validation error %"},
               {"float"},
               {"file bytes"},
               {"float"}});
  nlohmann::ordered_json rows = nlohmann::ordered_json::array();
  nlohmann::ordered_json outputs = nlohmann::ordered_json::array();
  std::vector<Warning> warnings;
  std::vector<std::pair<MemoryNetwork, std::filesystem::path>> results;  // written when all are there
  std::string answers;                                                   // a line of figures a network
  double error = 0, float_error = 0;
  std::uintmax_t bytes = 0, float_bytes = 0;
  std::vector<std::vector<StoryTask>> groups;
  if (several)
    for (const StoryTask& task : tasks) groups.push_back({task});
  else
    groups.push_back(tasks);
  for (const std::vector<StoryTask>& group : groups) {
    const std::filesystem::path in = place(quantization.in, group.front().number),
                                out = place(quantization.out, group.front().number);
    const MemoryNetwork network = quantization.network ? *quantization.network : load_memory_network(in);
    const Vocabulary vocabulary(network.words);
    std::vector<Story> calibration, validation;
    for (const StoryTask& task : group) {
      const std::vector<Story>& chosen = split == "train"        ? task.train
                                         : split == "validation" ? task.validation
                                                                 : task.test;
      calibration.insert(calibration.end(), chosen.begin(), chosen.end());
      validation.insert(validation.end(), task.validation.begin(), task.validation.end());
    }
    const CodedStories seen(calibration, vocabulary, network.shape.memory);
    const CodedStories held_out(validation, vocabulary, network.shape.memory);
    const std::vector<MemoryQuestion> questions = spread(seen, quantization.limit);
    MemoryNetwork result = quantize_memory(network, scheme, questions, quantization.calibration);
    const Fidelity fidelity = measure_fidelity(network, result, questions);
    outputs.push_back(to_json(fidelity.outputs)[0]);
    answers += concat("answers     ", out.string(), ": ", to_text(fidelity), '\n');
    warnings.insert(warnings.end(), fidelity.warnings.begin(), fidelity.warnings.end());
    for (const std::string& line : warning_lines(fidelity.warnings)) warn(concat(out.string(), ": ", line));
    result.name = out.stem().string();
    result.provenance["quantize_command"] = command_line();
    result.provenance["calibration_sqnr"] = to_text(fidelity);
    results.emplace_back(result, out);
    const double after = score_memory(result, held_out).error, before = score_memory(network, held_out).error;
    const std::uintmax_t size = save_bytes(result).size(), float_size = std::filesystem::file_size(in);
    error += after / static_cast<double>(groups.size());
    float_error += before / static_cast<double>(groups.size());
    bytes += size;
    float_bytes += float_size;
    table.add_row({out.string(), memory_scheme_text(scheme), fixed_text(after, 2), fixed_text(before, 2),
                   count_text(size), count_text(float_size)});
    rows.push_back({{"model", out.string()}, {"validation", after}, {"float_validation", before}, {"bytes", size}});
  }
  const bool refused = quantization.strict && !warnings.empty();
  if (!refused)
    for (const auto& [network, out] : results) save(network, out);
  if (several)
    table.add_row(
        {"mean", "", fixed_text(error, 2), fixed_text(float_error, 2), count_text(bytes), count_text(float_bytes)});
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  print_result(quantization.shared,
               {{"model", quantization.out.string()},
                {"scheme", memory_scheme_text(scheme)},
                {"validation", error},
                {"float_validation", float_error},
                {"bytes", bytes},
                {"float_bytes", float_bytes},
                {"integer_only", scheme.integer_only},
                {"method", method_name(quantization.calibration.method)},
                {"input", quantization.calib},
                {"seconds", seconds},
                {"outputs", outputs},
                {"warnings", to_json(warnings)},
                {"results", rows}},
               table.text() + '\n' + answers);
  if (refused) throw_failed(strict_failure(warnings.size(), quantization.out));
}

}  // namespace quaver
