// command_words.h - what was typed: words that no verb knows, and what a flag is called.
#pragma once

#include <string>

#include "quaver/workflow/fields.h"

namespace CLI {
class App;
}

namespace quaver {

// Error (usage) for the first word that is no verb, no flag of its verb, one argument too many or a list with an empty
// entry, in the order they were typed, with the closest flag: before anything else about the command line is judged.
void require_known_words(const CLI::App& program, int argc, const char* const* argv);

// What to say of a field that the verb's call refused: its flag as --help has it, with its short form.
std::string refusal_text(const CLI::App& program, const RefusedField& refused);

}  // namespace quaver
