// packing.h - how sequences of different lengths lie in one matrix without a single padded row.
//
// Sequences stand longest first; the rows of a step follow those of the step before, and a step has a row for every
// sequence that still runs. So the running sequences are always the first ones, a step is a plain block of rows, and a
// reverse layer, which walks the steps backwards, meets every sequence at its true end with a zero state.
#pragma once

#include <cstddef>
#include <vector>

namespace quaver {

struct Packing {
  std::vector<std::size_t> lengths;  // steps of each sequence, longest first
  std::vector<std::size_t> offsets;  // first row of each step, and the number of rows at the end

  // Lengths above 0, in falling order.
  explicit Packing(std::vector<std::size_t> sequence_lengths) : lengths(std::move(sequence_lengths)), offsets{0} {
    std::size_t running = lengths.size();
    while (running > 0) {
      offsets.push_back(offsets.back() + running);
      while (running > 0 && lengths[running - 1] < offsets.size()) --running;
    }
  }

  std::size_t sequences() const { return lengths.size(); }
  std::size_t steps() const { return offsets.size() - 1; }
  std::size_t rows() const { return offsets.back(); }
  std::size_t running(std::size_t step) const { return offsets[step + 1] - offsets[step]; }
  std::size_t row(std::size_t step, std::size_t sequence) const { return offsets[step] + sequence; }
};

}  // namespace quaver
