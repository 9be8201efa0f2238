// main.cc - reads the command line, runs one verb, turns what it throws into one line and an exit code.
#include <CLI/CLI.hpp>
#include <csignal>
#include <exception>
#include <new>
#include <string>

#include "command_words.h"
#include "console.h"
#include "quaver/core/error.h"
#include "quaver/core/version.h"
#include "shared.h"
#include "verbs.h"

namespace {

int fail(quaver::ErrorKind kind, const std::string& text) {
  quaver::say_failure(text);
  return static_cast<int>(kind);
}

void run(CLI::App& program, int argc, const char* const* argv) {
  quaver::require_known_words(program, argc, argv);
  try {
    program.parse(argc, argv);
  } catch (const CLI::CallForVersion& version) {
    quaver::print_text(std::string(version.what()) + "\n");
  } catch (const CLI::Success&) {  // --help, of the verb that was named
    quaver::print_text(program.help());
  } catch (const CLI::ParseError& error) {
    quaver::throw_usage(std::string(error.what()) + "; see quaver --help, quaver VERB --help");
  }
}

}  // namespace

int main(int argc, char** argv) {
  quaver::open_standard_streams();
  std::signal(SIGPIPE, SIG_IGN);  // a reader that is gone becomes a write error with a text
  std::signal(SIGXFSZ, SIG_IGN);  // and so does a file size limit
  CLI::App program{"Recurrent networks at few bits, with integers only", "quaver"};
  program.require_subcommand(1);
  program.set_version_flag("--version", "quaver " + std::string(quaver::version()));
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
    run(program, argc, argv);
    return 0;
  } catch (const quaver::RefusedField& refused) {
    return fail(refused.kind(), quaver::refusal_text(program, refused));
  } catch (const quaver::Error& error) {
    return fail(error.kind(), error.what());
  } catch (const std::bad_alloc&) {
    return fail(quaver::ErrorKind::kFailed, "out of memory");
  } catch (const std::exception& error) {
    return fail(quaver::ErrorKind::kFailed, error.what());
  }
}
