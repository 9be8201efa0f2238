#include "quaver/quantize/channel_statistics.h"

#include <algorithm>
#include <cmath>
#include <functional>

namespace quaver {
namespace {

constexpr std::size_t kEventSteps = 4;  // an event lies within fewer steps of its extreme
constexpr std::size_t kBulk = 6;        // the kBulk-th outermost of the other values ends their bulk
constexpr std::size_t kKept = 2 * kEventSteps - 1 + kBulk;
constexpr std::uint64_t kFewest = 100;  // values of a channel: below that no extreme is told from the rest
constexpr double kTail = 2;             // half widths of the bulk: where others lie beyond, large values are usual
constexpr double kAlone = 2;            // times as far out as any other
constexpr double kMostHeadroom = 2.5;
constexpr double kGrowth = 4.0 / 3;  // of the headroom's logarithm, from three quarters of the data to data that is new
constexpr double kFloatRounding = 0x1p-20;  // relative: some units in the last place of a float
constexpr double kConstantScale = 0x1p-7;

}  // namespace

bool ChannelStatistics::constant(std::size_t channel) const {
  return high[channel] - low[channel] <= kFloatRounding * std::max(std::abs(low[channel]), std::abs(high[channel]));
}

Channels own_ranges(const ChannelStatistics& statistics, Folding folding) {
  Channels channels;
  for (std::size_t c = 0; c < statistics.low.size(); ++c) {
    const double mean = statistics.mean[c];
    const double low = mean - statistics.headroom_low * (mean - statistics.low[c]),
                 high = mean + statistics.headroom_high * (statistics.high[c] - mean);
    const double offset = folding == Folding::kScaleAndOffset ? 0.5 * (low + high) : 0;
    double scale = std::max(high - offset, offset - low);
    if (statistics.constant(c)) scale = std::max(scale, kConstantScale * std::max(std::abs(offset), 1.0));
    channels.scale.push_back(static_cast<float>(scale));
    if (folding == Folding::kScaleAndOffset) channels.offset.push_back(static_cast<float>(offset));
  }
  return channels;
}

double offset_of_wider(const ChannelStatistics& statistics, std::size_t channel, const Channels& own, double scale) {
  const double below = (statistics.headroom_low - 1) * (statistics.mean[channel] - statistics.low[channel]);
  const double above = (statistics.headroom_high - 1) * (statistics.high[channel] - statistics.mean[channel]);
  const double upward = below + above > 0 ? (above - below) / (above + below) : 0;
  return own.offset_of(channel) + upward * (scale - own.scale_of(channel));
}

void ChannelRanges::add(std::span<const float> values, std::size_t sequence, std::size_t step, std::size_t first) {
  for (std::size_t c = 0; c < values.size(); ++c) {
    Extremes& channel = extremes_[first + c];
    const std::size_t quarter = std::min(channel.count * kQuarters / std::max<std::size_t>(values_, 1), kQuarters - 1);
    const bool starts = quarter > 0 ? channel.count * kQuarters / values_ > (channel.count - 1) * kQuarters / values_
                                    : channel.count == 0;
    double &low = channel.quarter_low[quarter], &high = channel.quarter_high[quarter];
    low = starts ? static_cast<double>(values[c]) : std::min(low, static_cast<double>(values[c]));
    high = starts ? static_cast<double>(values[c]) : std::max(high, static_cast<double>(values[c]));
    ++channel.count;
    channel.sum += static_cast<double>(values[c]);
    const Sample sample{values[c], sequence, step};
    const auto keep = [&](std::vector<Sample>& kept, auto is_beyond) {
      if (kept.size() == kKept && !is_beyond(sample, kept.back())) return;
      if (kept.size() == kKept) kept.pop_back();
      kept.insert(std::ranges::upper_bound(kept, sample, is_beyond), sample);
    };
    keep(channel.low, [](const Sample& a, const Sample& b) { return a.value < b.value; });
    keep(channel.high, [](const Sample& a, const Sample& b) { return a.value > b.value; });
  }
}

// What the extremes of one channel look like.
struct ChannelRanges::Outline {
  double low = 0, high = 0;                    // of all values
  double rest_low = 0, rest_high = 0;          // of those outside the event of the farther extreme
  bool long_tail = false;                      // these go far beyond their own bulk
  bool low_alone = false, high_alone = false;  // lies twice as far out as any of them
};

ChannelRanges::Outline ChannelRanges::outline(const Extremes& channel) {
  Outline found;
  found.low = static_cast<double>(channel.low.front().value);
  found.high = static_cast<double>(channel.high.front().value);
  for (const Sample& extreme : {channel.high.front(), channel.low.front()}) {
    const auto others = [&](const std::vector<Sample>& kept) {
      std::vector<double> values;
      for (const Sample& sample : kept)
        if (!same_event(sample, extreme)) values.push_back(static_cast<double>(sample.value));
      return values;
    };
    const std::vector<double> lows = others(channel.low), highs = others(channel.high);
    if (lows.size() < kBulk || highs.size() < kBulk) continue;
    const double middle = 0.5 * (lows[kBulk - 1] + highs[kBulk - 1]), bulk = highs[kBulk - 1] - middle;
    const double farthest = std::max(highs[0] - middle, middle - lows[0]);
    found.long_tail = farthest > kTail * bulk;
    if (!(bulk > 0) || found.long_tail) continue;
    found.rest_low = lows[0];
    found.rest_high = highs[0];
    found.high_alone = found.high - middle > kAlone * farthest;
    found.low_alone = middle - found.low > kAlone * farthest;
    if (found.high_alone || found.low_alone) break;
  }
  return found;
}

bool ChannelRanges::same_event(const Sample& a, const Sample& b) {
  return a.sequence == b.sequence && std::max(a.step, b.step) - std::min(a.step, b.step) < kEventSteps;
}

ChannelStatistics ChannelRanges::statistics() const {
  std::vector<Outline> outlines;
  std::vector<Sample> alone;
  bool usual = false;  // large values are, in this data
  for (const Extremes& channel : extremes_) {
    outlines.push_back(channel.count == 0 ? Outline{} : outline(channel));
    const Outline& found = outlines.back();
    usual = usual || found.long_tail || channel.count < kFewest;
    if (found.high_alone) alone.push_back(channel.high.front());
    if (found.low_alone) alone.push_back(channel.low.front());
  }
  for (const Sample& sample : alone) usual = usual || !same_event(sample, alone.front());
  ChannelStatistics statistics;
  for (std::size_t c = 0; c < extremes_.size(); ++c) {
    const Outline& found = outlines[c];
    const auto judge = [&](bool is_alone, double end, double kept, const std::vector<Sample>& samples) {
      if (!is_alone) return end;
      const RangeCut cut{c, end, kept, samples.front().sequence, samples.front().step};
      (usual ? statistics.lone : statistics.cuts).push_back(cut);
      return usual ? end : kept;
    };
    statistics.low.push_back(judge(found.low_alone, found.low, found.rest_low, extremes_[c].low));
    statistics.high.push_back(judge(found.high_alone, found.high, found.rest_high, extremes_[c].high));
    const double mean = extremes_[c].sum / static_cast<double>(std::max<std::uint64_t>(extremes_[c].count, 1));
    statistics.mean.push_back(std::clamp(mean, statistics.low.back(), statistics.high.back()));
  }
  statistics.headroom_low = headroom(statistics, [&](const Extremes& channel, std::size_t c, std::size_t quarter) {
    return statistics.mean[c] - std::max(channel.quarter_low[quarter], statistics.low[c]);
  });
  statistics.headroom_high = headroom(statistics, [&](const Extremes& channel, std::size_t c, std::size_t quarter) {
    return std::min(channel.quarter_high[quarter], statistics.high[c]) - statistics.mean[c];
  });
  return statistics;
}

template <typename Side>
double ChannelRanges::headroom(const ChannelStatistics& statistics, Side side) const {
  double sum = 0;
  std::size_t channels = 0;
  for (std::size_t c = 0; c < extremes_.size(); ++c) {
    if (extremes_[c].count < kQuarters || statistics.constant(c)) continue;
    std::array<double, kQuarters> reaches{};
    for (std::size_t q = 0; q < kQuarters; ++q) reaches[q] = side(extremes_[c], c, q);
    std::ranges::sort(reaches, std::greater{});
    if (reaches[0] <= 0) continue;
    sum += std::log(std::min(reaches[0] / std::max(reaches[1], 0.0), kMostHeadroom));  // one quarter alone: the most
    ++channels;
  }
  return channels == 0 ? 1 : std::clamp(std::exp(kGrowth * sum / static_cast<double>(channels)), 1.0, kMostHeadroom);
}

}  // namespace quaver
