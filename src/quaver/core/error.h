// error.h - the one exception of Quaver.
//
// Set-up code checks everything a file or a caller can get wrong and throws Error; steps and kernels are noexcept.
// The text names the thing, what was found, what was expected and what to do. The kind becomes the exit code of the
// command line, so that scripts can tell a wrong flag from a wrong file.
#pragma once

#include <stdexcept>
#include <string>

namespace quaver {

enum class ErrorKind {
  kFailed = 1,    // the work itself failed (disk full, training diverged)
  kUsage = 2,     // the command line or an option is wrong
  kBadInput = 3,  // data, a model or a file is wrong or missing
};

class Error : public std::runtime_error {
 public:
  Error(ErrorKind kind, const std::string& text) : std::runtime_error(text), kind_(kind) {}
  ErrorKind kind() const noexcept { return kind_; }
  int exit_code() const noexcept { return static_cast<int>(kind_); }

 private:
  ErrorKind kind_;
};

[[noreturn]] void throw_failed(const std::string& text);
[[noreturn]] void throw_usage(const std::string& text);
[[noreturn]] void throw_bad_input(const std::string& text);

}  // namespace quaver
