// quaver train TASK|KIND:PATH -o OUT: a float network from a task's data or data of one's own.
#include "quaver/workflow/train.h"

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>
#include <type_traits>

#include "checks.h"
#include "console_listener.h"
#include "interrupt.h"
#include "quaver/core/text.h"
#include "quaver/model/operations/operation.h"
#include "quaver/train/memory/train.h"
#include "scheme_flags.h"
#include "shared.h"
#include "training.h"
#include "verbs.h"

namespace quaver {
namespace {

constexpr const char* kMemoryGroup = "Memory networks (tasks babi, stories)";

struct TrainFlags {
  SharedFlags shared;
  TrainRequest request;
};

template <typename Value>
std::string type_name() {
  using Plain = std::remove_cv_t<Value>;
  if constexpr (std::is_same_v<Plain, bool>) return "BOOLEAN";
  if constexpr (std::is_integral_v<Plain>) return "UINT";
  return "FLOAT";
}

template <typename Value>
CLI::Validator check_of(const OptionField& field) {
  if (field.choices != nullptr) return one_of(field.choices());
  if constexpr (std::is_same_v<Value, bool>) return true_or_false();
  if (field.low >= field.high) return seed_number();
  if constexpr (std::is_integral_v<Value>)
    return whole_number(static_cast<std::uint64_t>(field.low), static_cast<std::uint64_t>(field.high));
  return real_number(field.low, field.high);
}

// A flag for each option, with its range and its meaning; only what is said becomes part of the request.
template <typename Options>
void add_options(CLI::App& verb, TrainRequest& request, const std::string& group) {
  Options options;
  fields(options, [&](const OptionField& field, const auto& value) {
    using Value = std::decay_t<decltype(value)>;
    const std::string flag = flag_of_option(field.name), name = field.name;
    if (verb.get_option_no_throw(flag) != nullptr) return;  // both kinds of network have it
    const auto set = [&request, name](const std::string& text) { request.options[name] = text; };
    if (name == "cell") {
      verb.add_option_function<std::string>(flag, set, join(recurrent_names(), ", ") + "; stories: memn2n");
    } else if (name == "linear_before_reset") {
      verb.add_option_function<std::string>(
              flag, [set](const std::string& text) { set(text == "after" ? "true" : "false"); },
              std::string(field.meaning) + ": after, before")
          ->check(one_of({"after", "before"}));
    } else if (std::is_same_v<Value, bool> && group.empty()) {
      verb.add_flag_callback(
          flag, [set] { set("true"); }, field.meaning);
    } else {
      const bool chosen = field.choices != nullptr;
      CLI::Option* option = verb.add_option_function<std::string>(
          flag, set, chosen ? concat(field.meaning, ": ", join(field.choices(), ", ")) : field.meaning);
      option->check(check_of<Value>(field));
      if (!chosen) option->type_name(type_name<Value>());
      if (!group.empty()) option->group(group);
    }
  });
}

}  // namespace

void add_train(CLI::App& program) {
  auto flags = std::make_shared<TrainFlags>();
  TrainRequest& request = flags->request;
  CLI::App& verb = *program.add_subcommand("train", "Train a model on a task, or on data of one's own");
  verb.add_option("task", request.task, concat("Task: ", task_names_text(), "; or KIND:PATH, data of one's own"))
      ->required();
  verb.add_option("-o,--output", request.out, "Model file to write, .safetensors")->required();
  verb.add_option(
          "--scheme", request.scheme,
          concat(kFloatScheme, "; integers come from 'quaver quantize'. Stories: ", join(memory_scheme_names(), ", ")))
      ->capture_default_str();
  verb.add_option("--limit", request.limit, "Sequences (stories: questions) of each split at most; 0: all")
      ->check(whole_number(0, kMostSequences))
      ->capture_default_str();
  add_options<TrainOptions>(verb, request, "");
  verb.add_option("--checkpoint", request.checkpoint,
                  "File to go on from after Ctrl-C; else OUT.checkpoint, removed at the end");
  verb.add_flag("--resume", request.resume, "Go on from the checkpoint, to the bits of a whole run");
  add_story_flags(verb, request.data);
  add_own_data_flags(verb, request.data);
  verb.add_option(
          "--recipe", request.recipe,
          "Defaults: of a released program, memn2n (float) or qmann (fixed point); or fine-tune (scaled schemes)")
      ->check(one_of({"memn2n", "qmann", "fine-tune"}))
      ->group(kMemoryGroup);
  add_scheme_flags(verb, request.switches, kMemoryGroup);
  verb.add_option("--warm-start", request.warm_start,
                  "Float network to start from; of several tasks: NAME.safetensors stands for NAME.qaN.safetensors")
      ->group(kMemoryGroup);
  add_options<MemoryTrainOptions>(verb, request, kMemoryGroup);
  add_data_flags(verb, request.data, "--data-seed");
  verb.get_option("--max-memory")
      ->description(
          "Bytes that the data may take once decoded, and that the network may take while it learns, such as 512M or "
          "8G; more is refused before it is taken (default 4G)");
  flags->shared.add_to(verb);
  verb.callback([flags] {
    flags->request.threads = flags->shared.thread_count();
    flags->request.command = command_line();
    flags->request.trainer = require_training;
    flags->request.should_stop = [] { return interrupted(); };
    catch_interrupts();
    ConsoleListener listener;
    print_report(flags->shared, train(flags->request, listener));
  });
}

}  // namespace quaver
