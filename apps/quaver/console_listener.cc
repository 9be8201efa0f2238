#include "console_listener.h"

#include "console.h"

namespace quaver {

void ConsoleListener::begin(const std::string& work, const std::string& unit, std::size_t total) {
  bar_ = std::make_unique<Progress>(work, unit, total);
}

void ConsoleListener::advance(std::size_t done) { bar_->update(done); }

void ConsoleListener::note(const std::string& text) {
  if (bar_)
    bar_->say("quaver: " + text);
  else
    say("quaver: " + text);
}

void ConsoleListener::warn(const std::string& text) {
  if (bar_)
    bar_->say("quaver: warning: " + text);
  else
    quaver::warn(text);
}

}  // namespace quaver
