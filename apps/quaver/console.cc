#include "console.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "quaver/core/error.h"
#include "quaver/core/printable.h"
#include "quaver/report/show/message.h"

namespace quaver {
namespace {

constexpr std::size_t kMostOfALine = 2000;    // a message names files, whose paths have up to 4095 bytes
constexpr std::size_t kMostOfAFailure = 600;  // of its beginning, and of its end

bool standard_output_was_closed = false;

std::string one_line(std::string text) {
  std::ranges::replace(text, '\n', ' ');
  return text;
}

void print_answer(const std::string& text) {
  const bool written = std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
  if (std::fflush(stdout) != 0 || !written || standard_output_was_closed)
    throw_failed(
        "the result could not be written to standard output: is it closed, the disk full, or the reader gone?");
}

}  // namespace

void open_standard_streams() {
  for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(descriptor, F_GETFD) >= 0) continue;
    if (descriptor == STDOUT_FILENO) standard_output_was_closed = true;
    // The lowest number that is free: this one.
    if (::open("/dev/null", O_RDWR) < 0) return;
  }
}

void print_text(const std::string& text) { print_answer(printable_lines(text)); }
void print_json(const std::string& json) { print_answer(json); }

void say(const std::string& line) { write_message(printable(one_line(line), kMostOfALine) + "\n"); }
void warn(const std::string& line) { say("quaver: warning: " + line); }
void say_failure(const std::string& text) {
  write_message("quaver: error: " + printable_ends(one_line(text), kMostOfAFailure) + "\n");
}

}  // namespace quaver
