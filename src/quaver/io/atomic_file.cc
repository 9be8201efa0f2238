#include "quaver/io/atomic_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <string>
#include <system_error>
#include <utility>

#include "quaver/core/error.h"
#include "quaver/core/text.h"

namespace quaver {
namespace {

constexpr int kNameAttempts = 100;

[[noreturn]] void fail(const std::filesystem::path& path, int error) {
  std::string advice;
  if (error == ENOSPC || error == EDQUOT || error == EFBIG) advice = "; free some space or choose another folder";
  if (error == EACCES || error == EROFS || error == EPERM) advice = "; choose a folder that can be written";
  if ((error == ENOENT || error == ENOTDIR) && path.has_parent_path())
    advice = concat("; is ", path.parent_path(), " a folder?");
  throw_failed(concat("cannot write ", path, ": ", std::generic_category().message(error), advice));
}

class OpenFile {
 public:
  OpenFile(const std::filesystem::path& path, int flags) { open(path, flags); }
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  ~OpenFile() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  void open(const std::filesystem::path& path, int flags) {
    descriptor_ = ::open(path.c_str(), flags | O_CLOEXEC, 0666);
  }
  bool is_open() const { return descriptor_ >= 0; }
  int descriptor() const { return descriptor_; }
  int close() { return ::close(std::exchange(descriptor_, -1)); }

 private:
  int descriptor_ = -1;
};

// Removes the file unless it has been renamed.
class TemporaryName {
 public:
  explicit TemporaryName(std::filesystem::path path) : path_(std::move(path)) {}
  TemporaryName(const TemporaryName&) = delete;
  TemporaryName& operator=(const TemporaryName&) = delete;
  ~TemporaryName() {
    if (!path_.empty()) ::unlink(path_.c_str());
  }
  const std::filesystem::path& path() const { return path_; }
  void keep() { path_.clear(); }

 private:
  std::filesystem::path path_;
};

void write_all(const std::filesystem::path& path, const OpenFile& file, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(file.descriptor(), bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) fail(path, written < 0 ? errno : ENOSPC);
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
}

void close_checked(const std::filesystem::path& path, OpenFile& file) {
  if (file.close() != 0 && errno != EINTR) fail(path, errno);  // some file systems report a full disk only here
}

// Different in every call of every process, so that two writers of one path never share a temporary file.
std::filesystem::path temporary_name(const std::filesystem::path& path) {
  static std::atomic<unsigned> counter{0};
  return path.parent_path() / concat(".", path.filename().string(), ".", ::getpid(), ".", counter++, ".tmp");
}

}  // namespace

void write_file_atomically(const std::filesystem::path& path, const std::function<void(const ByteSink&)>& write) {
  std::error_code ignored;
  std::filesystem::path target = path;
  if (std::filesystem::is_symlink(path, ignored)) {  // replace what the link points at, not the link
    const std::filesystem::path resolved = std::filesystem::canonical(path, ignored);
    if (!resolved.empty()) target = resolved;
  }
  struct ::stat old {};
  const bool exists = ::stat(target.c_str(), &old) == 0;
  if (exists && S_ISDIR(old.st_mode)) fail(path, EISDIR);
  if (exists && !S_ISREG(old.st_mode)) {
    OpenFile file(target, O_WRONLY);
    if (!file.is_open()) fail(path, errno);
    write([&](std::span<const std::byte> bytes) { write_all(path, file, bytes); });
    close_checked(path, file);
    return;
  }

  std::filesystem::path temporary_path = temporary_name(target);
  OpenFile file(temporary_path, O_WRONLY | O_CREAT | O_EXCL);
  // A process that was killed may have had our process number and left its file behind.
  for (int attempt = 0; !file.is_open() && errno == EEXIST && attempt < kNameAttempts; ++attempt) {
    temporary_path = temporary_name(target);
    file.open(temporary_path, O_WRONLY | O_CREAT | O_EXCL);
  }
  if (!file.is_open()) fail(path, errno);
  TemporaryName temporary(temporary_path);
  if (exists && ::fchmod(file.descriptor(), old.st_mode & 07777) != 0) fail(path, errno);
  write([&](std::span<const std::byte> bytes) { write_all(path, file, bytes); });
  if (::fsync(file.descriptor()) != 0) fail(path, errno);
  close_checked(path, file);
  if (::rename(temporary.path().c_str(), target.c_str()) != 0) fail(path, errno);
  temporary.keep();
  // The rename itself is on disk only with its folder. A file system that cannot sync folders (EINVAL) has no need to.
  const std::filesystem::path folder = target.has_parent_path() ? target.parent_path() : ".";
  const OpenFile opened_folder(folder, O_RDONLY | O_DIRECTORY);
  if (opened_folder.is_open() && ::fsync(opened_folder.descriptor()) != 0 && errno != EINVAL) fail(path, errno);
}

void write_file_atomically(const std::filesystem::path& path, std::string_view bytes) {
  write_file_atomically(path, [bytes](const ByteSink& sink) { sink(std::as_bytes(std::span(bytes))); });
}

}  // namespace quaver
