// calibrate.h - runs the float model over whole sequences, carrying state through, and keeps what was seen at every
// point.
//
// Methods as in Wu et al. 2020 (arXiv 2004.09602) section 5 and its public package: max, percentile, entropy, mse over
// a histogram of |x|. Ranges are shared by all time steps; the largest |x| of every step is kept beside them, so that
// growth over a sequence is visible.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "quaver/engine/sequence/session.h"
#include "quaver/model/model.h"
#include "quaver/quantize/channel_statistics.h"
#include "quaver/quantize/range_statistics.h"
#include "quaver/quantize/second_moment.h"
#include "quaver/quantize/warning.h"

namespace quaver {

enum class CalibrationMethod { kMinMax, kPercentile, kEntropy, kMse };
std::string_view method_name(CalibrationMethod method);
CalibrationMethod method_from_name(std::string_view name);  // Error (usage) that lists the names

struct CalibrateOptions {
  CalibrationMethod method = CalibrationMethod::kMinMax;
  double percentile = 99.99;  // of kPercentile: share of |x| that stays inside, in percent, in (50, 100]
  bool moments = true;        // gather Calibration::operands, which compensated rounding needs; O(size^2) a step
  std::function<void(std::size_t done, std::size_t total)> progress = {};  // after every sequence
};

struct Calibration {
  std::map<std::string, RangeStatistics> points;  // "lstm0.cell", "lstm0.pre_i_reverse", "scores.output", ...
  // Of the points that a matrix multiplies: "lstm0.input" (W), "lstm0.output" (R), "lstm0.hidden" (W_projection),
  // "gru0.reset" (R of the candidate, reset before), "scores.input".
  std::map<std::string, SecondMoment> operands;
  // Of real values whose channels may get scales of their own (fold.h), by name; "input" (as normalised) always.
  std::map<std::string, ChannelStatistics> channels;
  std::size_t sequences = 0;
  std::size_t steps = 0;
  CalibrationMethod method = CalibrationMethod::kMinMax;
  double percentile = 99.99;

  const RangeStatistics& at(const std::string& point) const;  // Error naming the point
};

// The model sees what its integer form will see: values of the input beyond the range of their channel
// (channel_statistics.h) are cut to it first. Error when there is no sequence, an empty one, or one the model can not
// read (which and why).
Calibration calibrate(const Model& model, std::span<const SequenceView> sequences,
                      const CalibrateOptions& options = {});

// The interval to code a point with. Affine use: [low, high] cut from [min, max] by the method's |x| threshold.
struct Interval {
  double low = 0;
  double high = 0;
};
Interval choose_interval(const RangeStatistics& statistics, CalibrationMethod method, double percentile);
// The threshold on |x| that the method picks, for codes of `bits` bits (8: 128 levels of |x|).
double choose_max_abs(const RangeStatistics& statistics, CalibrationMethod method, double percentile, int bits = 8);

// One for every cell state that keeps growing: point, the step where its steady growth starts, and the figures.
std::vector<Warning> growth_warnings(const Calibration& calibration);

}  // namespace quaver
