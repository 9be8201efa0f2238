#include "quaver/files/atomic_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "quaver/core/error.h"
#include "quaver/core/text.h"

namespace quaver {
namespace {

constexpr int kNameAttempts = 100;

std::filesystem::path folder_of(const std::filesystem::path& path) {
  return path.has_parent_path() ? path.parent_path() : ".";
}

// target: what `path` leads to.
[[noreturn]] void fail(const std::filesystem::path& path, int error, const std::filesystem::path& target) {
  std::string advice;
  if (error == ENOSPC || error == EDQUOT || error == EFBIG) advice = "; free some space or choose another folder";
  if (error == EACCES || error == EROFS || error == EPERM) advice = "; choose a folder that can be written";
  if ((error == ENOENT || error == ENOTDIR) && target.has_parent_path())
    advice = concat("; is ", target.parent_path(), " a folder?");
  throw_failed(concat("cannot write ", path, ": ", std::generic_category().message(error), advice));
}

class OpenFile {
 public:
  OpenFile() = default;
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
    if (written <= 0) fail(path, written < 0 ? errno : ENOSPC, path);
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
}

// ".NAME.PID.N.tmp" beside the target, N different in every call: two writers of one path never share a file. A long
// name is cut, so that whatever is a name for the target has one for its temporary file.
std::string temporary_prefix(const std::filesystem::path& target) {
  constexpr std::size_t kLongest = 200;  // of 255 bytes, which leaves room for the numbers
  return concat(".", target.filename().string().substr(0, kLongest), ".");
}

constexpr std::string_view kTemporarySuffix = ".tmp";

std::filesystem::path temporary_name(const std::filesystem::path& target) {
  static std::atomic<unsigned> counter{0};
  return target.parent_path() / concat(temporary_prefix(target), ::getpid(), ".", counter++, kTemporarySuffix);
}

bool is_temporary_name(const std::string& name, const std::string& prefix) {
  if (!name.starts_with(prefix) || !name.ends_with(kTemporarySuffix)) return false;
  if (name.size() < prefix.size() + kTemporarySuffix.size()) return false;
  const std::string numbers = name.substr(prefix.size(), name.size() - prefix.size() - kTemporarySuffix.size());
  const std::size_t dot = numbers.find('.');
  return dot != 0 && dot + 1 < numbers.size() && std::ranges::count(numbers, '.') == 1 &&
         numbers.find_first_not_of(".0123456789") == std::string::npos;
}

bool is_still_named(const OpenFile& file, const std::filesystem::path& path) {
  struct ::stat opened {
  }, named{};
  return ::fstat(file.descriptor(), &opened) == 0 && ::lstat(path.c_str(), &named) == 0 &&
         opened.st_dev == named.st_dev && opened.st_ino == named.st_ino;
}

// Removes what writers of this target left that were killed: a living one holds the lock of its temporary file. The
// lock is held while the name goes, so that a writer who comes between making its file and locking it finds out.
void remove_abandoned(const std::filesystem::path& target) {
  const std::string prefix = temporary_prefix(target);
  std::error_code ignored;
  for (std::filesystem::directory_iterator entry(folder_of(target), ignored), end; !ignored && entry != end;
       entry.increment(ignored)) {
    if (!is_temporary_name(entry->path().filename().string(), prefix)) continue;
    const OpenFile file(entry->path(), O_RDWR | O_NOFOLLOW | O_NONBLOCK);
    if (!file.is_open() || ::flock(file.descriptor(), LOCK_EX | LOCK_NB) != 0) continue;
    if (is_still_named(file, entry->path())) ::unlink(entry->path().c_str());
  }
}

// A new temporary file, locked until it is closed.
std::filesystem::path make_temporary(const std::filesystem::path& path, const std::filesystem::path& target,
                                     OpenFile& file) {
  for (int attempt = 0; attempt < kNameAttempts; ++attempt) {
    std::filesystem::path name = temporary_name(target);
    file.open(name, O_WRONLY | O_CREAT | O_EXCL);
    // A process that was killed may have had our process number and left its file behind, in use by nobody.
    if (!file.is_open() && errno == EEXIST) continue;
    if (!file.is_open()) fail(path, errno, target);
    // Where a file system has no locks nothing can be taken away from us either.
    if (::flock(file.descriptor(), LOCK_EX) != 0 || is_still_named(file, name)) return name;
    file.close();
  }
  fail(path, EEXIST, target);
}

// What a write to `path` reaches: the end of a chain of links, where there may be nothing yet.
std::filesystem::path target_of(const std::filesystem::path& path) {
  std::filesystem::path target = path;
  std::error_code ignored;
  constexpr int kMostLinks = 40;  // as the system follows
  for (int links = 0; std::filesystem::is_symlink(std::filesystem::symlink_status(target, ignored)); ++links) {
    if (links == kMostLinks) fail(path, ELOOP, path);
    target = target.parent_path() / std::filesystem::read_symlink(target, ignored);
  }
  return target;
}

}  // namespace

void write_file_atomically(const std::filesystem::path& path, const std::function<void(const ByteSink&)>& write) {
  struct ::stat old {};
  const bool exists = ::stat(path.c_str(), &old) == 0;
  if (exists && S_ISDIR(old.st_mode)) fail(path, EISDIR, path);
  if (exists && !S_ISREG(old.st_mode)) {
    OpenFile file(path, O_WRONLY);
    if (!file.is_open()) fail(path, errno, path);
    write([&](std::span<const std::byte> bytes) { write_all(path, file, bytes); });
    if (file.close() != 0 && errno != EINTR) fail(path, errno, path);
    return;
  }

  const std::filesystem::path target = target_of(path);  // replaced is what a link points at, not the link
  remove_abandoned(target);
  OpenFile file;
  TemporaryName temporary(make_temporary(path, target, file));
  if (exists && ::fchmod(file.descriptor(), old.st_mode & 07777) != 0) fail(path, errno, target);
  write([&](std::span<const std::byte> bytes) { write_all(path, file, bytes); });
  if (::fsync(file.descriptor()) != 0) fail(path, errno, target);
  // Some file systems report a full disk only when a file is closed; the lock stays with the other descriptor.
  const int copy = ::dup(file.descriptor());
  if (copy < 0 || (::close(copy) != 0 && errno != EINTR)) fail(path, errno, target);
  if (::rename(temporary.path().c_str(), target.c_str()) != 0) fail(path, errno, target);
  temporary.keep();
  // The rename itself is on disk only with its folder. A file system that cannot sync folders (EINVAL) has no need to.
  const OpenFile folder(folder_of(target), O_RDONLY | O_DIRECTORY);
  if (folder.is_open() && ::fsync(folder.descriptor()) != 0 && errno != EINVAL) fail(path, errno, target);
}

void write_file_atomically(const std::filesystem::path& path, std::string_view bytes) {
  write_file_atomically(path, [bytes](const ByteSink& sink) { sink(std::as_bytes(std::span(bytes))); });
}

}  // namespace quaver
