// interrupt.h - Ctrl-C and SIGTERM ask long work to store what it has and end; a second one ends the program at once.
#pragma once

namespace quaver {

void catch_interrupts();
bool interrupted();  // since catch_interrupts()

}  // namespace quaver
