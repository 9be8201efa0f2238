#include "quaver/core/error.h"

namespace quaver {

void throw_failed(const std::string& text) { throw Error(ErrorKind::kFailed, text); }
void throw_usage(const std::string& text) { throw Error(ErrorKind::kUsage, text); }
void throw_bad_input(const std::string& text) { throw Error(ErrorKind::kBadInput, text); }

}  // namespace quaver
