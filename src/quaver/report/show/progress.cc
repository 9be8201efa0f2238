#include "quaver/report/show/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "quaver/core/printable.h"
#include "quaver/report/show/message.h"
#include "quaver/report/show/table.h"

namespace quaver {
namespace {

constexpr std::size_t kBarWidth = 24;
constexpr auto kBarInterval = std::chrono::milliseconds(100);
constexpr auto kLineInterval = std::chrono::seconds(5);

}  // namespace

std::string ProgressLine::text() const {
  const double rate = seconds > 0 ? static_cast<double>(done - std::min(done, done_before)) / seconds : 0;
  std::string text = label;
  if (total == 0) {
    text += fmt::format(" {} {}", done, unit);
  } else {
    const std::size_t filled = std::min(kBarWidth, kBarWidth * done / total);
    if (bar) text += " [" + std::string(filled, '#') + std::string(kBarWidth - filled, '.') + "]";
    text += fmt::format(" {}/{} {}", done, total, unit);
  }
  if (rate > 0) text += "  " + significant_text(rate, 3) + "/s";
  if (rate > 0 && total > done) text += "  " + seconds_text(static_cast<double>(total - done) / rate) + " left";
  if (!note.empty()) text += "  " + note;
  return text;
}

Progress::Progress(std::string label, std::string unit, std::size_t total, std::FILE* out)
    : label_(std::move(label)),
      unit_(std::move(unit)),
      total_(total),
      out_(out),
      terminal_(isatty(fileno(out)) == 1),
      start_(Clock::now()),
      last_shown_(start_) {}

Progress::~Progress() { clear_bar(); }

void Progress::resume_at(std::size_t done) {
  done_before_ = done;
  start_ = Clock::now();
}

void Progress::update(std::size_t done, const std::string& note) {
  const auto now = Clock::now();
  if (now - last_shown_ < (terminal_ ? Clock::duration(kBarInterval) : Clock::duration(kLineInterval))) return;
  last_shown_ = now;
  const double seconds = std::chrono::duration<double>(now - start_).count();
  const std::string text =
      printable_lines(ProgressLine{label_, unit_, note, done, done_before_, total_, seconds, terminal_}.text());
  // The escape clears what a longer line before has left behind.
  write_message(terminal_ ? "\r" + text + "\x1b[K" : text + "\n", out_);
  bar_shown_ = terminal_;
}

void Progress::say(const std::string& line) {
  clear_bar();
  write_message(printable_lines(line) + "\n", out_);
}

void Progress::clear_bar() {
  if (!bar_shown_) return;
  write_message("\r\x1b[K", out_);
  bar_shown_ = false;
}

}  // namespace quaver
