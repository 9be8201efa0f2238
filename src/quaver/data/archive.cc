#include "quaver/data/archive.h"

#include <archive.h>
#include <archive_entry.h>

#include <array>
#include <memory>
#include <utility>

#include "quaver/core/error.h"
#include "quaver/core/text.h"

namespace quaver {
namespace {

struct FreeArchive {
  void operator()(archive* reader) const { archive_read_free(reader); }
};

class Reader {
 public:
  explicit Reader(const std::filesystem::path& path) : path_(path), reader_(archive_read_new()) {
    if (reader_ == nullptr) throw_failed(concat(path.string(), ": no memory to read it"));
    // Only what the data sets come in: other filters of libarchive start programs when a file asks for them.
    require(archive_read_support_filter_xz(reader_.get()));
    require(archive_read_support_format_tar(reader_.get()));
    // Reads on behind the end mark of the tar to the end of the file: only there stands the checksum of the last block.
    require(archive_read_set_format_option(reader_.get(), "tar", "read_concatenated_archives", "1"));
    constexpr std::size_t kBlock = 1 << 16;
    require(archive_read_open_filename(reader_.get(), path.c_str(), kBlock));
  }

  // The next entry, or null at the end.
  archive_entry* next() {
    archive_entry* entry = nullptr;
    const int status = archive_read_next_header(reader_.get(), &entry);
    if (status == ARCHIVE_EOF) return nullptr;
    require(status);
    return entry;
  }

  std::string contents(const std::string& name, std::size_t largest) {
    std::string contents;
    std::array<char, 1 << 16> block;
    for (;;) {
      const la_ssize_t count = archive_read_data(reader_.get(), block.data(), block.size());
      if (count < 0) require(static_cast<int>(count));
      if (count <= 0) return contents;
      contents.append(block.data(), static_cast<std::size_t>(count));
      if (contents.size() > largest) {
        throw_bad_input(
            concat(path_.string(), ": '", name, "' is larger than the ", largest, " bytes that such a file may have"));
      }
    }
  }

 private:
  void require(int status) const {
    if (status >= ARCHIVE_WARN) return;  // a warning is about attributes and character sets, not about contents
    const char* reason = archive_error_string(reader_.get());
    throw_bad_input(concat(path_.string(), ": not a readable .tar.xz archive (",
                           reason == nullptr ? "no reason given" : reason,
                           "); it may be damaged or cut off: copy it again"));
  }

  std::filesystem::path path_;
  std::unique_ptr<archive, FreeArchive> reader_;
};

}  // namespace

void read_archive(const std::filesystem::path& path, const ArchiveVisitor& visitor) {
  Reader reader(path);
  std::uint64_t taken = 0;
  while (archive_entry* entry = reader.next()) {
    const char* name = archive_entry_pathname(entry);
    if (name == nullptr || archive_entry_filetype(entry) != AE_IFREG) continue;
    const std::string copied_name = name;  // the entry forgets it when its contents are read
    if (!visitor.wants(copied_name)) continue;
    std::string contents = reader.contents(copied_name, visitor.largest_file);
    taken += contents.size();
    require_memory(concat(path.string(), ": the files up to '", copied_name, "' have"), taken, visitor.max_memory);
    visitor.take(copied_name, std::move(contents));
  }
}

}  // namespace quaver
