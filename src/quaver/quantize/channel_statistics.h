// channel_statistics.h - the range of every channel of a value over the calibration data.
//
// One value that lies far beyond all others - a spike of a sensor - would set the range of its channel and waste the
// codes of the rest. It is cut to the largest of the others when it lies twice as far out as any of them that is not of
// its event (one sequence, fewer than four steps away). Where there are several such events, or channels whose values
// have a long tail, large values are part of the data: nothing is cut.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "quaver/model/formats/channels.h"
#include "quaver/quantize/range_statistics.h"

namespace quaver {

// An extreme that one event alone reached.
struct RangeCut {
  std::size_t channel = 0;
  double extreme = 0;  // the value
  double kept = 0;     // where all other values end
  std::size_t sequence = 0, step = 0;
};

struct ChannelStatistics {
  std::vector<double> low, high;  // of every channel, after the cuts
  std::vector<double> mean;       // within them
  std::vector<RangeCut> cuts;
  std::vector<RangeCut> lone;  // such extremes that were left: large values are usual here, or values too few to judge
  // How far new data goes beyond what was seen, downward and upward from the mean, as far as the seen tells: from how
  // much farther one quarter of it goes than the farthest other one, in the mean over the channels. Some 1.1 of steady
  // data, 2.5 where it is loud and quiet by turns; a magnitude that comes to 0 time and again needs none below.
  double headroom_low = 1, headroom_high = 1;
  RangeStatistics normalized;  // of (v - offset) / scale of own_ranges(): within -1..1

  bool constant(std::size_t channel) const;  // but for the rounding of float
  double headroom() const { return headroom_low > headroom_high ? headroom_low : headroom_high; }
  bool operator==(const ChannelStatistics&) const = default;
};

enum class Folding { kScale, kScaleAndOffset };  // of a value's channels: fold.h

// Every channel by its own range, widened from its mean by the headroom: the offset is its middle and the scale half
// its width, or without offsets its largest magnitude. A constant channel keeps a scale of at least 2^-7 of
// max(|offset|, 1): should it move one day, it is not lost at once.
Channels own_ranges(const ChannelStatistics& statistics, Folding folding);

// The offset of a channel whose scale is larger than that of its own range, `own`: the room that it gains lies where
// new data goes, below and above as the headroom does.
double offset_of_wider(const ChannelStatistics& statistics, std::size_t channel, const Channels& own, double scale);

// Finds the ranges of the channels of one value.
class ChannelRanges {
 public:
  // values: of each channel, that will come.
  ChannelRanges(std::size_t channels, std::size_t values) : values_(values), extremes_(channels) {}
  std::size_t size() const { return extremes_.size(); }
  // values: of channels [first, first + values.size()).
  void add(std::span<const float> values, std::size_t sequence, std::size_t step, std::size_t first = 0);
  ChannelStatistics statistics() const;  // without `normalized`

 private:
  static constexpr std::size_t kQuarters = 4;
  struct Sample {
    float value = 0;
    std::size_t sequence = 0, step = 0;
  };
  struct Extremes {
    std::vector<Sample> low, high;  // the outermost kKept, outermost first
    std::uint64_t count = 0;
    double sum = 0;
    std::array<double, kQuarters> quarter_low{}, quarter_high{};
  };
  struct Outline;
  static Outline outline(const Extremes& channel);
  static bool same_event(const Sample& a, const Sample& b);
  // side: of a quarter, how far it goes from the mean (negative where it stays on the other side).
  template <typename Side>
  double headroom(const ChannelStatistics& statistics, Side side) const;

  std::size_t values_;
  std::vector<Extremes> extremes_;
};

}  // namespace quaver
