// listener.h - what a call says while it works: how far it is, warnings, and the answers of a dialogue as they come.
#pragma once

#include <cstddef>
#include <string>

#include "quaver/report/show/run_report.h"

namespace quaver {

// One that hears nothing; calls are told only of what they override. It is told one thing at a time, though not always
// by the thread that called.
class Listener {
 public:
  virtual ~Listener() = default;
  virtual void stage(const std::string& /*text*/) {}  // what the work turns to: "training a float lstm"
  // "comparing", "sequences", how many: what begin() counts, advance() has done so many of. detail: "loss 0.31".
  virtual void begin(const std::string& /*work*/, const std::string& /*unit*/, std::size_t /*total*/) {}
  virtual void resume(std::size_t /*done*/) {}  // so many were done by an earlier call: no part of the rate
  virtual void advance(std::size_t /*done*/, const std::string& /*detail*/ = "") {}
  virtual void note(const std::string& /*text*/) {}  // worth knowing, and nothing is wrong
  virtual void warn(const std::string& /*text*/) {}
  virtual void answered(const StoryReply& /*reply*/) {}
  virtual void answered(const Answer& /*answer*/) {}
};

}  // namespace quaver
