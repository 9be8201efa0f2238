#include "quaver/io/npz.h"

#include <zip.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <memory>
#include <type_traits>
#include <utility>

#include "quaver/core/error.h"
#include "quaver/core/text.h"
#include "quaver/io/atomic_file.h"
#include "quaver/io/mapped_file.h"
#include "quaver/io/npy_header.h"
#include "quaver/io/printable.h"

namespace quaver {
namespace {

constexpr std::string_view kNpySuffix = ".npy";
// Deflate turns at most 258 bytes into 2 bits; a stored entry is its own size.
constexpr std::uint64_t kMaxRatio = 1032;

struct CloseArchive {
  void operator()(zip_t* archive) const { zip_discard(archive); }
};
struct CloseEntry {
  void operator()(zip_file_t* entry) const { zip_fclose(entry); }
};
struct FreeSource {
  void operator()(zip_source_t* source) const { zip_source_free(source); }
};
using Archive = std::unique_ptr<zip_t, CloseArchive>;
using Entry = std::unique_ptr<zip_file_t, CloseEntry>;
using Source = std::unique_ptr<zip_source_t, FreeSource>;

class ZipError {
 public:
  ZipError() { zip_error_init(&error_); }
  ZipError(const ZipError&) = delete;
  ZipError& operator=(const ZipError&) = delete;
  ~ZipError() { zip_error_fini(&error_); }
  zip_error_t* get() { return &error_; }
  std::string text() { return printable(zip_error_strerror(&error_)); }

 private:
  zip_error_t error_{};
};

// Fortran order holds the first index fastest; C order the last.
std::vector<std::byte> in_c_order(std::span<const std::byte> bytes, const std::vector<std::int64_t>& shape,
                                  std::size_t element_bytes) {
  std::vector<std::byte> result(bytes.size());
  std::vector<std::size_t> strides(shape.size());  // of the source, in bytes
  std::size_t stride = element_bytes;
  for (std::size_t d = 0; d < shape.size(); ++d) {
    strides[d] = stride;
    stride *= static_cast<std::size_t>(shape[d]);
  }
  std::vector<std::int64_t> index(shape.size());
  std::size_t source = 0;
  for (std::size_t target = 0; target < result.size(); target += element_bytes) {
    std::memcpy(result.data() + target, bytes.data() + source, element_bytes);
    for (std::size_t d = shape.size(); d-- > 0;) {
      source += strides[d];
      if (++index[d] < shape[d]) break;
      source -= strides[d] * static_cast<std::size_t>(shape[d]);
      index[d] = 0;
    }
  }
  return result;
}

// Reads `size` bytes that `fill` delivers piece by piece: the header first, and the elements only when the header's
// shape accounts for every byte.
NpzArray read_npy(std::uint64_t size, const std::function<void(std::span<std::byte>)>& fill) {
  std::vector<std::byte> header_bytes(static_cast<std::size_t>(std::min<std::uint64_t>(size, kNpyPrefix)));
  fill(header_bytes);
  const std::size_t read = header_bytes.size();
  const std::size_t header_size = npy_header_size(header_bytes);
  if (header_size > size || header_size < read)
    throw_bad_input(concat("its .npy header claims ", header_size, " bytes, but the array has ", size));
  header_bytes.resize(header_size);
  fill(std::span(header_bytes).subspan(read));
  NpyHeader header = parse_npy_header(header_bytes);
  if (header.element_bytes != size - header_size)
    throw_bad_input(concat("its shape ", shape_text(header.shape), " of ", npy_type_name(header.type), " wants ",
                           header.element_bytes, " bytes, found ", size - header_size));
  NpzArray array{header.type, std::move(header.shape), {}};
  array.bytes.resize(static_cast<std::size_t>(header.element_bytes));
  fill(array.bytes);
  if (header.fortran_order && array.shape.size() > 1)
    array.bytes = in_c_order(array.bytes, array.shape, npy_type_bytes(array.type));
  return array;
}

NpzArray read_bare(std::span<const std::byte> bytes) {
  std::span<const std::byte> rest = bytes;
  return read_npy(bytes.size(), [&rest](std::span<std::byte> target) {
    std::copy_n(rest.begin(), target.size(), target.begin());
    rest = rest.subspan(target.size());
  });
}

NpzArray read_entry(zip_t* archive, const zip_stat_t& status) {
  const Entry entry(zip_fopen_index(archive, status.index, 0));
  if (!entry) throw_bad_input(concat("the zip entry cannot be opened: ", printable(zip_strerror(archive))));
  NpzArray array = read_npy(status.size, [&entry](std::span<std::byte> target) {
    while (!target.empty()) {
      const zip_int64_t read = zip_fread(entry.get(), target.data(), target.size());
      if (read < 0) throw_bad_input(concat("the zip entry is damaged: ", printable(zip_file_strerror(entry.get()))));
      if (read == 0) throw_bad_input("the zip entry ends before the size that it claims");
      target = target.subspan(static_cast<std::size_t>(read));
    }
  });
  std::byte beyond{};  // the checksum is compared when the end is read
  const zip_int64_t read = zip_fread(entry.get(), &beyond, 1);
  if (read < 0) throw_bad_input(concat("the zip entry is damaged: ", printable(zip_file_strerror(entry.get()))));
  if (read > 0) throw_bad_input("the zip entry goes on beyond the size that it claims");
  return array;
}

zip_stat_t checked_status(zip_t* archive, zip_uint64_t index) {
  zip_stat_t status;
  zip_stat_init(&status);
  if (zip_stat_index(archive, index, 0, &status) != 0)
    throw_bad_input(concat("zip entry ", index, ": ", printable(zip_strerror(archive))));
  constexpr zip_uint64_t kNeeded = ZIP_STAT_NAME | ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE | ZIP_STAT_COMP_METHOD;
  if ((status.valid & kNeeded) != kNeeded) throw_bad_input(concat("zip entry ", index, " has no name or size"));
  return status;
}

Npz read_zip(std::span<const std::byte> bytes) {
  if (bytes.empty()) throw_bad_input("the file is empty, expected an .npz or .npy file");
  ZipError error;
  Source source(zip_source_buffer_create(bytes.data(), bytes.size(), 0, error.get()));
  if (!source) throw_bad_input(concat("the zip cannot be read: ", error.text()));
  const Archive archive(zip_open_from_source(source.get(), ZIP_RDONLY, error.get()));
  if (!archive) throw_bad_input(concat("neither an .npz (zip: ", error.text(), ") nor an .npy file"));
  static_cast<void>(source.release());  // the archive owns it now

  Npz arrays;
  std::uint64_t unpacked = 0;
  const zip_int64_t count = zip_get_num_entries(archive.get(), 0);
  for (zip_int64_t i = 0; i < count; ++i) {
    const zip_stat_t status = checked_status(archive.get(), static_cast<zip_uint64_t>(i));
    const std::string_view file_name = status.name;
    const std::string what = concat("array '", printable(file_name), "': ");
    if (!file_name.ends_with(kNpySuffix))
      throw_bad_input(concat("zip entry '", printable(file_name), "' is no .npy array; an .npz holds nothing else"));
    if (status.comp_method != ZIP_CM_STORE && status.comp_method != ZIP_CM_DEFLATE)
      throw_bad_input(concat(what, "compression method ", status.comp_method, ", expected stored or deflated"));
    if (status.comp_size > bytes.size() || status.size / kMaxRatio > status.comp_size)
      throw_bad_input(concat(what, "claims ", status.size, " bytes from ", status.comp_size, " in a file of ",
                             bytes.size(), ", more than a zip can hold"));
    // Entries may share their bytes in a hostile file, so that the sum is held to the same bound.
    if (status.size > kMaxNpzBytes - unpacked || (unpacked + status.size) / kMaxRatio > bytes.size())
      throw_bad_input(concat(what, "the arrays claim more than ",
                             std::min<std::uint64_t>(kMaxNpzBytes, bytes.size() * kMaxRatio), " bytes together"));
    unpacked += status.size;
    std::string name(file_name.substr(0, file_name.size() - kNpySuffix.size()));
    if (arrays.contains(name)) throw_bad_input(what + "the zip has it twice");
    try {
      arrays.emplace(std::move(name), read_entry(archive.get(), status));
    } catch (const Error& reason) {
      throw Error(reason.kind(), what + reason.what());
    }
  }
  return arrays;
}

std::int64_t integer_at(const NpzArray& array, std::size_t i) {
  const std::byte* element = array.bytes.data() + i * npy_type_bytes(array.type);
  const auto load = [element]<typename T>(T value) {
    std::memcpy(&value, element, sizeof(T));
    return static_cast<std::int64_t>(value);
  };
  switch (array.type) {
    case NpyType::kI8: return load(std::int8_t{});
    case NpyType::kI16: return load(std::int16_t{});
    case NpyType::kI32: return load(std::int32_t{});
    case NpyType::kI64: return load(std::int64_t{});
    case NpyType::kU8: return load(std::uint8_t{});
    case NpyType::kBool: return load(std::uint8_t{}) != 0 ? 1 : 0;
    case NpyType::kF32:
    case NpyType::kF64: break;
  }
  return 0;
}

bool is_real(NpyType type) { return type == NpyType::kF32 || type == NpyType::kF64; }

// "[2, 0, 7]" of the element at `index` in C order.
std::string position_text(std::size_t index, std::span<const std::int64_t> shape) {
  std::vector<std::string> parts(shape.size());
  for (std::size_t d = shape.size(); d-- > 0;) {
    const auto size = static_cast<std::size_t>(std::max<std::int64_t>(shape[d], 1));
    parts[d] = concat(index % size);
    index /= size;
  }
  return concat("[", join(parts, ", "), "]");
}

template <typename T>
std::vector<T> to_integers(const NpzArray& array, std::string_view name) {
  if (is_real(array.type))
    throw_bad_input(concat("array '", printable(name), "' is ", npy_type_name(array.type), ", expected integers"));
  std::vector<T> values(array.element_count());
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::int64_t value = integer_at(array, i);
    if (value < std::numeric_limits<T>::min() || value > std::numeric_limits<T>::max())
      throw_bad_input(concat("array '", printable(name), "' has ", value, " at ", position_text(i, array.shape),
                             ", expected ", std::int64_t{std::numeric_limits<T>::min()}, " to ",
                             std::int64_t{std::numeric_limits<T>::max()}));
    values[i] = static_cast<T>(value);
  }
  return values;
}

template <typename T>
constexpr NpyType type_of() {
  if constexpr (std::is_same_v<T, float>) return NpyType::kF32;
  if constexpr (std::is_same_v<T, double>) return NpyType::kF64;
  if constexpr (std::is_same_v<T, std::int8_t>) return NpyType::kI8;
  if constexpr (std::is_same_v<T, std::int16_t>) return NpyType::kI16;
  if constexpr (std::is_same_v<T, std::int32_t>) return NpyType::kI32;
  if constexpr (std::is_same_v<T, std::int64_t>) return NpyType::kI64;
  if constexpr (std::is_same_v<T, std::uint8_t>) return NpyType::kU8;
}

void check_shape(const NpzArray& array, std::string_view name) {
  std::size_t count = 1;
  for (const std::int64_t size : array.shape) {
    if (size < 0 || (size > 0 && count > kMaxNpzBytes / static_cast<std::size_t>(size)))
      throw_bad_input(concat("array '", printable(name), "' has shape ", shape_text(array.shape)));
    count *= static_cast<std::size_t>(size);
  }
  if (array.bytes.size() != count * npy_type_bytes(array.type))
    throw_bad_input(concat("array '", printable(name), "' of shape ", shape_text(array.shape), " ",
                           npy_type_name(array.type), " has ", array.bytes.size(), " bytes"));
}

}  // namespace

template <typename T>
NpzArray NpzArray::from(std::vector<std::int64_t> shape, std::span<const T> values) {
  NpzArray array{type_of<T>(), std::move(shape), {}};
  const std::span<const std::byte> bytes = std::as_bytes(values);
  array.bytes.assign(bytes.begin(), bytes.end());
  check_shape(array, "");
  return array;
}
template NpzArray NpzArray::from<float>(std::vector<std::int64_t>, std::span<const float>);
template NpzArray NpzArray::from<double>(std::vector<std::int64_t>, std::span<const double>);
template NpzArray NpzArray::from<std::int8_t>(std::vector<std::int64_t>, std::span<const std::int8_t>);
template NpzArray NpzArray::from<std::int16_t>(std::vector<std::int64_t>, std::span<const std::int16_t>);
template NpzArray NpzArray::from<std::int32_t>(std::vector<std::int64_t>, std::span<const std::int32_t>);
template NpzArray NpzArray::from<std::int64_t>(std::vector<std::int64_t>, std::span<const std::int64_t>);
template NpzArray NpzArray::from<std::uint8_t>(std::vector<std::int64_t>, std::span<const std::uint8_t>);

Npz read_npz_bytes(std::span<const std::byte> bytes) {
  if (!is_npy(bytes)) return read_zip(bytes);
  Npz arrays;
  try {
    arrays.emplace(kBareName, read_bare(bytes));
  } catch (const Error& reason) {
    throw Error(reason.kind(), concat("the .npy array: ", reason.what()));
  }
  return arrays;
}

Npz read_npz(const std::filesystem::path& path) {
  const MappedFile file(path);
  try {
    return read_npz_bytes(file.bytes());
  } catch (const Error& reason) {
    throw Error(reason.kind(), concat(path.string(), ": ", reason.what()));
  }
}

std::string npz_bytes(const Npz& arrays, NpzPacking packing) {
  if (arrays.empty()) throw_failed("there are no arrays to write");
  ZipError error;
  const auto fail = [&error](std::string_view what) {
    throw_failed(concat("the zip cannot be written: ", what, ": ", error.text()));
  };
  const Source buffer(zip_source_buffer_create(nullptr, 0, 0, error.get()));
  if (!buffer) fail("no buffer");
  zip_source_keep(buffer.get());  // it outlives the archive, which takes one reference
  Archive archive(zip_open_from_source(buffer.get(), ZIP_TRUNCATE, error.get()));
  if (!archive) {
    zip_source_free(buffer.get());
    fail("no archive");
  }
  std::vector<std::string> contents;  // must stay until the archive is closed
  contents.reserve(arrays.size());
  for (const auto& [name, array] : arrays) {
    check_shape(array, name);
    std::string& content = contents.emplace_back(npy_header_bytes(array));
    content.append(reinterpret_cast<const char*>(array.bytes.data()), array.bytes.size());
    Source entry(zip_source_buffer(archive.get(), content.data(), content.size(), 0));
    if (!entry) throw_failed(concat("the zip cannot be written: ", zip_strerror(archive.get())));
    const std::string file_name = concat(name, kNpySuffix);
    const zip_int64_t index = zip_file_add(archive.get(), file_name.c_str(), entry.get(), ZIP_FL_ENC_UTF_8);
    if (index < 0)
      throw_failed(concat("array '", printable(name), "' cannot be written: ", zip_strerror(archive.get())));
    static_cast<void>(entry.release());  // the archive owns it now
    const auto entry_index = static_cast<zip_uint64_t>(index);
    const zip_int32_t method = packing == NpzPacking::kDeflated ? ZIP_CM_DEFLATE : ZIP_CM_STORE;
    constexpr zip_uint16_t kNoTime = 0, kFirstDay = 0x21;  // 1980-01-01: the same arrays give the same bytes
    if (zip_set_file_compression(archive.get(), entry_index, method, 0) != 0 ||
        zip_file_set_dostime(archive.get(), entry_index, kNoTime, kFirstDay, 0) != 0)
      throw_failed(concat("array '", printable(name), "' cannot be written: ", zip_strerror(archive.get())));
  }
  if (zip_close(archive.get()) != 0) throw_failed(concat("the zip cannot be written: ", zip_strerror(archive.get())));
  static_cast<void>(archive.release());

  zip_stat_t status;
  zip_stat_init(&status);
  std::string bytes;
  if (zip_source_open(buffer.get()) != 0) throw_failed("the zip cannot be written: its buffer is gone");
  if (zip_source_stat(buffer.get(), &status) == 0) bytes.resize(static_cast<std::size_t>(status.size));
  const zip_int64_t read = zip_source_read(buffer.get(), bytes.data(), bytes.size());
  zip_source_close(buffer.get());
  if (read < 0 || static_cast<std::size_t>(read) != bytes.size())
    throw_failed("the zip cannot be written: its buffer is short");
  return bytes;
}

void write_npz(const std::filesystem::path& path, const Npz& arrays, NpzPacking packing) {
  write_file_atomically(path, npz_bytes(arrays, packing));
}

const NpzArray& npz_array(const Npz& arrays, const std::string& name) {
  const auto found = arrays.find(name);
  if (found != arrays.end()) return found->second;
  std::vector<std::string> names;
  for (const auto& [known, array] : arrays) names.push_back(printable(known));
  throw_bad_input(
      concat("there is no array '", name, "'; the file has: ", names.empty() ? "nothing" : join(names, ", ")));
}

std::vector<float> to_f32(const NpzArray& array, std::string_view name) {
  std::vector<float> values(array.element_count());
  if (array.type == NpyType::kF32) {
    if (!values.empty()) std::memcpy(values.data(), array.bytes.data(), array.bytes.size());
    return values;
  }
  const auto refuse = [&](std::size_t i, auto value) {
    throw_bad_input(concat("array '", printable(name), "' has ", value, " at ", position_text(i, array.shape),
                           ", which a float32 does not hold"));
  };
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (array.type == NpyType::kF64) {
      double wide = 0;
      std::memcpy(&wide, array.bytes.data() + i * sizeof(double), sizeof(double));
      if (std::isfinite(wide) && std::abs(wide) > static_cast<double>(std::numeric_limits<float>::max()))
        refuse(i, wide);
      values[i] = static_cast<float>(wide);
    } else {
      const std::int64_t value = integer_at(array, i);
      values[i] = static_cast<float>(value);
      // A float at 2^63 has no way back to int64; everything below it has.
      if (!(values[i] < 0x1p63f) || static_cast<std::int64_t>(values[i]) != value) refuse(i, value);
    }
  }
  return values;
}

std::vector<std::int32_t> to_i32(const NpzArray& array, std::string_view name) {
  return to_integers<std::int32_t>(array, name);
}
std::vector<std::int8_t> to_i8(const NpzArray& array, std::string_view name) {
  return to_integers<std::int8_t>(array, name);
}

void check_finite(std::span<const float> values, std::span<const std::int64_t> shape, std::string_view name) {
  const auto wrong = std::find_if(values.begin(), values.end(), [](float value) { return !std::isfinite(value); });
  if (wrong == values.end()) return;
  throw_bad_input(concat("array '", printable(name), "' has ", *wrong, " at ",
                         position_text(static_cast<std::size_t>(wrong - values.begin()), shape),
                         ", expected finite values"));
}

}  // namespace quaver
