#include "quaver/files/atomic_file.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <thread>

#include "quaver/core/text.h"
#include "support/files.h"

namespace quaver {
namespace {

using io_test::contains;
using io_test::error_of;
using io_test::read_text;

TEST(AtomicFile, WritesAndReplaces) {
  const io_test::TemporaryFolder folder;
  const auto path = folder.path() / "a b.bin";
  write_file_atomically(path, "first");
  EXPECT_EQ(read_text(path), "first");
  write_file_atomically(path, std::string(100000, 'x'));
  EXPECT_EQ(read_text(path), std::string(100000, 'x'));
  write_file_atomically(path, "");
  EXPECT_EQ(read_text(path), "");
  EXPECT_EQ(folder.file_count(), 1u);
}

TEST(AtomicFile, TakesARelativeNameWithoutFolder) {
  const io_test::TemporaryFolder folder;
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(folder.path());
  write_file_atomically("plain", "text");
  std::filesystem::current_path(before);
  EXPECT_EQ(read_text(folder.path() / "plain"), "text");
}

TEST(AtomicFile, KeepsTheModeOfTheOldFile) {
  const io_test::TemporaryFolder folder;
  const auto path = folder.path() / "file";
  write_file_atomically(path, "1");
  ASSERT_EQ(::chmod(path.c_str(), 0640), 0);
  write_file_atomically(path, "2");
  struct ::stat status {};
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0640u);
}

TEST(AtomicFile, ReplacesWhatALinkPointsAt) {
  const io_test::TemporaryFolder folder;
  write_file_atomically(folder.path() / "file", "1");
  std::filesystem::create_symlink("file", folder.path() / "link");
  write_file_atomically(folder.path() / "link", "2");
  EXPECT_EQ(read_text(folder.path() / "file"), "2");
  EXPECT_TRUE(std::filesystem::is_symlink(folder.path() / "link"));
}

TEST(AtomicFile, AWriterThatFailsLeavesTheOldFile) {
  const io_test::TemporaryFolder folder;
  const auto path = folder.path() / "file";
  write_file_atomically(path, "old");
  const auto write = [](const ByteSink& sink) {
    sink(io_test::bytes_of("half"));
    throw_failed("the other half is missing");
  };
  EXPECT_EQ(error_of([&] { write_file_atomically(path, write); }, ErrorKind::kFailed), "the other half is missing");
  EXPECT_EQ(read_text(path), "old");
  EXPECT_EQ(folder.file_count(), 1u);
}

TEST(AtomicFile, AShortWriteLeavesTheOldFile) {
  const io_test::TemporaryFolder folder;
  const auto path = folder.path() / "file";
  write_file_atomically(path, "old");
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto old_handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{5000, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  const std::string error = error_of([&] { write_file_atomically(path, std::string(20000, 'x')); }, ErrorKind::kFailed);
  ::setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, old_handler);
  EXPECT_TRUE(contains(error, "File too large"));
  EXPECT_TRUE(contains(error, path.string()));
  EXPECT_EQ(read_text(path), "old");
  EXPECT_EQ(folder.file_count(), 1u);
}

TEST(AtomicFile, AFullDiskIsAnError) {
  struct ::stat status {};
  if (::stat("/dev/full", &status) != 0 || !S_ISCHR(status.st_mode)) GTEST_SKIP() << "no /dev/full here";
  const std::string error = error_of([] { write_file_atomically("/dev/full", "text"); }, ErrorKind::kFailed);
  EXPECT_TRUE(contains(error, "No space left on device; free some space"));
  ASSERT_EQ(::stat("/dev/full", &status), 0);
  EXPECT_TRUE(S_ISCHR(status.st_mode)) << "the device must not be replaced by a file";
}

TEST(AtomicFile, AReadOnlyFolderIsAnError) {
  const io_test::TemporaryFolder folder;
  ASSERT_EQ(::chmod(folder.path().c_str(), 0555), 0);
  constexpr uid_t kNobody = 65534;  // permissions do not hold the superuser back
  const bool superuser = ::geteuid() == 0;
  if (superuser) {
    ASSERT_EQ(::seteuid(kNobody), 0);
  }
  const std::string error =
      error_of([&] { write_file_atomically(folder.path() / "file", "text"); }, ErrorKind::kFailed);
  if (superuser) {
    ASSERT_EQ(::seteuid(0), 0);
  }
  ASSERT_EQ(::chmod(folder.path().c_str(), 0755), 0);
  EXPECT_TRUE(contains(error, "Permission denied; choose a folder that can be written"));
  EXPECT_EQ(folder.file_count(), 0u);
}

TEST(AtomicFile, AMissingFolderIsAnError) {
  const io_test::TemporaryFolder folder;
  EXPECT_TRUE(
      contains(error_of([&] { write_file_atomically(folder.path() / "no" / "file", "text"); }, ErrorKind::kFailed),
               "No such file or directory; is"));
  EXPECT_TRUE(
      contains(error_of([&] { write_file_atomically(folder.path(), "text"); }, ErrorKind::kFailed), "Is a directory"));
}

TEST(AtomicFile, ADanglingLinkGetsItsTarget) {
  const io_test::TemporaryFolder folder;
  std::filesystem::create_directory(folder.path() / "there");
  std::filesystem::create_symlink("there/file", folder.path() / "second");
  std::filesystem::create_symlink(folder.path() / "second", folder.path() / "first");
  write_file_atomically(folder.path() / "first", "new");
  EXPECT_EQ(read_text(folder.path() / "there" / "file"), "new");
  EXPECT_TRUE(std::filesystem::is_symlink(folder.path() / "first"));
  EXPECT_TRUE(std::filesystem::is_symlink(folder.path() / "second"));

  std::filesystem::create_symlink("loop", folder.path() / "loop");
  EXPECT_TRUE(contains(error_of([&] { write_file_atomically(folder.path() / "loop", "text"); }, ErrorKind::kFailed),
                       "symbolic links"));
  std::filesystem::create_symlink("nowhere/file", folder.path() / "lost");
  EXPECT_TRUE(contains(error_of([&] { write_file_atomically(folder.path() / "lost", "text"); }, ErrorKind::kFailed),
                       "nowhere\" a folder?"));
}

TEST(AtomicFile, TheLongestNameCanBeWritten) {
  const io_test::TemporaryFolder folder;
  const auto path = folder.path() / std::string(255, 'n');
  write_file_atomically(path, "text");
  EXPECT_EQ(read_text(path), "text");
}

TEST(AtomicFile, TheNextWriterRemovesWhatKilledOnesLeft) {
  const io_test::TemporaryFolder folder;
  const auto leave = [&](const std::string& name) { std::ofstream(folder.path() / name) << "left"; };
  // Also names that the next calls would take themselves: a process number comes again.
  for (int i = 0; i < 80; ++i) leave(concat(".file.", ::getpid(), ".", i, ".tmp"));
  leave(".file.1.0.tmp");
  const std::vector<std::string> others{".file2.1.0.tmp", ".file.notes.tmp", ".file.1.0.2.tmp", ".file..0.tmp",
                                        ".file.1..tmp",   ".file.tmp",       ".file.1.0.tmp~"};
  for (const std::string& name : others) leave(name);
  std::filesystem::create_directory(folder.path() / ".file.2.0.tmp");
  write_file_atomically(folder.path() / "file", "new");
  EXPECT_EQ(read_text(folder.path() / "file"), "new");
  for (const std::string& name : others) EXPECT_TRUE(std::filesystem::exists(folder.path() / name)) << name;
  EXPECT_EQ(folder.file_count(), others.size() + 2);
}

TEST(AtomicFile, TheFileOfALivingWriterStays) {
  const io_test::TemporaryFolder folder;
  const auto path = folder.path() / "file";
  write_file_atomically(path, [&](const ByteSink& sink) {
    sink(io_test::bytes_of("out"));
    write_file_atomically(path, "inner");
    EXPECT_EQ(folder.file_count(), 2u);  // the whole inner file, and the one being written
    sink(io_test::bytes_of("er"));
  });
  EXPECT_EQ(read_text(path), "outer");
  EXPECT_EQ(folder.file_count(), 1u);
}

TEST(AtomicFile, ManyWritersLeaveOneWholeFile) {
  const io_test::TemporaryFolder folder;
  const auto path = folder.path() / "file";
  std::vector<std::thread> threads;
  for (char letter = 'a'; letter < 'e'; ++letter) {
    threads.emplace_back([&path, letter] {
      for (int i = 0; i < 100; ++i) write_file_atomically(path, std::string(10000, letter));
    });
  }
  for (std::thread& thread : threads) thread.join();
  const std::string text = read_text(path);
  EXPECT_EQ(text, std::string(10000, text.at(0)));
  EXPECT_EQ(folder.file_count(), 1u);
}

}  // namespace
}  // namespace quaver
