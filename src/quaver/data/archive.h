// archive.h - reads the files of a .tar.xz in memory, without unpacking it to disk. Internal to this floor.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "quaver/core/memory_limit.h"

namespace quaver {

struct ArchiveVisitor {
  std::size_t largest_file = 0;                          // bytes; a larger wanted file is an error, not an allocation
  std::uint64_t max_memory = kDefaultMaxMemory;          // bytes of all wanted files together; more is an error
  std::function<bool(const std::string& name)> wants{};  // asked for each regular file
  std::function<void(const std::string& name, std::string contents)> take{};  // called with each wanted file, in order
};

// Error (bad input) naming the archive when it is damaged, truncated or no archive. All of it is read and its checksums
// verified, also behind the last wanted file: an archive that is damaged anywhere is refused whatever is asked from it.
void read_archive(const std::filesystem::path& path, const ArchiveVisitor& visitor);

}  // namespace quaver
