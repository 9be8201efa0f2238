#include "console_listener.h"

#include "console.h"

namespace quaver {

void ConsoleListener::stage(const std::string& text) {
  bar_.reset();
  say(text);
}

void ConsoleListener::begin(const std::string& work, const std::string& unit, std::size_t total) {
  bar_ = std::make_unique<Progress>(work, unit, total);
}

void ConsoleListener::resume(std::size_t done) { bar_->resume_at(done); }
void ConsoleListener::advance(std::size_t done, const std::string& detail) { bar_->update(done, detail); }
void ConsoleListener::note(const std::string& text) { say_line("quaver: " + text); }
void ConsoleListener::warn(const std::string& text) { say_line("quaver: warning: " + text); }

void ConsoleListener::say_line(const std::string& line) {
  if (bar_)
    bar_->say(line);
  else
    say(line);
}

}  // namespace quaver
