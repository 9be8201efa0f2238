#include "quaver/data/archive.h"

#include <gtest/gtest.h>

#include "quaver/core/random.h"
#include "quaver/data/test_support.h"

namespace quaver {
namespace {

using Files = std::map<std::string, std::string>;

Files sample_files() {
  Random random(1);
  std::string noise(300, '\0');
  for (char& byte : noise) byte = static_cast<char>(random.below(256));
  return {{"folder/a.bin", noise}, {"folder/b.txt", "two lines\nof text\n"}, {"folder/empty", ""}};
}

Files read_all(const std::filesystem::path& path) {
  Files files;
  read_archive(path, {.largest_file = 1 << 20,
                      .wants = [](const std::string&) { return true; },
                      .take = [&](const std::string& name, std::string bytes) { files[name] = std::move(bytes); }});
  return files;
}

TEST(Archive, GivesBackItsFiles) {
  const TemporaryFolder folder;
  write_archive(folder.path() / "x.tar.xz", sample_files());
  EXPECT_EQ(read_all(folder.path() / "x.tar.xz"), sample_files());
}

TEST(Archive, GivesOnlyWhatIsWanted) {
  const TemporaryFolder folder;
  write_archive(folder.path() / "x.tar.xz", sample_files());
  Files files;
  read_archive(folder.path() / "x.tar.xz",
               {.largest_file = 100,
                .wants = [](const std::string& name) { return name.ends_with(".txt"); },
                .take = [&](const std::string& name, std::string bytes) { files[name] = std::move(bytes); }});
  EXPECT_EQ(files, (Files{{"folder/b.txt", "two lines\nof text\n"}}));
}

TEST(Archive, RefusesAFileLargerThanAllowed) {
  const TemporaryFolder folder;
  write_archive(folder.path() / "x.tar.xz", {{"zeros", std::string(1 << 21, '\0')}});
  const Error error = expect_error(ErrorKind::kBadInput, [&] { read_all(folder.path() / "x.tar.xz"); });
  EXPECT_TRUE(says(error, "'zeros' is larger than the 1048576 bytes"));
}

TEST(Archive, RefusesMoreThanTheMemoryAllowed) {
  const TemporaryFolder folder;
  write_archive(folder.path() / "x.tar.xz", {{"a", std::string(600, '\0')}, {"b", std::string(600, '\0')}});
  const auto read = [&](std::uint64_t max_memory) {
    read_archive(folder.path() / "x.tar.xz", {.largest_file = 1000,
                                              .max_memory = max_memory,
                                              .wants = [](const std::string&) { return true; },
                                              .take = [](const std::string&, const std::string&) {}});
  };
  read(1200);
  const Error error = expect_error(ErrorKind::kBadInput, [&] { read(1199); });
  EXPECT_TRUE(says(error, "1200 bytes once decoded, more than the limit of 1199"));
}

// xz keeps a checksum of all it holds: no damaged bit may pass, also where no wanted file lies.
TEST(Archive, EveryDamagedByteIsNoticed) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "x.tar.xz";
  write_archive(path, sample_files());
  const std::string good = read_file(path);
  for (std::size_t at = 0; at < good.size(); ++at) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 0x10);
    write_file(path, bad);
    try {
      read_all(path);
      ADD_FAILURE() << "byte " << at << " of " << good.size() << " was damaged and nothing was said";
    } catch (const Error& error) {
      ASSERT_EQ(error.kind(), ErrorKind::kBadInput) << error.what();
      ASSERT_TRUE(says(error, path.string() + ": not a readable .tar.xz archive"));
    }
  }
}

// libarchive unpacks 64 KiB at a time and would stop at the end mark of the tar. Here that falls on such a border (320
// KiB in all), so that the checksum, which lies behind it, is read only by a reader that asks for more.
TEST(Archive, DamageBehindTheEndMarkIsNoticed) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "x.tar.xz";
  constexpr std::size_t kHeaders = 2 * 512, kEndMark = 2 * 512;
  write_archive(path, {{"zeros", std::string((5 << 16) - kHeaders - kEndMark, '\0')}});
  const std::string good = read_file(path);
  EXPECT_EQ(read_all(path).size(), 1u);
  for (std::size_t from_end = 1; from_end <= 40; ++from_end) {
    std::string bad = good;
    bad[bad.size() - from_end] = static_cast<char>(bad[bad.size() - from_end] ^ 0x10);
    write_file(path, bad);
    expect_error(ErrorKind::kBadInput, [&] { read_all(path); });
  }
}

TEST(Archive, EveryTruncationIsNoticed) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "x.tar.xz";
  write_archive(path, sample_files());
  const std::string good = read_file(path);
  for (std::size_t size = 0; size < good.size(); size += 7) {
    write_file(path, good.substr(0, size));
    expect_error(ErrorKind::kBadInput, [&] { read_all(path); });
  }
}

TEST(Archive, RefusesWhatIsNone) {
  const TemporaryFolder folder;
  write_file(folder.path() / "x.tar.xz", "<html>404 not found</html>");
  expect_error(ErrorKind::kBadInput, [&] { read_all(folder.path() / "x.tar.xz"); });
  expect_error(ErrorKind::kBadInput, [&] { read_all(folder.path() / "absent.tar.xz"); });
}

}  // namespace
}  // namespace quaver
