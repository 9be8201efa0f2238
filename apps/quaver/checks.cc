#include "checks.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <functional>
#include <optional>

#include "quaver/core/printable.h"
#include "quaver/core/text.h"
#include "quaver/report/show/table.h"

namespace quaver {
namespace {

// The whole text as a number.
template <typename Number>
std::optional<Number> number(const std::string& text) {
  Number value{};
  const char* end = text.data() + text.size();
  const auto [stopped, failure] = std::from_chars(text.data(), end, value);
  if (failure != std::errc{} || stopped != end) return std::nullopt;
  return value;
}

std::string readable(double value) {
  constexpr double kThousand = 1000;
  return value >= kThousand ? readable_count(static_cast<std::uint64_t>(value)) : fmt::format("{:g}", value);
}

CLI::Validator check(const std::string& expected, const std::string& in_help,
                     std::function<bool(const std::string&)> fits,
                     std::function<std::string(const std::string&)> advice = {}) {
  return {[=](std::string& text) {
            if (fits(text)) return std::string();
            return concat("found '", printable(text), "', expected ", expected, advice ? advice(text) : "");
          },
          in_help};
}

}  // namespace

CLI::Validator whole_number(std::uint64_t least, std::uint64_t most) {
  const std::string range = concat(readable_count(least), " to ", readable_count(most));
  return check("a whole number from " + range, range, [least, most](const std::string& text) {
    const auto value = number<std::uint64_t>(text);
    return value && *value >= least && *value <= most;
  });
}

CLI::Validator seed_number() { return whole_number(0, kMostSeed); }

CLI::Validator real_number(double least, double most) {
  const std::string range = concat(readable(least), " to ", readable(most));
  return check("a number from " + range, range, [least, most](const std::string& text) {
    const auto value = number<double>(text);
    return value && *value >= least && *value <= most;  // false for nan
  });
}

CLI::Validator real_number_above(double below_least, double most) {
  const std::string range = concat("above ", readable(below_least), " to ", readable(most));
  return check("a number " + range, range, [below_least, most](const std::string& text) {
    const auto value = number<double>(text);
    return value && *value > below_least && *value <= most;
  });
}

CLI::Validator true_or_false() {
  return check("true or false", "true or false", [](const std::string& text) {
    return std::ranges::count(std::initializer_list<std::string>{"true", "false", "1", "0", "yes", "no", "on", "off"},
                              text) > 0;
  });
}

CLI::Validator one_of(std::vector<std::string> names) {
  const std::string listed = join(names, ", ");
  return check(
      "one of " + listed, "", [names](const std::string& text) { return std::ranges::count(names, text) > 0; },
      [names](const std::string& text) {
        const std::string near = closest(text, names);
        return near.empty() ? "" : concat("; did you mean '", near, "'?");
      });
}

}  // namespace quaver
