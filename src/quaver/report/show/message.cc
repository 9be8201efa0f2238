#include "quaver/report/show/message.h"

namespace quaver {

void write_message(std::string_view text, std::FILE* out) noexcept {
  std::fwrite(text.data(), 1, text.size(), out);
  std::fflush(out);
  std::clearerr(out);  // what could not be written is lost, what comes next may go through
}

}  // namespace quaver
