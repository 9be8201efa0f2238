#include "quaver/core/huge_pages.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <fstream>
#include <sstream>
#include <string>

#include "quaver/core/aligned.h"

namespace quaver {
namespace {

// Of AnonHugePages, in all mappings that reach into the bytes; the system's word beside that of the call.
std::size_t huge_bytes_around(std::span<const std::byte> bytes) {
  const auto begin = reinterpret_cast<std::uintptr_t>(bytes.data()), end = begin + bytes.size();
  std::ifstream smaps("/proc/self/smaps");
  std::size_t found = 0;
  bool inside = false;
  for (std::string line; std::getline(smaps, line);) {
    std::istringstream words(line);
    std::uintptr_t first = 0, last = 0;
    char dash = 0;
    if (words >> std::hex >> first >> dash >> last && dash == '-') inside = first < end && begin < last;
    std::size_t kib = 0;
    if (inside && line.starts_with("AnonHugePages:") && std::istringstream(line.substr(14)) >> kib) found += kib * 1024;
  }
  return found;
}

class HugePages : public testing::TestWithParam<std::size_t> {};

TEST_P(HugePages, MovesWhatTheSystemSaysItMovedAndKeepsEveryByte) {
  AlignedVector<std::uint8_t> bytes(GetParam());
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(i * 2654435761u >> 13);
  const std::span<const std::byte> view = std::as_bytes(std::span(bytes));
  const std::uint8_t* const place = bytes.data();
  const std::size_t moved = move_to_huge_pages(view);
  EXPECT_LE(moved, view.size());
  EXPECT_GE(huge_bytes_around(view), moved);
  EXPECT_EQ(bytes.data(), place);
  for (std::size_t i = 0; i < bytes.size(); ++i)
    ASSERT_EQ(bytes[i], static_cast<std::uint8_t>(i * 2654435761u >> 13)) << i;
  EXPECT_EQ(move_to_huge_pages(view), moved) << "a second time";
  RecordProperty("moved", std::to_string(moved));
}
INSTANTIATE_TEST_SUITE_P(Sizes, HugePages,
                         testing::Values(0, 1, 4096, kHugePage - 1, kHugePage, kHugePage + 1, 4 * kHugePage + 4097));

}  // namespace
}  // namespace quaver
