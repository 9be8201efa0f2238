// litert_goldens_test.cc - our integer LSTM returns the bytes of LiteRT's, on every path.
//
// Runs the small set of the repository always and every file of $QUAVER_GOLDENS/litert_lstm when that folder is there.
// Each case goes three ways: LiteRT's bytes from the file, our cell, and a slow evaluation that shares no code with it.
// Where the file's bytes are those of LiteRT's peephole defect the slow evaluation, having reproduced the defect byte
// for byte, is asked again without it and says what is right.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <functional>

#include "quaver/cells/lstm/int.h"
#include "quaver/core/error.h"
#include "quaver/core/text.h"
#include "support/goldens.h"
#include "support/lstm_golden.h"
#include "support/paths.h"
#include "support/slow_lstm.h"

namespace quaver {
namespace {

using testing_support::absent_goldens;
using testing_support::golden_files;
using testing_support::large_goldens;
using testing_support::LstmGolden;
using testing_support::own_goldens;
using testing_support::paths_here;
using testing_support::PeepholeStride;
using testing_support::slow_lstm;
using testing_support::with_commas;

// A golden's parameters in our order, stacked, with the memory that the views of LstmIntParams point into.
class StackedLstm {
 public:
  explicit StackedLstm(const LstmGolden& golden) {
    params_.shape = {golden.n_in,     golden.n_cell,     golden.n_out,     golden.cifg,
                     golden.peephole, golden.layer_norm, golden.projection};
    for (const char* name : {"input", "output", "forget", "cell"}) {
      const auto found = golden.gates.find(name);
      if (found == golden.gates.end()) continue;
      const LstmGolden::Gate& gate = found->second;
      params_.gate_scale[W_scales_.size()] = gate.s_gate;
      W_.insert(W_.end(), gate.W.begin(), gate.W.end());
      R_.insert(R_.end(), gate.R.begin(), gate.R.end());
      b_.insert(b_.end(), gate.b.begin(), gate.b.end());
      P_.insert(P_.end(), gate.P.begin(), gate.P.end());
      L_.insert(L_.end(), gate.L.begin(), gate.L.end());
      W_scales_.push_back(gate.s_W);
      R_scales_.push_back(gate.s_R);
      if (!gate.P.empty()) P_scales_.push_back(gate.s_P);
      if (!gate.L.empty()) L_scales_.push_back(gate.s_L);
    }
    const std::size_t rows = W_scales_.size() * golden.n_cell;
    params_.W = {W_.data(), rows, golden.n_in};
    params_.R = {R_.data(), rows, golden.n_out};
    params_.b = b_;
    params_.P = P_;
    params_.L = L_;
    params_.W_scales = W_scales_;
    params_.R_scales = R_scales_;
    params_.P_scales = P_scales_;
    params_.L_scales = L_scales_;
    if (golden.projection) {
      params_.W_projection = {golden.W_projection.data(), golden.n_out, golden.n_cell};
      params_.b_projection = golden.b_projection;
      params_.W_projection_scales = {&golden.s_projection, 1};
    }
    params_.x = {golden.s_x, golden.z_x};
    params_.h = {golden.s_h, golden.z_h};
    params_.m = {golden.s_m, -golden.z_m};  // LiteRT reads this one with the other sign
    params_.cell_integer_bits = std::ilogb(golden.s_c) + 15;
    params_.cell_clip = clip_code(golden.cell_clip, golden.s_c, 32767);
    const std::int32_t clip = golden.projection ? clip_code(golden.projection_clip, golden.s_h, 127) : 0;
    if (clip > 0) {  // around code 0, not around the zero point
      params_.output_low = -clip;
      params_.output_high = clip;
    }
  }
  const LstmIntParams& params() const { return params_; }

 private:
  static std::int32_t clip_code(float clip, float scale, std::int32_t limit) {
    return static_cast<std::int32_t>(std::min(clip / scale, static_cast<float>(limit)));
  }

  LstmIntParams params_;
  std::vector<std::int8_t> W_, R_;
  std::vector<std::int32_t> b_;
  std::vector<std::int16_t> P_, L_;
  std::vector<float> W_scales_, R_scales_, P_scales_, L_scales_;
};

std::array<LstmGolden::Run, 2> our_lstm(const LstmGolden& golden, Isa isa) {
  const LstmInt cell(StackedLstm(golden).params(), isa);
  const std::vector<StatePart> parts = cell.state_parts();
  std::vector<AlignedVector<std::byte>> states(golden.batch);
  for (auto& state : states) {
    state.resize(parts[1].offset + golden.n_cell * sizeof(std::int16_t));
    cell.reset(state.data());
  }
  AlignedVector<std::byte> scratch(cell.scratch_bytes());
  std::array<LstmGolden::Run, 2> made;
  for (std::size_t k = 0; k < made.size(); ++k) {
    made[k].steps = golden.runs[k].steps;
    const std::int8_t* x = golden.runs[k].x.data();
    for (std::size_t t = 0; t < made[k].steps; ++t) {
      for (std::size_t row = 0; row < golden.batch; ++row, x += golden.n_in) {
        const std::int8_t* y = cell.step(x, states[row].data(), scratch.data(), nullptr);
        made[k].y.insert(made[k].y.end(), y, y + golden.n_out);
      }
    }
    for (const auto& state : states) {
      const auto* h = reinterpret_cast<const std::int8_t*>(state.data());
      const auto* c = reinterpret_cast<const std::int16_t*>(state.data() + parts[1].offset);
      made[k].h.insert(made[k].h.end(), h, h + golden.n_out);
      made[k].c.insert(made[k].c.end(), c, c + golden.n_cell);
    }
  }
  return made;
}

// "" when equal, else the first difference and how many there are.
template <typename T>
std::string difference(const std::string& name, const std::vector<T>& found, const std::vector<T>& expected) {
  if (found.size() != expected.size())
    return concat(name, " has ", found.size(), " elements, expected ", expected.size(), "; ");
  std::size_t count = 0, first = 0;
  for (std::size_t i = found.size(); i-- > 0;) {
    if (found[i] == expected[i]) continue;
    ++count;
    first = i;
  }
  if (count == 0) return "";
  return concat(name, "[", first, "] is ", int{found[first]}, ", expected ", int{expected[first]}, " (", count, " of ",
                found.size(), " differ); ");
}

std::string difference(const std::array<LstmGolden::Run, 2>& found, const std::array<LstmGolden::Run, 2>& expected) {
  std::string text;
  for (std::size_t k = 0; k < found.size(); ++k) {
    const std::string number = std::to_string(k + 1);
    text += difference("y" + number, found[k].y, expected[k].y) + difference("h" + number, found[k].h, expected[k].h) +
            difference("c" + number, found[k].c, expected[k].c);
  }
  return text;
}

// Every file of the folder, on every path.
void check_folder(const std::filesystem::path& folder) {
  const std::vector<Isa> paths = paths_here();
  std::size_t cases = 0, equal_to_litert = 0, bytes = 0;
  std::string path_names;
  for (const Isa isa : paths) path_names += concat(path_names.empty() ? "" : ", ", isa_name(isa));
  for (const std::filesystem::path& file : golden_files(folder, ".npz")) {
    SCOPED_TRACE(file.filename().string());
    try {
      const LstmGolden golden = LstmGolden::load(file);
      std::array<LstmGolden::Run, 2> expected = golden.runs;
      if (golden.peephole_stride_differs) {
        EXPECT_EQ(difference(slow_lstm(golden, PeepholeStride::kAsLitert), golden.runs), "") << "slow, with the defect";
        expected = slow_lstm(golden, PeepholeStride::kRight);
        const bool shows = !difference(expected, golden.runs).empty();
        std::printf("  %s: LiteRT's peephole stride is a defect%s; compared with the values of the published recipe\n",
                    file.filename().c_str(), shows ? "" : " (that does not show here)");
      } else {
        EXPECT_EQ(difference(slow_lstm(golden, PeepholeStride::kRight), golden.runs), "") << "slow evaluation";
        ++equal_to_litert;
      }
      for (const Isa isa : paths) EXPECT_EQ(difference(our_lstm(golden, isa), expected), "") << isa_name(isa);
      ++cases;
      bytes += golden.output_bytes();
    } catch (const Error& error) {
      ADD_FAILURE() << error.what();
    }
  }
  std::printf("%s: %zu cases, %s bytes compared on each of %zu paths (%s); %zu cases against LiteRT's own bytes\n",
              folder.c_str(), cases, with_commas(bytes).c_str(), paths.size(), path_names.c_str(), equal_to_litert);
}

TEST(LitertGoldens, SmallSetOfTheRepository) { check_folder(own_goldens("litert_lstm")); }

TEST(LitertGoldens, EveryFileOfTheLargeSet) {
  const std::filesystem::path folder = large_goldens("litert_lstm");
  if (!std::filesystem::is_directory(folder)) GTEST_SKIP() << absent_goldens(folder);
  check_folder(folder);
}

// A golden that is not what it says must not pass by being read loosely.
TEST(LitertGoldens, AMalformedFileIsAnError) {
  const Npz good = read_npz(own_goldens("litert_lstm") / "cifg_peephole_norm_projection.npz");
  ASSERT_NO_THROW(LstmGolden::from(good));
  const auto meta_with = [&](const std::string& from, const std::string& to) {
    Npz changed = good;
    const auto& bytes = good.at("meta").bytes;
    std::string text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    const std::size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    text.replace(at, from.size(), to);
    const std::vector<std::uint8_t> codes(text.begin(), text.end());
    changed["meta"] = NpzArray::from<std::uint8_t>({static_cast<std::int64_t>(codes.size())}, codes);
    return changed;
  };
  const auto changed = [&](const std::function<void(Npz&)>& change) {
    Npz arrays = good;
    change(arrays);
    return arrays;
  };
  const std::vector<Npz> malformed{
      changed([](Npz& arrays) { arrays.erase("meta"); }),
      changed([](Npz& arrays) { arrays.erase("c2"); }),
      changed([](Npz& arrays) { arrays.erase("P_output"); }),
      changed([](Npz& arrays) { arrays.at("x1").shape.pop_back(); }),
      changed([](Npz& arrays) { arrays["y1"] = arrays.at("x1"); }),
      changed([](Npz& arrays) { arrays["b_forget"] = arrays.at("L_forget"); }),
      meta_with("{", "["),
      meta_with("\"n_cell\"", "\"n_cells\""),
      meta_with("\"cifg\": true", "\"cifg\": false"),
      meta_with("\"s_x\": 0", "\"s_x\": -0"),
      meta_with("\"s_c\": ", "\"s_c\": 1"),
      meta_with("\"z_h\": ", "\"z_h\": 100000"),
  };
  for (std::size_t i = 0; i < malformed.size(); ++i) EXPECT_THROW(LstmGolden::from(malformed[i]), Error) << i;
}

}  // namespace
}  // namespace quaver
