#include "interrupt.h"

#include <csignal>

namespace quaver {
namespace {

volatile std::sig_atomic_t asked_to_stop = 0;

extern "C" void on_interrupt(int signal) {
  asked_to_stop = 1;
  std::signal(signal, SIG_DFL);
}

}  // namespace

void catch_interrupts() {
  std::signal(SIGINT, on_interrupt);
  std::signal(SIGTERM, on_interrupt);
}

bool interrupted() { return asked_to_stop != 0; }

}  // namespace quaver
