#include "quaver/files/command_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <utility>

#include "quaver/core/error.h"
#include "quaver/core/printable.h"
#include "quaver/core/text.h"

namespace quaver {
namespace {

namespace fs = std::filesystem;

struct Place {
  fs::path path;                                // without links, as far as there are files
  std::optional<std::pair<dev_t, ino_t>> file;  // of what lies there
  bool regular = true;                          // or nothing yet
  bool folder = false;
};

// The end of a chain of links, whether something is there or not.
fs::path behind_links(const fs::path& path) {
  constexpr int kMostLinks = 40;  // as the system follows; a circle is found when the file is opened
  fs::path target = path;
  std::error_code failure;
  for (int links = 0; links < kMostLinks && fs::is_symlink(fs::symlink_status(target, failure)); ++links) {
    const fs::path next = fs::read_symlink(target, failure);
    target = next.is_absolute() ? next : target.parent_path() / next;
  }
  return target;
}

Place place_of(const fs::path& path) {
  Place place;
  std::error_code failure;
  const fs::path target = fs::absolute(behind_links(path), failure);
  place.path = fs::weakly_canonical(target, failure);
  if (failure || place.path.empty()) place.path = target.lexically_normal();
  struct ::stat found {};
  if (::stat(path.c_str(), &found) == 0) {
    place.file = {found.st_dev, found.st_ino};
    place.folder = S_ISDIR(found.st_mode);
    place.regular = S_ISREG(found.st_mode) || place.folder;
  }
  return place;
}

// The file in this folder, at any depth, that is this one; nothing when there is none. Links to folders are not
// followed, as readers of folders do not.
std::optional<fs::path> found_in(const fs::path& folder, const Place& wanted) {
  std::error_code failure;
  for (fs::recursive_directory_iterator entry(folder, failure), end; !failure && entry != end;
       entry.increment(failure)) {
    struct ::stat found {};
    if (::stat(entry->path().c_str(), &found) == 0 && wanted.file == std::pair(found.st_dev, found.st_ino))
      return entry->path();
  }
  return std::nullopt;
}

bool same(const Place& a, const Place& b) { return a.path == b.path || (a.file && b.file && *a.file == *b.file); }

void require_writable(const std::string& flag, const fs::path& path) {
  const auto refuse = [&](const std::string& why) { throw_failed(concat(flag, " ", path.string(), ": ", why)); };
  struct ::stat found {};
  if (::stat(path.c_str(), &found) != 0) {
    if (errno == ELOOP) refuse(std::strerror(ELOOP));
    if (errno == ENAMETOOLONG) refuse(concat("this name of ", path.filename().string().size(), " bytes is too long"));
  }
  const Place place = place_of(path);
  if (place.folder) refuse("this is a folder, expected the name of a file");
  if (!place.regular) {
    if (::access(path.c_str(), W_OK) != 0) refuse(concat("can not be written: ", std::strerror(errno)));
    return;
  }
  if (!place.path.has_filename()) refuse("expected the name of a file");
  const fs::path folder = place.path.parent_path();
  std::error_code failure;
  if (!fs::is_directory(folder, failure))
    refuse(concat("'", path.has_parent_path() ? path.parent_path().string() : folder.string(),
                  "' is no folder; make it first"));
    // Only an attempt knows: permissions, read-only mounts and folders that are no real ones all look different. Where
    // the system has files without a name a writer that is killed leaves none.
#ifdef O_TMPFILE
  if (const int unnamed = ::open(folder.c_str(), O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600); unnamed >= 0) {
    ::close(unnamed);
    return;
  }
#endif
  std::string probe = (folder / ".quaver_probe_XXXXXX").string();
  const int file = ::mkstemp(probe.data());
  if (file < 0) refuse(concat("can not write into folder '", folder.string(), "': ", std::strerror(errno)));
  ::close(file);
  ::unlink(probe.c_str());
}

}  // namespace

void CommandFiles::reads(const std::string& flag, const fs::path& path) {
  if (!path.empty()) inputs_.push_back({flag, path, false});
}

void CommandFiles::writes(const std::string& flag, const fs::path& path) { writes(flag, path, {""}); }

void CommandFiles::writes_file(const std::string& flag, const fs::path& path) {
  if (!path.empty()) outputs_.push_back({flag, path, true});
}

void CommandFiles::writes(const std::string& flag, const fs::path& name, std::initializer_list<const char*> suffixes) {
  if (name.empty()) return;
  for (const char* suffix : suffixes) outputs_.push_back({flag, name.string() + suffix, false});
}

void CommandFiles::may_replace(const std::string& flag, const std::string& input) {
  replaceable_.emplace_back(flag, input);
}

bool CommandFiles::allowed(const File& output, const File& input) const {
  return std::ranges::find(replaceable_, std::pair(output.flag, input.flag)) != replaceable_.end();
}

void CommandFiles::check() const {
  for (const File& output : outputs_)
    if (!is_utf8(output.path.string()))
      throw_usage(concat(output.flag, " ", printable(output.path.string()),
                         ": this name is no UTF-8, which the files that are written would name it in; choose another"));
  std::vector<Place> inputs, outputs;
  for (const File& input : inputs_) inputs.push_back(place_of(input.path));
  for (std::size_t i = 0; i < outputs_.size(); ++i) {
    const File& output = outputs_[i];
    outputs.push_back(place_of(output.path));
    if (!outputs[i].regular && output.must_be_file)
      throw_usage(concat(output.flag, " ", output.path.string(),
                         ": this is a device or a pipe, expected the name of a file; choose another name"));
    if (!outputs[i].regular) continue;
    const auto refuse = [&](const File& other, const fs::path& lost, const char* does) {
      throw_usage(concat(output.flag, " ", output.path.string(), " is the file that ", other.flag, " ", does,
                         lost == output.path ? "" : concat(" (", lost.string(), ")"),
                         ": it would be lost; choose another name"));
    };
    for (std::size_t j = 0; j < inputs.size(); ++j) {
      if (allowed(output, inputs_[j])) continue;
      if (same(outputs[i], inputs[j]) && !inputs[j].folder) refuse(inputs_[j], inputs_[j].path, "reads");
      if (!inputs[j].folder || !outputs[i].file || outputs[i].folder) continue;
      if (const std::optional<fs::path> lost = found_in(inputs_[j].path, outputs[i]))
        refuse(inputs_[j], *lost, "reads");
    }
    for (std::size_t j = 0; j < i; ++j)
      if (same(outputs[i], outputs[j])) refuse(outputs_[j], outputs_[j].path, "writes");
  }
  for (const File& output : outputs_) require_writable(output.flag, output.path);
}

}  // namespace quaver
