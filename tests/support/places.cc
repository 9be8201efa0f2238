#include "support/places.h"

#include <cstdlib>

namespace quaver::testing_support {
namespace {

std::filesystem::path chosen_by(const char* variable, std::string_view beside_the_repository) {
  const char* chosen = std::getenv(variable);
  if (chosen != nullptr && *chosen != '\0') return chosen;
  return (repository() / ".." / beside_the_repository).lexically_normal();
}

}  // namespace

std::filesystem::path repository() { return QUAVER_SOURCE_DIR; }

std::filesystem::path own_goldens(std::string_view set) { return repository() / "tests" / "golden" / set; }

std::filesystem::path large_goldens(std::string_view set) {
  return (chosen_by("QUAVER_GOLDENS", "shared/goldens") / set).lexically_normal();
}

std::filesystem::path data_folder() { return chosen_by("QUAVER_DATA", "shared/data"); }

}  // namespace quaver::testing_support
