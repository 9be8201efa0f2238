// test_support.h - what the tests of this floor share.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "quaver/core/error.h"

namespace quaver {

// Calls and returns the Error it throws; fails the test when it throws none, or one of another kind.
template <typename Call>
Error expect_error(ErrorKind kind, const Call& call) {
  try {
    call();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), kind) << error.what();
    return error;
  }
  ADD_FAILURE() << "no error was thrown";
  return Error(kind, "");
}

inline testing::AssertionResult says(const Error& error, const std::string& part) {
  if (std::string(error.what()).find(part) != std::string::npos) return testing::AssertionSuccess();
  return testing::AssertionFailure() << "'" << error.what() << "' does not say '" << part << "'";
}

}  // namespace quaver
