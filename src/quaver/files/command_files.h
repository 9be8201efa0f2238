// command_files.h - the files that one command reads and writes, looked at before any work: an hour of it must not end
// in a name that cannot be written, nor over a file that it came from.
#pragma once

#include <filesystem>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

namespace quaver {

class CommandFiles {
 public:
  // flag: as it was typed, "MODEL" for an argument. An empty path stands for a flag that was not given. Of a folder
  // every file in it is read.
  void reads(const std::string& flag, const std::filesystem::path& path);
  void writes(const std::string& flag, const std::filesystem::path& path);
  // The same of what programs open again by its name, as models and checkpoints: neither a device nor a pipe.
  void writes_file(const std::string& flag, const std::filesystem::path& path);
  // Derived files are NAME followed by each suffix.
  void writes(const std::string& flag, const std::filesystem::path& name, std::initializer_list<const char*> suffixes);
  // What `flag` writes may be what `input` reads: writing is atomic, and the same thing in a newer form.
  void may_replace(const std::string& flag, const std::string& input);

  // Error (usage) for a name that is no UTF-8 (it goes into provenance and JSON), or when an output is an input or
  // another output, whatever the two are called: through links, hard links and other ways to the same folder; for a
  // device or a pipe where a file is written. Error (failed) when an output cannot be written: no folder, a folder of
  // that name, no permission, a name that is too long. Devices and pipes may be named twice: nothing of theirs is
  // replaced.
  void check() const;

 private:
  struct File {
    std::string flag;
    std::filesystem::path path;
    bool must_be_file = false;
  };
  bool allowed(const File& output, const File& input) const;

  std::vector<File> inputs_, outputs_;
  std::vector<std::pair<std::string, std::string>> replaceable_;
};

}  // namespace quaver
