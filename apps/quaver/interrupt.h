// interrupt.h - Ctrl-C, SIGTERM and a terminal that closes (SIGHUP) ask long work to store what it has and end; a
// second one of the first two ends the program at once.
#pragma once

namespace quaver {

void catch_interrupts();
bool interrupted();  // since catch_interrupts()

}  // namespace quaver
