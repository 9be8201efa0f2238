#include "support/goldens.h"

#include <algorithm>

namespace quaver::testing_support {

std::string absent_goldens(const std::filesystem::path& folder) {
  return concat("no folder ", folder.string(), " (QUAVER_GOLDENS): of ", folder.filename().string(),
                " only the small set of the repository was checked");
}

std::vector<std::filesystem::path> golden_files(const std::filesystem::path& folder, std::string_view extension) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == extension) files.push_back(entry.path());
  }
  if (files.empty()) throw_bad_input(concat(folder.string(), " holds no *", extension, " file"));
  std::sort(files.begin(), files.end());
  return files;
}

std::string with_commas(std::size_t count) {
  std::string text = std::to_string(count);
  for (std::size_t place = text.size(); place > 3; place -= 3) text.insert(place - 3, 1, ',');
  return text;
}

}  // namespace quaver::testing_support
