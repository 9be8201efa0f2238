#include "quaver/report/show/curve.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "quaver/report/show/table.h"

namespace quaver {
namespace {

constexpr double kWidth = 640, kPanelHeight = 200, kLeft = 64, kRight = 16, kTop = 32, kBottom = 36;

struct Line {
  std::string name, colour;
  const std::vector<double>& values;
};

class Panel {
 public:
  Panel(double top, std::size_t epochs, const std::vector<Line>& lines)
      : top_(top + kTop), bottom_(top + kPanelHeight - kBottom), epochs_(epochs) {
    low_ = HUGE_VAL;
    high_ = -HUGE_VAL;
    for (const Line& line : lines) {
      for (const double value : line.values) {
        low_ = std::min(low_, value);
        high_ = std::max(high_, value);
      }
    }
    if (!(low_ <= high_)) low_ = high_ = 0;
    if (low_ == high_) {  // a flat line stands in the middle
      const double room = low_ == 0 ? 1 : std::abs(low_) / 2;
      low_ -= room;
      high_ += room;
    }
  }

  std::string drawn(const std::string& title, const std::vector<Line>& lines, std::size_t best_epoch) const {
    std::string svg = fmt::format("<text x='{}' y='{:.0f}' font-weight='bold'>{}</text>\n", kLeft, top_ - 12, title);
    for (const double share : {0.0, 0.5, 1.0}) {
      const double value = low_ + share * (high_ - low_);
      svg += fmt::format("<line x1='{}' x2='{}' y1='{:.1f}' y2='{:.1f}' stroke='#ddd'/>\n", kLeft, kWidth - kRight,
                         y_of(value), y_of(value));
      svg += fmt::format("<text x='{}' y='{:.1f}' text-anchor='end'>{}</text>\n", kLeft - 6, y_of(value) + 4,
                         significant_text(value, 3));
    }
    for (const std::size_t epoch : {std::size_t{1}, epochs_})
      svg += fmt::format("<text x='{:.1f}' y='{:.0f}' text-anchor='middle'>{}{}</text>\n", x_of(epoch), bottom_ + 16,
                         epoch == 1 ? "epoch " : "", epoch);
    if (best_epoch > 0)
      svg += fmt::format(
          "<line x1='{0:.1f}' x2='{0:.1f}' y1='{1:.0f}' y2='{2:.0f}' stroke='#888' "
          "stroke-dasharray='3 3'><title>best: epoch {3}</title></line>\n",
          x_of(best_epoch), top_, bottom_, best_epoch);
    double x = kWidth - kRight;
    for (const Line& line : lines) {
      std::string points;
      for (std::size_t i = 0; i < line.values.size(); ++i)
        points += fmt::format("{:.1f},{:.1f} ", x_of(i + 1), y_of(line.values[i]));
      svg += fmt::format("<polyline fill='none' stroke='{}' stroke-width='1.5' points='{}'/>\n", line.colour, points);
      if (lines.size() == 1) continue;
      svg += fmt::format("<text x='{:.0f}' y='{:.0f}' text-anchor='end' fill='{}'>{}</text>\n", x, top_ - 12,
                         line.colour, line.name);
      x -= 96;
    }
    return svg;
  }

 private:
  double x_of(std::size_t epoch) const {
    const double share = epochs_ < 2 ? 0.5 : static_cast<double>(epoch - 1) / static_cast<double>(epochs_ - 1);
    return kLeft + share * (kWidth - kLeft - kRight);
  }
  double y_of(double value) const { return bottom_ - (value - low_) / (high_ - low_) * (bottom_ - top_); }

  double top_, bottom_;
  std::size_t epochs_;
  double low_ = 0, high_ = 0;
};

}  // namespace

std::string learning_curve_svg(const LearningCurve& curve) {
  const std::vector<Line> losses{{"validation", "#d95f02", curve.validation_loss},
                                 {"training", "#1b9e77", curve.train_loss}};
  const std::vector<Line> values{{curve.metric, "#7570b3", curve.values}};
  const std::size_t epochs = curve.values.size();
  const std::string title = curve.metric + (curve.unit.empty() ? "" : " " + curve.unit) + " on validation";
  std::string svg = fmt::format(
      "<svg xmlns='http://www.w3.org/2000/svg' width='{0}' height='{1}' viewBox='0 0 {0} {1}' role='img' "
      "font-family='sans-serif' font-size='12'>\n<title>Learning curve of {2} epochs: {3}, best in epoch {4}</title>\n"
      "<rect width='100%' height='100%' fill='white'/>\n",
      kWidth, 2 * kPanelHeight, epochs, title, curve.best_epoch);
  svg += Panel(0, epochs, losses).drawn("loss", losses, curve.best_epoch);
  svg += Panel(kPanelHeight, epochs, values).drawn(title, values, curve.best_epoch);
  return svg + "</svg>\n";
}

}  // namespace quaver
