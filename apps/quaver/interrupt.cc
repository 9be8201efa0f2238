#include "interrupt.h"

#include <csignal>

namespace quaver {
namespace {

volatile std::sig_atomic_t asked_to_stop = 0;

extern "C" void on_interrupt(int signal) {
  asked_to_stop = 1;
  // A second one ends the program at once; but a terminal that closes sends SIGHUP and its shell another.
  if (signal != SIGHUP) std::signal(signal, SIG_DFL);
}

}  // namespace

void catch_interrupts() {
  std::signal(SIGINT, on_interrupt);
  std::signal(SIGTERM, on_interrupt);
  if (std::signal(SIGHUP, on_interrupt) == SIG_IGN) std::signal(SIGHUP, SIG_IGN);  // under nohup
}

bool interrupted() { return asked_to_stop != 0; }

}  // namespace quaver
