// lstm_golden.h - one case of LiteRT's integer LSTM as its file tells it (tests/golden/litert_lstm/README.md).
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "quaver/npz/npz.h"

namespace quaver::testing_support {

struct LstmGolden {
  struct Gate {
    std::vector<std::int8_t> W, R;   // [n_cell, n_in], [n_cell, n_out]
    std::vector<std::int32_t> b;     // [n_cell]
    std::vector<std::int16_t> P, L;  // [n_cell] or empty
    float s_W = 0, s_R = 0, s_P = 0, s_L = 0, s_gate = 0;
  };
  struct Run {  // x [steps, batch, n_in] is given; the others follow from it
    std::size_t steps = 0;
    std::vector<std::int8_t> x, y;  // always time first, whatever the file's layout
    std::vector<std::int8_t> h;     // [batch, n_out] after the last step
    std::vector<std::int16_t> c;    // [batch, n_cell]
  };

  bool cifg = false, peephole = false, layer_norm = false, projection = false;
  std::size_t n_in = 0, n_cell = 0, n_out = 0, batch = 0;
  bool time_major = true;                // how LiteRT was called: its defect depends on it
  bool peephole_stride_differs = false;  // LiteRT's outputs are those of its defect
  float cell_clip = 0, projection_clip = 0;
  float s_x = 0, s_h = 0, s_m = 0, s_c = 0, s_projection = 0;
  std::int32_t z_x = 0, z_h = 0, z_m = 0;  // z_m as LiteRT reads it: code = value - z_m
  std::map<std::string, Gate> gates;       // "input" (not with CIFG), "forget", "cell", "output"
  std::vector<std::int8_t> W_projection;   // [n_out, n_cell]
  std::vector<std::int32_t> b_projection;  // [n_out]
  std::array<Run, 2> runs;                 // the second goes on from the state of the first

  std::size_t output_bytes() const;  // of y, h and c of both runs

  // Error for anything missing, of another type or shape, or out of range.
  static LstmGolden load(const std::filesystem::path& file);
  static LstmGolden from(const Npz& arrays);
};

}  // namespace quaver::testing_support
