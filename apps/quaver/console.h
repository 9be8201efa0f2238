// console.h - standard output and standard error: the only place of the program that writes to them.
//
// Answers (results, dialogue, --help, --version) must arrive. Messages are said as well as they can be: that they are
// lost changes neither the work nor the exit code. Nothing that either prints for people holds a control character.
#pragma once

#include <string>

namespace quaver {

// To be called first: descriptors 0 to 2 that are closed are led to /dev/null, or a file that is opened later takes
// such a number and what is printed ends up in it.
void open_standard_streams();

// On standard output, at once. Error (failed) when it could not be written, or standard output was closed.
void print_text(const std::string& text);  // for people
void print_json(const std::string& json);  // for programs: as it is

// A line for people while the work goes on, on standard error.
void say(const std::string& line);
void warn(const std::string& line);

// The one line that a failed verb leaves on standard error: cut in the middle when it is very long.
void say_failure(const std::string& text);

}  // namespace quaver
