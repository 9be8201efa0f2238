// observers.h - observers the quantizer hangs into float runs. Internal.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "quaver/cells/observer.h"
#include "quaver/quantize/calibrate.h"

namespace quaver {

// Gathers RangeStatistics of every point of a float model and, where it is asked to, the second moments of what
// matrices multiply and ranges of normalized channels.
class RangeObserver final : public Observer {
 public:
  explicit RangeObserver(Calibration& calibration) : calibration_(calibration) {}
  void gather_moments(const Node& node);
  // Gathers ChannelStatistics::normalized of this value too, whose ranges are known.
  void normalize(const Model& model, const std::string& value, Folding folding);
  void at(std::string_view node, std::string_view direction, std::size_t step) override;
  void real(std::string_view point, std::span<const float> values) override;
  // Integer nodes hold no real numbers to calibrate on: calibrate() takes float models only.
  void codes(std::string_view, std::span<const std::int8_t>, double, std::int32_t) override {}
  void codes(std::string_view, std::span<const std::int16_t>, double) override {}

 private:
  struct NormalizedPoint {
    Channels channels;
    RangeStatistics* statistics = nullptr;
  };
  Calibration& calibration_;
  std::map<std::string, NormalizedPoint> normalized_;  // by point
  std::map<std::string, std::size_t> columns_;         // of the matrix that multiplies a point
  std::vector<float> normalized_values_;
  std::string node_, direction_, key_;
  std::size_t step_ = 0;
};

}  // namespace quaver
