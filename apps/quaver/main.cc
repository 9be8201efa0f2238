// main.cc - reads the command line, runs one verb, turns what it throws into one line and an exit code.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <csignal>
#include <exception>
#include <new>
#include <string>
#include <vector>

#include "quaver/core/error.h"
#include "shared.h"
#include "verbs.h"

namespace {

int fail(quaver::ErrorKind kind, std::string text) {
  std::ranges::replace(text, '\n', ' ');  // one line, whatever the text was made from
  fmt::print(stderr, "quaver: error: {}\n", text);
  return static_cast<int>(kind);
}

// CLI11 would only say that a verb is missing.
void require_known_verb(const CLI::App& program, const std::string& word) {
  if (word.starts_with("-")) return;
  std::vector<std::string> verbs;
  for (const CLI::App* verb : program.get_subcommands({})) verbs.push_back(verb->get_name());
  quaver::require_known("verb", word, verbs);
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);  // a reader that is gone becomes a write error with a text
  std::signal(SIGXFSZ, SIG_IGN);  // and so does a file size limit
  CLI::App program{"Recurrent networks at few bits, with integers only", "quaver"};
  program.require_subcommand(1);
  program.set_version_flag("--version", "quaver " QUAVER_VERSION);
  program.footer("Exit codes: 0 done, 1 the work failed, 2 the command line is wrong, 3 bad input data or file.");
  quaver::add_train(program);
  quaver::add_quantize(program);
  quaver::add_eval(program);
  quaver::add_run(program);
  quaver::add_compare(program);
  quaver::add_inspect(program);
  quaver::add_convert(program);
  quaver::add_bench(program);
  quaver::add_reproduce(program);
  quaver::add_demo(program);
  quaver::remember_command_line(argc, argv);
  try {
    if (argc > 1) require_known_verb(program, argv[1]);
    program.parse(argc, argv);
    return 0;
  } catch (const CLI::Success& asked) {  // --help and --version
    return program.exit(asked);
  } catch (const CLI::ParseError& error) {
    return fail(quaver::ErrorKind::kUsage, std::string(error.what()) + "; see quaver --help, quaver VERB --help");
  } catch (const quaver::Error& error) {
    return fail(error.kind(), error.what());
  } catch (const std::bad_alloc&) {
    return fail(quaver::ErrorKind::kFailed, "out of memory");
  } catch (const std::exception& error) {
    return fail(quaver::ErrorKind::kFailed, error.what());
  }
}
