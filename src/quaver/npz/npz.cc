#include "quaver/npz/npz.h"

#include <fcntl.h>
#include <unistd.h>
#include <zip.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <functional>
#include <limits>
#include <memory>
#include <system_error>
#include <type_traits>
#include <utility>

#include "quaver/core/error.h"
#include "quaver/core/printable.h"
#include "quaver/core/text.h"
#include "quaver/files/atomic_file.h"
#include "quaver/files/input_file.h"
#include "quaver/npz/npy_header.h"

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

// Delivers the next bytes of an array, piece by piece.
using Fill = std::function<void(std::span<std::byte>)>;

// Fortran order holds the first index fastest; C order the last. Each element is put into its place as it comes.
void fill_from_fortran_order(const Fill& fill, std::size_t element_bytes, const std::vector<std::int64_t>& shape,
                             std::span<std::byte> target) {
  std::vector<std::size_t> strides(shape.size());  // of the target, in bytes
  std::size_t stride = element_bytes;
  for (std::size_t d = shape.size(); d-- > 0;) {
    strides[d] = stride;
    stride *= static_cast<std::size_t>(shape[d]);
  }
  std::array<std::byte, 1 << 14> block;
  std::vector<std::int64_t> index(shape.size());
  std::size_t place = 0;
  for (std::size_t read = 0; read < target.size();) {
    const std::size_t count = std::min(block.size(), target.size() - read);
    fill(std::span(block).first(count));
    for (std::size_t i = 0; i < count; i += element_bytes) {
      std::memcpy(target.data() + place, block.data() + i, element_bytes);
      for (std::size_t d = 0; d < shape.size(); ++d) {
        place += strides[d];
        if (++index[d] < shape[d]) break;
        place -= strides[d] * static_cast<std::size_t>(shape[d]);
        index[d] = 0;
      }
    }
    read += count;
  }
}

// The header of an array of `size` bytes, when its shape accounts for all of them.
NpyHeader read_header(std::uint64_t size, const Fill& fill) {
  std::vector<std::byte> bytes(static_cast<std::size_t>(std::min<std::uint64_t>(size, kNpyPrefix)));
  fill(bytes);
  const std::size_t read = bytes.size();
  const std::size_t header_size = npy_header_size(bytes);
  if (header_size > size || header_size < read)
    throw_bad_input(concat("its .npy header claims ", header_size, " bytes, but the array has ", size));
  bytes.resize(header_size);
  fill(std::span(bytes).subspan(read));
  NpyHeader header = parse_npy_header(bytes);
  if (header.element_bytes != size - header_size)
    throw_bad_input(concat("its shape ", shape_text(header.shape), " of ", npy_type_name(header.type), " wants ",
                           header.element_bytes, " bytes, found ", size - header_size));
  return header;
}

NpzArray read_elements(NpyHeader header, const Fill& fill) {
  NpzArray array{header.type, std::move(header.shape), {}};
  array.bytes.resize(static_cast<std::size_t>(header.element_bytes));
  if (header.fortran_order && array.shape.size() > 1)
    fill_from_fortran_order(fill, type_bytes(array.type), array.shape, array.bytes);
  else
    fill(array.bytes);
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

// What libzip reads the file through.
Source file_source(const InputFile& input, zip_error_t* error) {
  const int descriptor = ::fcntl(input.descriptor(), F_DUPFD_CLOEXEC, 0);
  std::FILE* file = descriptor < 0 ? nullptr : ::fdopen(descriptor, "rb");
  if (file == nullptr) {
    if (descriptor >= 0) ::close(descriptor);
    throw_failed(concat("cannot be read: ", std::generic_category().message(errno)));
  }
  Source source(zip_source_filep_create(file, 0, static_cast<zip_int64_t>(input.size()), error));
  if (!source) std::fclose(file);
  return source;
}

std::int64_t integer_at(const NpzArray& array, std::size_t i) {
  const std::byte* element = array.bytes.data() + i * type_bytes(array.type);
  const auto load = [element]<typename T>(T value) {
    std::memcpy(&value, element, sizeof(T));
    return static_cast<std::int64_t>(value);
  };
  switch (array.type) {
    case NumberType::kI8: return load(std::int8_t{});
    case NumberType::kI16: return load(std::int16_t{});
    case NumberType::kI32: return load(std::int32_t{});
    case NumberType::kI64: return load(std::int64_t{});
    case NumberType::kU8: return load(std::uint8_t{});
    case NumberType::kBool: return load(std::uint8_t{}) != 0 ? 1 : 0;
    default: return 0;  // reals, which the callers refused
  }
}

bool is_real(NumberType type) { return type == NumberType::kF32 || type == NumberType::kF64; }

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

void check_shape(const NpzArray& array, std::string_view name) {
  constexpr std::size_t kMostElements = std::numeric_limits<std::ptrdiff_t>::max() / sizeof(double);
  std::size_t count = 1;
  for (const std::int64_t size : array.shape) {
    if (size < 0 || (size > 0 && count > kMostElements / static_cast<std::size_t>(size)))
      throw_bad_input(concat("array '", printable(name), "' has shape ", shape_text(array.shape)));
    count *= static_cast<std::size_t>(size);
  }
  if (array.bytes.size() != count * type_bytes(array.type))
    throw_bad_input(concat("array '", printable(name), "' of shape ", shape_text(array.shape), " ",
                           npy_type_name(array.type), " has ", array.bytes.size(), " bytes"));
}

}  // namespace

template <typename T>
NpzArray NpzArray::from(std::vector<std::int64_t> shape, std::span<const T> values) {
  NpzArray array{number_type_of<T>(), std::move(shape), {}};
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

template <typename T>
std::span<const T> NpzArray::as() const {
  if (type != number_type_of<T>())
    throw_bad_input(concat("an array is ", npy_type_name(type), ", expected ", npy_type_name(number_type_of<T>())));
  return {reinterpret_cast<const T*>(bytes.data()), element_count()};
}
template std::span<const float> NpzArray::as<float>() const;
template std::span<const std::int8_t> NpzArray::as<std::int8_t>() const;
template std::span<const std::int32_t> NpzArray::as<std::int32_t>() const;
template std::span<const std::int64_t> NpzArray::as<std::int64_t>() const;

// A zip with its entries by name, or the bytes of a bare .npy.
struct NpzFile::Contents {
  struct Place {
    zip_uint64_t index = 0;  // in the zip
    std::uint64_t size = 0;  // unpacked, with the header
  };

  Contents(std::uint64_t size_of_file, std::function<void(std::uint64_t, std::span<std::byte>)> read_at,
           const std::function<Source(zip_error_t*)>& make_source)
      : file_size(size_of_file), read(std::move(read_at)) {
    if (file_size == 0) throw_bad_input("the file is empty, expected an .npz or .npy file");
    std::vector<std::byte> prefix(static_cast<std::size_t>(std::min<std::uint64_t>(file_size, kNpyPrefix)));
    read(0, prefix);
    if (is_npy(prefix)) {
      names = {std::string(kBareName)};
      places[names[0]] = {0, file_size};
      return;
    }
    ZipError error;
    Source source = make_source(error.get());
    if (!source) throw_bad_input(concat("the zip cannot be read: ", error.text()));
    archive.reset(zip_open_from_source(source.get(), ZIP_RDONLY, error.get()));
    if (!archive) throw_bad_input(concat("neither an .npz (zip: ", error.text(), ") nor an .npy file"));
    static_cast<void>(source.release());  // the archive owns it now
    const zip_int64_t count = zip_get_num_entries(archive.get(), 0);
    for (zip_int64_t i = 0; i < count; ++i) add_entry(static_cast<zip_uint64_t>(i));
  }

  void add_entry(zip_uint64_t index) {
    const zip_stat_t status = checked_status(archive.get(), index);
    const std::string_view file_name = status.name;
    const std::string what = concat("array '", printable(file_name), "': ");
    if (!file_name.ends_with(kNpySuffix))
      throw_bad_input(concat("zip entry '", printable(file_name), "' is no .npy array; an .npz holds nothing else"));
    if (status.comp_method != ZIP_CM_STORE && status.comp_method != ZIP_CM_DEFLATE)
      throw_bad_input(concat(what, "compression method ", status.comp_method, ", expected stored or deflated"));
    if (status.comp_size > file_size || status.size / kMaxRatio > status.comp_size)
      throw_bad_input(concat(what, "claims ", status.size, " bytes from ", status.comp_size, " in a file of ",
                             file_size, ", more than a zip can hold"));
    std::string name(file_name.substr(0, file_name.size() - kNpySuffix.size()));
    if (!places.emplace(name, Place{index, status.size}).second) throw_bad_input(what + "the zip has it twice");
    names.push_back(std::move(name));
  }

  const Place& place(const std::string& name) const {
    const auto found = places.find(name);
    if (found != places.end()) return found->second;
    std::vector<std::string> shown;
    for (const std::string& known : names) shown.push_back(printable(known));
    throw_bad_input(concat("there is no array '", printable(name),
                           "'; the file has: ", shown.empty() ? "nothing" : join(shown, ", ")));
  }

  // Calls `take` with what delivers the bytes of the array from its header on, and closes them behind it.
  template <typename Take>
  auto with_bytes(const std::string& name, const Take& take) {
    const Place& at = place(name);
    try {
      if (!archive) {
        std::uint64_t offset = 0;
        return take(at.size, [&](std::span<std::byte> target) {
          read(offset, target);
          offset += target.size();
        });
      }
      const Entry entry(zip_fopen_index(archive.get(), at.index, 0));
      if (!entry) throw_bad_input(concat("the zip entry cannot be opened: ", printable(zip_strerror(archive.get()))));
      const auto read_some = [&](std::span<std::byte> target) {
        const zip_int64_t count = zip_fread(entry.get(), target.data(), target.size());
        if (count < 0) throw_bad_input(concat("the zip entry is damaged: ", printable(zip_file_strerror(entry.get()))));
        return static_cast<std::size_t>(count);
      };
      std::uint64_t left = at.size;
      return take(at.size, [&](std::span<std::byte> target) {
        left -= target.size();
        while (!target.empty()) {
          const std::size_t count = read_some(target);
          if (count == 0) throw_bad_input("the zip entry ends before the size that it claims");
          target = target.subspan(count);
        }
        std::byte beyond{};  // the checksum is compared when the end is read
        if (left == 0 && read_some(std::span(&beyond, 1)) > 0)
          throw_bad_input("the zip entry goes on beyond the size that it claims");
      });
    } catch (const Error& reason) {
      throw Error(reason.kind(), concat("array '", printable(name), archive ? kNpySuffix : "", "': ", reason.what()));
    }
  }

  std::uint64_t file_size;
  std::function<void(std::uint64_t, std::span<std::byte>)> read;
  Archive archive;  // none: a bare .npy
  std::vector<std::string> names;
  std::map<std::string, Place> places;
};

NpzFile::NpzFile(std::unique_ptr<Contents> contents) : contents_(std::move(contents)) {}
NpzFile::NpzFile(NpzFile&&) noexcept = default;
NpzFile& NpzFile::operator=(NpzFile&&) noexcept = default;
NpzFile::~NpzFile() = default;

NpzFile NpzFile::open(const std::filesystem::path& path) {
  const auto input = std::make_shared<const InputFile>(path);
  try {
    return NpzFile(std::make_unique<Contents>(
        input->size(), [input](std::uint64_t offset, std::span<std::byte> target) { input->read(offset, target); },
        [&input](zip_error_t* error) { return file_source(*input, error); }));
  } catch (const Error& error) {
    throw Error(error.kind(), concat(path.string(), ": ", error.what()));
  }
}

NpzFile NpzFile::parse(std::span<const std::byte> bytes) {
  return NpzFile(std::make_unique<Contents>(
      bytes.size(),
      [bytes](std::uint64_t offset, std::span<std::byte> target) {
        std::ranges::copy(bytes.subspan(static_cast<std::size_t>(offset), target.size()), target.begin());
      },
      [bytes](zip_error_t* error) { return Source(zip_source_buffer_create(bytes.data(), bytes.size(), 0, error)); }));
}

const std::vector<std::string>& NpzFile::names() const { return contents_->names; }
bool NpzFile::contains(const std::string& name) const { return contents_->places.contains(name); }

NpzHeader NpzFile::header(const std::string& name) {
  return contents_->with_bytes(name, [](std::uint64_t size, const Fill& fill) {
    NpyHeader header = read_header(size, fill);
    return NpzHeader{header.type, std::move(header.shape), header.element_bytes};
  });
}

NpzArray NpzFile::read(const std::string& name, std::uint64_t max_bytes) {
  return contents_->with_bytes(name, [max_bytes](std::uint64_t size, const Fill& fill) {
    NpyHeader header = read_header(size, fill);
    require_memory("has", header.element_bytes, max_bytes);
    return read_elements(std::move(header), fill);
  });
}

Npz NpzFile::read_all(std::uint64_t max_bytes) {
  std::uint64_t sum = 0;
  for (const auto& [name, place] : contents_->places) {
    sum += place.size;
    // Entries may share their bytes in a hostile file, so that the sum is held to the same bound as each.
    if (sum / kMaxRatio > contents_->file_size)
      throw_bad_input(concat("array '", printable(name), "': the arrays claim more bytes together than a zip of ",
                             contents_->file_size, " bytes can hold"));
    require_memory("the arrays have", sum, max_bytes);
  }
  Npz arrays;
  for (const std::string& name : names()) arrays.emplace(name, read(name, max_bytes));
  return arrays;
}

Npz read_npz_bytes(std::span<const std::byte> bytes, std::uint64_t max_bytes) {
  return NpzFile::parse(bytes).read_all(max_bytes);
}

Npz read_npz(const std::filesystem::path& path, std::uint64_t max_bytes) {
  NpzFile file = NpzFile::open(path);
  try {
    return file.read_all(max_bytes);
  } catch (const Error& error) {
    throw Error(error.kind(), concat(path.string(), ": ", error.what()));
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
  if (array.type == NumberType::kF32) {
    if (!values.empty()) std::memcpy(values.data(), array.bytes.data(), array.bytes.size());
    return values;
  }
  const auto refuse = [&](std::size_t i, auto value) {
    throw_bad_input(concat("array '", printable(name), "' has ", value, " at ", position_text(i, array.shape),
                           ", which a float32 does not hold"));
  };
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (array.type == NumberType::kF64) {
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
