// atomic_file.h - whole files or nothing: a kill or a full disk at any moment leaves the old file or the new one.
//
// The bytes go to a temporary file in the same folder, are forced to disk, and take the name in one rename. On any
// failure the temporary file is removed and Error (kFailed) names the path, what the system said and what to do. A
// writer that is killed leaves its temporary file, ".NAME.PID.N.tmp"; the next writer of the same target removes it,
// which a lock (flock) tells from the file of one that lives. A link stays, and what it leads to is replaced or made.
// A target that is no regular file (a pipe, /dev/stdout) cannot be renamed onto and is written straight.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <span>
#include <string_view>

namespace quaver {

using ByteSink = std::function<void(std::span<const std::byte>)>;

// `write` hands its bytes to the sink, in order, in pieces of any size. What it throws ends the attempt.
void write_file_atomically(const std::filesystem::path& path, const std::function<void(const ByteSink&)>& write);
void write_file_atomically(const std::filesystem::path& path, std::string_view bytes);

}  // namespace quaver
