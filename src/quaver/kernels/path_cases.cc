#include "quaver/kernels/path_cases.h"

#include <array>
#include <set>
#include <utility>

namespace quaver::testing_support {
namespace {

constexpr std::array<std::size_t, 11> kSizes{0, 1, 15, 16, 17, 31, 33, 64, 100, 257, 1000};
constexpr std::array<std::pair<Fill, const char*>, 4> kFills{
    {{Fill::kMinimum, "min"}, {Fill::kMaximum, "max"}, {Fill::kExtremes, "extremes"}, {Fill::kRandom, "random"}}};
constexpr std::array<std::string_view, 8> kKernels{"address", "bit_planes",     "elementwise", "layer_norm",
                                                   "matvec",  "recurrent_step", "rows",        "sign_magnitude"};

std::set<std::pair<std::string_view, Isa>>& exercised() {
  static std::set<std::pair<std::string_view, Isa>> set;
  return set;
}

class Guard : public testing::Environment {
 public:
  void TearDown() override {
    if (testing::GTEST_FLAG(filter) != "*") return;  // somebody asked for a part
    for (const std::string_view kernel : kKernels) {
      for (const Isa isa : all_isas()) {
        if (!isa_supported(isa) || exercised().contains({kernel, isa})) continue;
        ADD_FAILURE() << kernel << ": path '" << isa_name(isa) << "' runs on this CPU but no test exercised it";
      }
    }
  }
};

const testing::Environment* const kGuard = testing::AddGlobalTestEnvironment(new Guard);  // owned by GoogleTest

}  // namespace

std::vector<PathCase> path_cases(std::size_t smallest, std::size_t largest) {
  std::vector<PathCase> cases;
  for (const Isa isa : all_isas()) {
    for (const std::size_t n : kSizes) {
      if (n < smallest || n > largest) continue;
      for (const auto& [fill, name] : kFills) cases.push_back({isa, n, fill});
    }
  }
  return cases;
}

std::string case_name(const testing::TestParamInfo<PathCase>& info) {
  const PathCase& c = info.param;
  return std::string(isa_name(c.isa)) + "_n" + std::to_string(c.n) + "_" +
         kFills[static_cast<std::size_t>(c.fill)].second;
}

std::string isa_case_name(const testing::TestParamInfo<Isa>& info) { return std::string(isa_name(info.param)); }

void note_exercised(std::string_view kernel, Isa isa) {
  for (const std::string_view known : kKernels) {
    if (known == kernel) exercised().emplace(known, isa);
  }
}

}  // namespace quaver::testing_support
