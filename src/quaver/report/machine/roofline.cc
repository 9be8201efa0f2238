#include "quaver/report/machine/roofline.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <functional>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>

#include "quaver/core/check.h"
#include "quaver/report/machine/roofline_probes.h"
#include "quaver/report/show/table.h"

namespace quaver {
namespace {

constexpr std::size_t kKibi = 1024, kMebi = 1024 * kKibi;
// Memory is read through a buffer this many times the last cache, so that no part of it survives there.
constexpr std::size_t kMemoryFactor = 4;
constexpr std::size_t kLargestBuffer = 512 * kMebi;

const RooflineProbes& fastest_probes() {
#if defined(__x86_64__)
  if (isa_supported(Isa::kAvx512Vnni)) return avx512vnni_probes();
  if (isa_supported(Isa::kAvx2)) return avx2_probes();
#endif
  return portable_probes();
}

// For the compiler the value is needed.
void keep(std::uint64_t value) { asm volatile("" : : "r"(value)); }

double seconds_of(const std::function<void(std::size_t)>& work, std::size_t times) {
  const auto start = std::chrono::steady_clock::now();
  work(times);
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// The least seconds a time, over repetitions that are long enough for the clock.
double least_seconds(const std::function<void(std::size_t)>& work, const RooflineOptions& options) {
  std::size_t times = 1;
  while (seconds_of(work, times) < options.repetition_seconds) times *= 2;
  double least = std::numeric_limits<double>::infinity();
  for (std::size_t repetition = 0; repetition < options.repetitions; ++repetition)
    least = std::min(least, seconds_of(work, times) / static_cast<double>(times));
  return least;
}

std::string first_word(const std::filesystem::path& path) {
  std::ifstream in(path);
  std::string word;
  in >> word;
  return word;
}

// "48K" or "32M".
std::optional<std::size_t> size_of_text(const std::string& text) {
  std::size_t end = 0, value = 0;
  while (end < text.size() && end < 9 && text[end] >= '0' && text[end] <= '9')
    value = 10 * value + static_cast<std::size_t>(text[end++] - '0');
  const std::string unit = text.substr(end);
  if (value == 0) return std::nullopt;
  if (unit == "K") return value * kKibi;
  if (unit == "M") return value * kMebi;
  return unit.empty() ? std::optional(value) : std::nullopt;
}

}  // namespace

CallCost call_cost(std::size_t weight_bytes, std::uint64_t macs, std::size_t steps, std::size_t sequences,
                   double input_share) {
  const double all = static_cast<double>(weight_bytes), count = static_cast<double>(steps);
  return {weight_bytes, all * (input_share + count * (1 - input_share)),
          static_cast<double>(macs) * count * static_cast<double>(sequences)};
}

const MemoryLevel& level_of(const Roofline& roofline, std::size_t bytes) {
  QUAVER_DCHECK(!roofline.levels.empty());
  for (const MemoryLevel& level : roofline.levels)
    if (bytes <= level.bytes) return level;
  return roofline.levels.back();
}

double roof_seconds(const Roofline& roofline, const CallCost& cost) {
  return std::max(cost.bytes / level_of(roofline, cost.resident_bytes).bytes_per_second,
                  cost.macs / roofline.macs_per_second);
}

std::vector<MemoryLevel> cache_levels(const std::filesystem::path& folder) {
  std::map<std::string, std::size_t> sizes;
  std::error_code none;
  for (const auto& entry : std::filesystem::directory_iterator(folder, none)) {
    const std::string level = first_word(entry.path() / "level"), type = first_word(entry.path() / "type");
    const std::optional<std::size_t> size = size_of_text(first_word(entry.path() / "size"));
    if (!level.empty() && size && (type == "Data" || type == "Unified")) sizes["L" + level] = *size;
  }
  if (sizes.empty()) sizes = {{"L1", 32 * kKibi}, {"L2", kMebi}};
  std::vector<MemoryLevel> levels;
  levels.reserve(sizes.size() + 1);  // and memory
  for (const auto& [name, size] : sizes) levels.push_back({name, size, 0});
  return levels;
}

PlainRead::PlainRead(std::size_t bytes) : buffer_(align_up(bytes), std::byte{1}) {}

void PlainRead::run(std::size_t times) {
  const RooflineProbes& probes = fastest_probes();
  std::uint64_t all = 0;
  for (std::size_t i = 0; i < times; ++i) {
    all ^= probes.read(buffer_.data(), buffer_.size());
    asm volatile("" : : "r"(buffer_.data()) : "memory");  // the next time is not the same as this one
  }
  keep(all);
}

Roofline measure_roofline(const RooflineOptions& options) {
  const RooflineProbes& probes = fastest_probes();
  Roofline roofline;
  roofline.path = isa_name(probes.isa);
  roofline.levels = cache_levels();
  const std::size_t last = roofline.levels.back().bytes;
  roofline.levels.push_back({"memory", std::numeric_limits<std::size_t>::max(), 0});
  for (MemoryLevel& level : roofline.levels) {
    // Half of a cache: the rest is for whatever else is in it.
    const std::size_t bytes =
        align_up(std::min(level.name == "memory" ? kMemoryFactor * last : level.bytes / 2, kLargestBuffer));
    PlainRead read(bytes);
    level.bytes_per_second =
        static_cast<double>(bytes) / least_seconds([&](std::size_t times) { read.run(times); }, options);
  }
  constexpr std::size_t kRounds = 1000;
  const double seconds = least_seconds(
      [&](std::size_t times) {
        for (std::size_t i = 0; i < times; ++i) keep(probes.multiply(kRounds));
      },
      options);
  roofline.macs_per_second = static_cast<double>(kRounds * probes.macs_per_round) / seconds;
  return roofline;
}

nlohmann::ordered_json to_json(const Roofline& roofline) {
  nlohmann::ordered_json levels = nlohmann::ordered_json::array();
  for (const MemoryLevel& level : roofline.levels) {
    nlohmann::ordered_json json = {
        {"name", level.name}, {"bytes", nullptr}, {"gb_per_s", level.bytes_per_second * 1e-9}};
    if (level.name != "memory") json["bytes"] = level.bytes;
    levels.push_back(std::move(json));
  }
  return {{"path", roofline.path}, {"gmacs_per_s", roofline.macs_per_second * 1e-9}, {"levels", std::move(levels)}};
}

std::string to_text(const Roofline& roofline) {
  std::string text = "one thread reads";
  for (const MemoryLevel& level : roofline.levels) {
    text += fmt::format(" {} {:.0f} GB/s", level.name, level.bytes_per_second * 1e-9);
    if (level.name != "memory") text += fmt::format(" ({}),", bytes_text(level.bytes));
  }
  return text +
         fmt::format("; multiplies int8 at {:.0f} GMAC/s ({})\n", roofline.macs_per_second * 1e-9, roofline.path);
}

}  // namespace quaver
