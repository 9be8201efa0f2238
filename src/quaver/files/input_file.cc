#include "quaver/files/input_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include "quaver/core/error.h"
#include "quaver/core/text.h"

namespace quaver {

InputFile::InputFile(const std::filesystem::path& path) {
  const auto refuse = [&path](const std::string& reason) {
    throw_bad_input(concat("cannot read ", path, ": ", reason));
  };
  const auto system_text = [](int error) { return std::generic_category().message(error); };
  InputFile file;                                                              // closes whatever happens
  file.descriptor_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);  // a pipe must not make us wait
  if (file.descriptor_ < 0) refuse(system_text(errno));
  struct ::stat status {};
  if (::fstat(file.descriptor_, &status) != 0) refuse(system_text(errno));
  if (S_ISDIR(status.st_mode)) refuse(system_text(EISDIR));
  if (!S_ISREG(status.st_mode)) refuse("it is not a regular file");
  file.size_ = static_cast<std::uint64_t>(status.st_size);
  *this = std::move(file);
}

InputFile::InputFile(InputFile&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)), size_(std::exchange(other.size_, 0)) {}

InputFile& InputFile::operator=(InputFile&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  std::swap(size_, other.size_);
  return *this;
}

InputFile::~InputFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void InputFile::read(std::uint64_t offset, std::span<std::byte> target) const {
  while (!target.empty()) {
    constexpr std::size_t kMostAtOnce = std::size_t{1} << 30;  // some systems refuse more than 2^31 - 1
    const std::size_t wanted = std::min(target.size(), kMostAtOnce);
    const ssize_t count = ::pread(descriptor_, target.data(), wanted, static_cast<::off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw_bad_input(concat("cannot be read: ", std::generic_category().message(errno)));
    if (count == 0)
      throw_bad_input(concat("the file ends at byte ", offset, ", but had ", size_,
                             " when it was opened: was it written meanwhile?"));
    offset += static_cast<std::uint64_t>(count);
    target = target.subspan(static_cast<std::size_t>(count));
  }
}

std::string read_file(const std::filesystem::path& path, std::uint64_t limit) {
  const InputFile file(path);
  if (file.size() > limit)
    throw_bad_input(concat(path.string(), ": has ", file.size(), " bytes, expected at most ", limit));
  std::string bytes(static_cast<std::size_t>(file.size()), '\0');
  try {
    file.read(0, std::as_writable_bytes(std::span(bytes)));
  } catch (const Error& error) {
    throw Error(error.kind(), concat(path.string(), ": ", error.what()));
  }
  return bytes;
}

}  // namespace quaver
