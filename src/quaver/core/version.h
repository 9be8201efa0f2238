// version.h - which Quaver this is: for provenance, and for what is kept of work that another version would do
// otherwise.
#pragma once

#include <string_view>

namespace quaver {

std::string_view version();  // "0.1.0", with a NUL behind it

}  // namespace quaver
