#include "quaver/core/memory_limit.h"

#include "quaver/core/error.h"
#include "quaver/core/text.h"

namespace quaver {

void require_memory(std::string_view what, std::uint64_t bytes, std::uint64_t limit) {
  if (bytes <= limit) return;
  throw_bad_input(concat(what, " ", bytes, " bytes once decoded, more than the limit of ", limit,
                         " bytes; give less at a time, or raise --max-memory"));
}

void require_memory_for(std::string_view what, std::uint64_t bytes, std::uint64_t limit) {
  if (bytes <= limit) return;
  throw_usage(concat(what, " at least ", bytes, " bytes, more than the limit of ", limit,
                     " bytes; take smaller sizes, or raise --max-memory"));
}

}  // namespace quaver
