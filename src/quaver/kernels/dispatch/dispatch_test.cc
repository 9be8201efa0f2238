#include "quaver/kernels/dispatch/dispatch.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "quaver/core/error.h"
#include "quaver/kernels/dispatch/format_table.h"
#include "quaver/kernels/dispatch/path_table.h"
#include "support/paths.h"

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

TEST(Dispatch, SetsStandBehindTheOnesTheyExtend) {
  for (const Isa isa : all_isas()) {
    EXPECT_LE(extended_by(isa), isa) << isa_name(isa);
    EXPECT_EQ(extended_by(isa) == isa, isa == Isa::kScalar) << isa_name(isa);
    EXPECT_NE(std::ranges::find(all_isas(), extended_by(isa)), all_isas().end()) << isa_name(isa);
    EXPECT_TRUE(!isa_supported(isa) || isa_supported(extended_by(isa))) << isa_name(isa);
  }
  EXPECT_TRUE(std::ranges::is_sorted(all_isas()));
}

TEST(PathTable, AMissingPathIsThatOfTheSetItExtends) {
  struct Row {
    Isa isa;
  };
  const std::vector<Row> rows{{Isa::kScalar}, {Isa::kAvx2}, {Isa::kNeon}}, scalar_alone{{Isa::kScalar}},
      without_scalar{{Isa::kAvx2}};
  const auto found = [](const std::vector<Row>& table, Isa isa) {
    return find_path(std::span<const Row>(table), isa).isa;
  };
  EXPECT_EQ(found(rows, Isa::kAvx512Vnni), Isa::kAvx2);
  EXPECT_EQ(found(rows, Isa::kNeonDot), Isa::kNeon);
  EXPECT_EQ(found(rows, Isa::kAvx2), Isa::kAvx2);
  EXPECT_EQ(found(scalar_alone, Isa::kAvx512Vnni), Isa::kScalar);
  EXPECT_EQ(found(scalar_alone, Isa::kNeonDot), Isa::kScalar);
  EXPECT_EQ(found(without_scalar, Isa::kAvx512Vnni), Isa::kAvx2);
  EXPECT_THROW(found(without_scalar, Isa::kNeonDot), Error);
}

TEST(FormatTable, TheProductOfBytesRunsWhatHasNoneOfItsOwn) {
  constexpr FormatTable<int> bytes_alone(8, {}), both(8, {{WeightFormatId::kI4, 4}});
  for (const WeightFormat& format : weight_formats()) EXPECT_EQ(bytes_alone.of(format.id), 8) << format.name;
  EXPECT_EQ(both.of(WeightFormatId::kI8), 8);
  EXPECT_EQ(both.of(WeightFormatId::kI4), 4);
}

// What the tests of all paths go by: a required path that this CPU lacks must not pass as skipped.
class RequiredPaths : public testing::Test {
 protected:
  void SetUp() override {
    if (const char* value = std::getenv("QUAVER_REQUIRE_ISA")) before_ = value;
  }
  void TearDown() override { setenv("QUAVER_REQUIRE_ISA", before_.c_str(), 1); }  // empty requires nothing
  static void require(std::string_view names) { setenv("QUAVER_REQUIRE_ISA", std::string(names).c_str(), 1); }

 private:
  std::string before_;
};

TEST_F(RequiredPaths, AreFailuresWhereThisCpuLacksThem) {
  for (const Isa isa : all_isas()) {
    require(isa_name(isa));
    if (isa_supported(isa))
      EXPECT_FALSE(testing_support::lacks(isa)) << isa_name(isa);
    else
      EXPECT_THROW(testing_support::lacks(isa), Error) << isa_name(isa);
  }
}

TEST_F(RequiredPaths, NamesAreThoseOfThisBuild) {
  require("");
  EXPECT_FALSE(testing_support::lacks(Isa::kScalar));
  for (const char* names : {"avx9", "scalar,avx9", "scalar,,", ",", " scalar", "SCALAR"}) {
    require(names);
    EXPECT_THROW(testing_support::lacks(Isa::kScalar), Error) << names;
  }
  for (const Isa isa : {Isa::kAvx2, Isa::kAvxVnni, Isa::kAvx512Vnni, Isa::kNeon, Isa::kNeonDot, Isa::kNeonI8mm}) {
    if (std::ranges::find(all_isas(), isa) != all_isas().end()) continue;
    require(isa_name(isa));
    EXPECT_THROW(testing_support::lacks(Isa::kScalar), Error) << isa_name(isa);
  }
}

}  // namespace
}  // namespace quaver
