#include "quaver/workflow/state_npz.h"

#include <gtest/gtest.h>

#include "quaver/model/sample_models.h"
#include "support/files.h"

namespace quaver {
namespace {

using io_test::contains;
using io_test::error_of;

class StateNpz : public ::testing::Test {
 protected:
  StateNpz() {
    for (std::size_t i = 0; i < 2; ++i) {
      states_.push_back(session_.initial_state());
      const std::vector<std::int32_t> ids(i + 1, 1);
      session_.run({ids.size(), {}, ids, {}}, states_[i]);
    }
  }
  const io_test::TemporaryFolder folder_;
  const std::filesystem::path path_ = folder_.path() / "states.npz";
  Session session_{samples::integer_tagger()};
  std::vector<State> states_;
};

TEST_F(StateNpz, ComesBackAsItWas) {
  ASSERT_NE(states_[0], states_[1]);
  write_states(path_, states_);
  EXPECT_EQ(read_states(path_, session_, 2), states_);
  // One stream may leave out the dimension of streams, and the fingerprint is no must.
  Npz alone = state_arrays(std::span(states_).first(1));
  alone.erase("fingerprint");
  for (auto& [name, array] : alone) {
    ASSERT_TRUE(name.starts_with("state/")) << name;
    array.shape = {array.shape[1]};
  }
  write_npz(path_, alone);
  EXPECT_EQ(read_states(path_, session_, 1), std::vector<State>{states_[0]});
}

// Codes mean something to their model alone; real numbers do to any whose parts have these names and sizes.
TEST_F(StateNpz, TakesRealNumbersOfAnotherModelAndSaysSo) {
  Npz reals = state_arrays(states_, StateNumbers::kReals);
  reals.at("fingerprint").bytes[0] ^= std::byte{1};
  write_npz(path_, reals);
  std::vector<std::string> said;
  EXPECT_EQ(read_states(path_, session_, 2, kDefaultMaxMemory, [&](const std::string& text) { said.push_back(text); }),
            states_);
  ASSERT_FALSE(said.empty());
  EXPECT_TRUE(contains(said[0], "saved by another model"));
}

TEST_F(StateNpz, RefusesWhatIsNoStateOfTheModel) {
  const auto refusal = [&](const Npz& arrays, std::size_t count = 2) {
    write_npz(path_, arrays);
    const std::string text = error_of([&] { read_states(path_, session_, count); });
    EXPECT_TRUE(contains(text, "states.npz: ")) << text;
    return text;
  };
  const Npz whole = state_arrays(states_);
  const std::string first = whole.rbegin()->first;  // behind "fingerprint"
  EXPECT_TRUE(contains(refusal(whole, 3), "expected"));
  Npz changed = whole;
  changed["x"] = changed.at(first);
  EXPECT_TRUE(contains(refusal(changed), "'x' is no part of a state"));
  changed = whole;
  changed["state/stray"] = changed.at(first);
  EXPECT_TRUE(contains(refusal(changed), "'state/stray' is no part of this model's state"));
  changed = whole;
  changed.erase(first);
  EXPECT_TRUE(contains(refusal(changed), first.substr(kStatePrefix.size())));
  changed = whole;
  changed.at(first).shape[1] -= 1;
  changed.at(first).bytes.resize(changed.at(first).bytes.size() - 2 * type_bytes(changed.at(first).type));
  EXPECT_TRUE(contains(refusal(changed), first));
  changed = whole;
  changed.at("fingerprint").bytes[0] ^= std::byte{1};
  EXPECT_TRUE(contains(refusal(changed), "another model"));
  changed.at("fingerprint") = changed.at(first);
  EXPECT_TRUE(contains(refusal(changed), "not one int64"));
}

}  // namespace
}  // namespace quaver
