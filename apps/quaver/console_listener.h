// console_listener.h - says on standard error what a call says while it works: a bar of progress, and warnings that do
// not tear it.
#pragma once

#include <memory>
#include <string>

#include "quaver/report/show/progress.h"
#include "quaver/workflow/listener.h"

namespace quaver {

class ConsoleListener : public Listener {
 public:
  void stage(const std::string& text) override;
  void begin(const std::string& work, const std::string& unit, std::size_t total) override;
  void resume(std::size_t done) override;
  void advance(std::size_t done, const std::string& detail) override;
  void note(const std::string& text) override;
  void warn(const std::string& text) override;

 private:
  void say_line(const std::string& line);

  std::unique_ptr<Progress> bar_;
};

}  // namespace quaver
