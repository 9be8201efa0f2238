// model_goldens_test.cc - integer models of every version of the file compute what they did when they were written:
// the same bytes, on every path, as a sequence, step by step, many at once and from a saved state.
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cctype>
#include <filesystem>
#include <string>
#include <vector>

#include "quaver/io/model_file/artifact_file.h"
#include "quaver/io/model_file/model_file.h"
#include "support/goldens.h"
#include "support/model_golden.h"
#include "support/paths.h"

namespace quaver::testing_support {
namespace {

constexpr const char* kSets[] = {"integer_v1", "integer_v2"};

struct Golden {
  std::filesystem::path path;  // of the model
  Isa isa;
};

std::vector<Golden> all_goldens() {
  std::vector<Golden> all;
  for (const char* set : kSets) {
    for (const std::filesystem::path& path : golden_files(own_goldens(set), ".safetensors")) {
      for (const Isa isa : all_isas()) all.push_back({path, isa});
    }
  }
  return all;
}

std::string golden_name(const ::testing::TestParamInfo<Golden>& info) {
  const Golden& golden = info.param;
  return golden.path.parent_path().filename().string() + "_" + golden.path.stem().string() + "_" +
         std::string(isa_name(golden.isa));
}

class ModelGoldens : public ::testing::TestWithParam<Golden> {
 protected:
  void SetUp() override { QUAVER_SKIP_WITHOUT(GetParam().isa); }
  const Model model_ = load(GetParam().path);
  const ModelGolden golden_{model_, read_npz(std::filesystem::path(GetParam().path).replace_extension(".npz"))};

  // What came out, as the golden has it; steps before `first` are left out.
  void expect_outputs(const std::vector<Result>& results, std::size_t first = 0) const {
    ASSERT_EQ(results.size(), model_.outputs.size());
    for (std::size_t i = 0; i < results.size(); ++i) {
      const NpzArray& whole = npz_array(golden_.arrays(), "y/" + model_.outputs[i]);
      NpzArray expected = whole;
      if (results[i].value.has_time) {
        const std::size_t row = whole.bytes.size() / golden_.steps();
        expected.bytes.erase(expected.bytes.begin(), expected.bytes.begin() + static_cast<std::ptrdiff_t>(first * row));
        expected.shape[0] -= static_cast<std::int64_t>(first);
      }
      EXPECT_EQ(codes_of(results[i]), expected) << "output '" << model_.outputs[i] << "'";
    }
  }
};

TEST_P(ModelGoldens, Sequences) {
  Session session(model_, {.isa = GetParam().isa});
  expect_outputs(session.run(golden_.sequence()));
  const std::vector<SequenceView> batch(5, golden_.sequence());
  for (const std::vector<Result>& results : session.run(batch)) expect_outputs(results);
}

// What convert writes is the same model, so that all that is asked here is true of it as well.
TEST_P(ModelGoldens, AreTheSameInTheNewestVersion) {
  const Artifact artifact = open(GetParam().path);
  const std::string newest = save_bytes(artifact);
  EXPECT_EQ(open_bytes(std::as_bytes(std::span(newest))), Artifact(model_));
  // Files do not grow, but by the format and shape of each packed tensor, which older ones left to be guessed.
  constexpr std::size_t kPackedEntry = 64;
  const auto packed =
      std::ranges::count_if(model_.tensors, [](const auto& entry) { return entry.second.kind == NumberType::kI4; });
  EXPECT_LT(newest.size(),
            std::filesystem::file_size(GetParam().path) + static_cast<std::size_t>(packed) * kPackedEntry);
  Session session(load_bytes(std::as_bytes(std::span(newest))), {.isa = GetParam().isa});
  expect_outputs(session.run(golden_.sequence()));
}

TEST_P(ModelGoldens, SavedStatesGoOn) {
  Session session(model_, {.isa = GetParam().isa});
  if (!session.streams()) return;
  const auto mark = golden_array<std::int64_t>(golden_.arrays(), "fingerprint", {1});
  EXPECT_EQ(session.initial_state().fingerprint(), std::bit_cast<std::uint64_t>(mark[0]));
  State state = session.initial_state();
  const std::size_t half = golden_.steps() / 2;
  session.run(golden_.sequence(0, half), state);
  EXPECT_EQ(state, session.restore_state(golden_.state_parts()));
  expect_outputs(session.run(golden_.sequence(half, golden_.steps()), state), half);
}

TEST_P(ModelGoldens, StepsOfManyStreams) {
  Session session(model_, {.isa = GetParam().isa});
  if (!session.streams() || golden_.features() == 0) return;
  constexpr std::size_t kStreams = 3;
  const NpzArray& expected = npz_array(golden_.arrays(), "y/" + model_.outputs[0]);
  const Value& value = model_.value(model_.outputs[0]);
  const std::size_t row = static_cast<std::size_t>(value.size()) * type_bytes(value.format.kind);
  std::vector<State> states(kStreams, session.initial_state());
  std::vector<std::byte> codes(kStreams * row);
  const std::span<const std::int8_t> x = golden_.sequence().codes;
  for (std::size_t t = 0; t < golden_.steps(); ++t) {
    std::vector<std::int8_t> frames;
    for (std::size_t s = 0; s < kStreams; ++s) {
      const auto frame = x.subspan(t * golden_.features(), golden_.features());
      frames.insert(frames.end(), frame.begin(), frame.end());
    }
    session.step(std::span<const std::int8_t>(frames), std::span<State>(states), std::span<std::byte>(codes));
    if (!value.has_time && t + 1 < golden_.steps()) continue;
    const std::size_t at = value.has_time ? t * row : 0;
    for (std::size_t s = 0; s < kStreams; ++s)
      EXPECT_TRUE(std::equal(&codes[s * row], &codes[s * row] + row, &expected.bytes[at])) << "step " << t;
  }
}

INSTANTIATE_TEST_SUITE_P(All, ModelGoldens, ::testing::ValuesIn(all_goldens()), golden_name);

}  // namespace
}  // namespace quaver::testing_support
