// calls.cc - what the verbs of the command line do, from a program: a request in, a report out, and a listener that
// hears how far the work is.
//
//   calls MODEL.safetensors
#include <cstdio>
#include <string>

#include "quaver/bench/bench.h"
#include "quaver/core/error.h"
#include "quaver/workflow/inspect.h"

namespace {

class Console : public quaver::Listener {
  void stage(const std::string& text) override { std::fprintf(stderr, "%s\n", text.c_str()); }
  void warn(const std::string& text) override { std::fprintf(stderr, "warning: %s\n", text.c_str()); }
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: calls MODEL.safetensors\n");
    return 2;
  }
  try {
    Console console;
    const quaver::InspectReport inspected = quaver::inspect({.model = argv[1]}, console);
    std::printf("%s\n", to_text(inspected).c_str());
    const quaver::BenchReport timed = quaver::bench({.model = argv[1], .repetitions = 5, .steps = {1, 100}}, console);
    std::printf("%s", to_text(timed).c_str());
    return 0;
  } catch (const quaver::Error& error) {  // names the field, the file, what was expected and what to do
    std::fprintf(stderr, "%s\n", error.what());
    return error.exit_code();
  }
}
