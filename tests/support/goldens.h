// goldens.h - the files with outputs of other engines, and the arrays of one golden file, checked as they are taken
// out.
#pragma once

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "quaver/core/error.h"
#include "quaver/core/text.h"
#include "quaver/npz/npz.h"
#include "support/places.h"

namespace quaver::testing_support {

// Why a test of this folder of large_goldens() is skipped.
std::string absent_goldens(const std::filesystem::path& folder);
// Files of `folder` whose names end in `extension` (".npz"), by name. Error when there is none.
std::vector<std::filesystem::path> golden_files(const std::filesystem::path& folder, std::string_view extension);

// "1,234,567"
std::string with_commas(std::size_t count);

// The array called `name` with exactly this element type and shape, else Error.
template <typename T>
std::vector<T> golden_array(const Npz& arrays, const std::string& name, const std::vector<std::int64_t>& shape) {
  const NpzArray& array = npz_array(arrays, name);
  const NumberType wanted = NpzArray::from<T>({0}, {}).type;
  if (array.type != wanted || array.shape != shape) {
    throw_bad_input(concat("array '", name, "' is ", npy_type_name(array.type), " ", shape_text(array.shape),
                           ", expected ", npy_type_name(wanted), " ", shape_text(shape)));
  }
  std::vector<T> values(array.element_count());
  if (!values.empty()) std::memcpy(values.data(), array.bytes.data(), array.bytes.size());
  return values;
}

}  // namespace quaver::testing_support
