#include "quaver/core/shared_bytes.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <utility>

namespace quaver {
namespace {

SharedBytes counted(std::size_t size) {
  SharedBytes bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes.writable()[i] = static_cast<std::byte>(i);
  return bytes;
}

TEST(SharedBytes, ANewOneIsEmpty) {
  SharedBytes none;
  EXPECT_TRUE(none.empty());
  EXPECT_EQ(none.begin(), none.end());
  EXPECT_TRUE(none.writable().empty());
  EXPECT_EQ(none, SharedBytes(0));
}

TEST(SharedBytes, BeginsOnACacheLineWithZeros) {
  const SharedBytes bytes(100);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(bytes.data()) % kAlignment, 0u);
  for (const std::byte byte : bytes) EXPECT_EQ(byte, std::byte{0});
}

TEST(SharedBytes, CopiesAndSlicesShareTheBuffer) {
  const SharedBytes bytes = counted(10), copy = bytes, slice = bytes.slice(3, 4), part = slice.slice(1, 2);
  EXPECT_EQ(copy.data(), bytes.data());
  EXPECT_EQ(slice.data(), bytes.data() + 3);
  EXPECT_EQ(slice.size(), 4u);
  EXPECT_EQ(part.data(), bytes.data() + 4);
  EXPECT_EQ(part[1], std::byte{5});
  EXPECT_TRUE(bytes.slice(10, 0).empty());
  EXPECT_NE(slice.copy().data(), slice.data());
  EXPECT_EQ(slice.copy(), slice);
}

TEST(SharedBytes, WritesReachNoOtherValue) {
  SharedBytes bytes = counted(10), copy = bytes, slice = bytes.slice(2, 3);
  slice.writable()[0] = std::byte{77};
  copy.writable()[9] = std::byte{88};
  EXPECT_EQ(bytes, counted(10));
  EXPECT_EQ(slice[0], std::byte{77});
  EXPECT_EQ(copy[9], std::byte{88});
  EXPECT_EQ(copy[2], std::byte{2});
}

TEST(SharedBytes, WhatIsNotSharedIsWrittenInPlace) {
  SharedBytes bytes = counted(10);
  const std::byte* place = bytes.data();
  EXPECT_EQ(bytes.writable().data(), place);
  { const SharedBytes copy = bytes; }
  EXPECT_EQ(bytes.writable().data(), place) << "the copy is gone";
}

// A slice that is alone with a larger buffer lets it go.
TEST(SharedBytes, TheLastSliceTakesNoMoreThanItsOwn) {
  SharedBytes slice = counted(10).slice(4, 2);
  const std::byte* place = slice.data();
  EXPECT_NE(slice.writable().data(), place);
  EXPECT_EQ(slice[0], std::byte{4});
}

TEST(SharedBytes, ComparesContents) {
  EXPECT_EQ(counted(10), counted(10));
  EXPECT_NE(counted(10), counted(9));
  EXPECT_NE(counted(10).slice(0, 9), counted(10));
  EXPECT_EQ(counted(10).slice(0, 9), counted(9));
  const std::array<std::byte, 2> two{std::byte{0}, std::byte{1}};
  EXPECT_EQ(SharedBytes(two), counted(2));
}

}  // namespace
}  // namespace quaver
