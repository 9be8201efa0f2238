// places.h - where the files lie that tests read: in the repository, or beside it when they are no part of it.
#pragma once

#include <filesystem>
#include <string_view>

namespace quaver::testing_support {

std::filesystem::path repository();
// tests/golden/<set>: small, part of the repository.
std::filesystem::path own_goldens(std::string_view set);
// $QUAVER_GOLDENS/<set>: large, may be absent. The default of the variable is ../shared/goldens beside the repository.
std::filesystem::path large_goldens(std::string_view set);
// $QUAVER_DATA: real data, may be absent. The default is ../shared/data beside the repository.
std::filesystem::path data_folder();

}  // namespace quaver::testing_support
