// listener.h - what a call says while it works: how far it is, warnings, and the answers of a dialogue as they come.
#pragma once

#include <cstddef>
#include <string>

#include "quaver/report/show/run_report.h"

namespace quaver {

// One that hears nothing; calls are told only of what they override. All but warn() come from the thread that called.
class Listener {
 public:
  virtual ~Listener() = default;
  // "comparing", "sequences", how many: what begin() counts, advance() has done so many of.
  virtual void begin(const std::string& /*work*/, const std::string& /*unit*/, std::size_t /*total*/) {}
  virtual void advance(std::size_t /*done*/) {}
  virtual void note(const std::string& /*text*/) {}  // worth knowing, and nothing is wrong
  virtual void warn(const std::string& /*text*/) {}
  virtual void answered(const StoryReply& /*reply*/) {}
};

}  // namespace quaver
