// quaver run MODEL --input X.npz -o Y.npz: sequences through a model, whole or step by step, with state in and out.
// quaver run NETWORK --input STORY.txt: a memory network answers the questions of a story.
#include "quaver/workflow/run.h"

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "checks.h"
#include "console_listener.h"
#include "quaver/core/text.h"
#include "shared.h"
#include "verbs.h"

namespace quaver {
namespace {

struct RunFlags {
  SharedFlags shared;
  RunRequest request;
};

// Prints what is said as it comes: replies of a dialogue, and answers to what streams. Of files people get a table.
class PrintedAnswers : public ConsoleListener {
 public:
  explicit PrintedAnswers(bool streams) : streams_(streams) {}
  void answered(const StoryReply& reply) override { print_text(to_text(reply)); }
  void answered(const Answer& answer) override {
    if (streams_) print_text(to_text(answer));
  }

 private:
  bool streams_;
};

void run_run(RunFlags flags) {
  flags.request.text_in = &std::cin;
  flags.request.threads = flags.shared.thread_count();
  const bool streams = flags.request.input == "-";
  flags.request.keep_replies = flags.shared.json;
  flags.request.keep_answers = flags.shared.json || !streams;
  ConsoleListener listener;
  PrintedAnswers printed(streams);
  print_report(flags.shared, run(flags.request, flags.shared.json ? listener : printed));
}

}  // namespace

void add_run(CLI::App& program) {
  auto flags = std::make_shared<RunFlags>();
  RunRequest& request = flags->request;
  CLI::App* verb = program.add_subcommand("run", "Run sequences through a model, or a story through a memory network");
  verb->add_option("model", request.model, "Model file")->required();
  verb->add_option(
      "--input", request.input,
      "A recording or a folder of them, a table (.csv), texts (.txt, a line each), KIND:PATH, or - for samples, rows "
      "or lines as they come, of the kind that the model learned from. Or X.npz with x (float32, [batch, time, "
      "features] or [time, features]) or ids (int32), and lengths where sequences differ; of a model with several "
      "inputs arrays of their names; of a memory network a story "
      "as text, from standard input without the flag");
  verb->add_option("-o,--output", request.output, "Y.npz to write: y, and every output under its name");
  verb->add_flag("--stream", request.stream,
                 "One step a call, with the same bits; of a pooled model also y_stream, the scores after every step");
  verb->add_option("--state", request.state_in,
                   "Start from the state in this .npz (state/NODE.PART), or from this saved memory");
  verb->add_option(
      "--save-state", request.state_out,
      "Write the state after the last step to this .npz, or the memory to this file; may be that of --state");
  verb->add_flag("--state-reals", request.state_reals,
                 "Write the state as float32 reals instead of the model's codes: for other programs and for models of "
                 "other formats; not every bit comes back");
  verb->add_option("--split", request.split, "Of KIND:PATH: train, validation or test")->default_str("test");
  verb->add_option("--every", request.every, "Seconds of samples from standard input that an answer stands for")
      ->check(real_number(0.01, 3600))
      ->default_str(number_text(kDefaultEvery));
  verb->add_option("--generate", request.generate, "Tokens to go on with, of a model of running text")
      ->check(whole_number(0, 10'000'000))
      ->default_str(std::to_string(kDefaultGenerate));
  verb->add_option("--temperature", request.temperature, "Of tokens that are drawn; 0: the likeliest")
      ->check(real_number(0, 100))
      ->default_str(number_text(kDefaultTemperature));
  verb->add_option("--seed", request.seed, "Of tokens that are drawn")
      ->check(seed_number())
      ->default_str(std::to_string(kDefaultDrawSeed));
  verb->add_flag("--explain", request.explain, "Memory network: which facts each hop looked at");
  verb->add_option("--memory", request.memory, "Memory network: facts it holds; as many as it was trained with")
      ->check(whole_number(1, std::uint64_t{1} << 31));
  add_skip_broken(*verb, request.data);
  add_max_memory(*verb, request.max_memory);
  flags->shared.add_to(*verb);
  verb->callback([flags] { run_run(*flags); });
}

}  // namespace quaver
