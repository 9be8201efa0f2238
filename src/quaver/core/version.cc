#include "quaver/core/version.h"

namespace quaver {

std::string_view version() { return QUAVER_VERSION; }

}  // namespace quaver
