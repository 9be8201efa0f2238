#include "quaver/kernels/dispatch/dispatch.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <optional>

#include "quaver/core/error.h"

namespace quaver {
namespace {

class ForcedIsa : public testing::Test {
 protected:
  void SetUp() override {
    if (const char* value = std::getenv("QUAVER_FORCE_ISA")) before_ = value;
  }
  void TearDown() override {
    if (before_) {
      setenv("QUAVER_FORCE_ISA", before_->c_str(), 1);
    } else {
      unsetenv("QUAVER_FORCE_ISA");
    }
  }

 private:
  std::optional<std::string> before_;
};

TEST_F(ForcedIsa, EverySupportedNameIsTaken) {
  for (const Isa isa : all_isas()) {
    if (!isa_supported(isa)) continue;
    setenv("QUAVER_FORCE_ISA", std::string(isa_name(isa)).c_str(), 1);
    EXPECT_EQ(chosen_isa(), isa);
    EXPECT_EQ(isa_from_name(isa_name(isa)), isa);
  }
}

TEST_F(ForcedIsa, UnknownNameIsAnErrorThatListsTheValidOnes) {
  setenv("QUAVER_FORCE_ISA", "sse9", 1);
  try {
    chosen_isa();
    FAIL() << "'sse9' was taken";
  } catch (const Error& error) {
    const std::string text = error.what();
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    EXPECT_NE(text.find("QUAVER_FORCE_ISA='sse9'"), std::string::npos) << text;
    for (const Isa isa : all_isas()) {
      EXPECT_EQ(text.find(isa_name(isa)) != std::string::npos, isa_supported(isa)) << text;
    }
  }
}

TEST_F(ForcedIsa, UnsetOrEmptyTakesTheFastest) {
  unsetenv("QUAVER_FORCE_ISA");
  const Isa fastest = chosen_isa();
  EXPECT_TRUE(isa_supported(fastest));
  for (const Isa isa : all_isas()) {
    EXPECT_LE(isa_supported(isa) ? isa : fastest, fastest);
  }
  setenv("QUAVER_FORCE_ISA", "", 1);
  EXPECT_EQ(chosen_isa(), fastest);
}

TEST(Dispatch, ScalarComesFirstAndTheCpuHasAName) {
  EXPECT_EQ(all_isas().front(), Isa::kScalar);
  EXPECT_TRUE(isa_supported(Isa::kScalar));
  EXPECT_FALSE(cpu_name().empty());
}

}  // namespace
}  // namespace quaver
