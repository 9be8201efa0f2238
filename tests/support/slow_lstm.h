// slow_lstm.h - the integer LSTM once more, one number at a time on 64-bit integers, sharing no code with Quaver.
//
// A second reading of the published arithmetic: it must give LiteRT's bytes on every case, and then says what is right
// where LiteRT's own bytes are those of a defect.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "support/lstm_golden.h"

namespace quaver::testing_support {

// LiteRT multiplies peephole weights as if rows had n_out elements where they have n_cell; with batch-major input it
// does so for one row at a time, else for the whole batch.
enum class PeepholeStride { kRight, kAsLitert };

// The y, h and c of both runs from their x; zero state at the start of the first.
std::array<LstmGolden::Run, 2> slow_lstm(const LstmGolden& golden, PeepholeStride stride);

}  // namespace quaver::testing_support
