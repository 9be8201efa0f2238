// progress.h - how far long work has come: a bar with rate and time left on a terminal, plain lines elsewhere.
//
// Always on standard error: standard output belongs to the result. A bar redraws at most ten times a second; plain
// lines come every few seconds, so that logs stay short.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdio>
#include <string>

namespace quaver {

class Progress {
 public:
  // label: "calibrating"; unit: "sequences"; total 0: unknown.
  Progress(std::string label, std::string unit, std::size_t total, std::FILE* out = stderr);
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  ~Progress();  // leaves the terminal on a fresh line

  // Work that was done before this run: it is no part of the rate.
  void resume_at(std::size_t done);
  // note: what is worth knowing now, e.g. "loss 0.31".
  void update(std::size_t done, const std::string& note = "");
  // A line for people that must not be torn by the bar.
  void say(const std::string& line);

 private:
  using Clock = std::chrono::steady_clock;
  void clear_bar();

  std::string label_, unit_;
  std::size_t total_;
  std::size_t done_before_ = 0;
  std::FILE* out_;
  bool terminal_;
  bool bar_shown_ = false;
  Clock::time_point start_, last_shown_;
};

// The text of one update, apart so that tests can read it: "calibrating [####........] 102/256 sequences  51/s  3.0 s
// left  note"; plain lines have no bar.
struct ProgressLine {
  std::string label{}, unit{}, note{};
  std::size_t done = 0;
  std::size_t done_before = 0;
  std::size_t total = 0;
  double seconds = 0;
  bool bar = false;

  std::string text() const;
};

}  // namespace quaver
