#include "quaver/report/show/warning_lines.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "quaver/core/text.h"

namespace quaver {
namespace {

constexpr std::size_t kMostNamed = 3;  // beside the worst

bool is_of_a_feature(const Warning& warning) { return warning.point.starts_with("feature "); }

bool of_a_kind(const Warning& a, const Warning& b) {
  return a.code == b.code && a.node == b.node && is_of_a_feature(a) && is_of_a_feature(b);
}

double distance_from_limit(const Warning& warning) {
  if (!warning.value || !warning.limit) return 0;
  const double distance = std::abs(*warning.value - *warning.limit);
  return *warning.limit == 0 ? distance : distance / std::abs(*warning.limit);
}

std::string point_and_value(const Warning& warning) {
  return warning.value ? fmt::format("{}: {:.3g}", warning.point, *warning.value) : warning.point;
}

std::string line_of(std::vector<Warning> kind) {
  std::ranges::stable_sort(kind, std::ranges::greater{}, distance_from_limit);
  const std::size_t others = kind.size() - 1;
  if (others == 0) return kind.front().text;
  std::vector<std::string> named;
  for (std::size_t i = 1; i <= std::min(others, kMostNamed); ++i) named.push_back(point_and_value(kind[i]));
  return fmt::format("{} and {} {} ({}{}; --json lists all): {}", kind.front().point, others,
                     others == 1 ? "other" : "others", join(named, ", "), others > kMostNamed ? ", ..." : "",
                     kind.front().text);
}

}  // namespace

std::vector<std::string> warning_lines(std::span<const Warning> warnings) {
  std::vector<std::vector<Warning>> kinds;
  for (const Warning& warning : warnings) {
    const auto same = std::ranges::find_if(kinds, [&](const auto& kind) { return of_a_kind(kind.front(), warning); });
    if (same == kinds.end())
      kinds.push_back({warning});
    else
      same->push_back(warning);
  }
  std::vector<std::string> lines;
  for (std::vector<Warning>& kind : kinds) lines.push_back(line_of(std::move(kind)));
  return lines;
}

}  // namespace quaver
