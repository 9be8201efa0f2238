// roofline.h - what this machine allows: how fast one thread reads each level of memory, and multiplies int8.
//
// A step reads its weights once and multiplies each of them once a sequence, so it can take no less than
//
//   roof seconds = max(bytes read / bytes per second of the level they stay in, multiplications / peak rate)
//
// Both rates are measured, by the widest loads and products this CPU has, as the best of many short repetitions: a roof
// is what the hardware can do, not what it did while somebody else used it. Weights "stay in" the nearest level that
// holds them; just above a level's size some of them are found in it, so a share may exceed 100 % there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "quaver/core/aligned.h"

namespace quaver {

struct MemoryLevel {
  std::string name;  // L1, L2, L3, memory
  std::size_t bytes = 0;
  double bytes_per_second = 0;
};

struct Roofline {
  std::vector<MemoryLevel> levels;  // nearest first; the last one, memory, holds anything
  double macs_per_second = 0;       // int8 x int8 into int32
  std::string path;                 // of the loads and products that were measured
};

// Work of one call: what has to be read, where it stays between two calls, and what has to be multiplied.
struct CallCost {
  std::size_t resident_bytes = 0;
  double bytes = 0;
  double macs = 0;
};

// `steps` steps of `sequences` sequences through a layer: one step reads all weights; in a longer call the product of
// all inputs is one matrix product, which has to read its share (input_share of the weights) only once.
CallCost call_cost(std::size_t weight_bytes, std::uint64_t macs, std::size_t steps, std::size_t sequences,
                   double input_share);

const MemoryLevel& level_of(const Roofline& roofline, std::size_t bytes);
double roof_seconds(const Roofline& roofline, const CallCost& cost);

// Data caches that one CPU sees, nearest first, as the system describes them (rates are 0); usual sizes where it does
// not.
std::vector<MemoryLevel> cache_levels(const std::filesystem::path& folder = "/sys/devices/system/cpu/cpu0/cache");

struct RooflineOptions {
  std::size_t repetitions = 15;  // of each level
  double repetition_seconds = 2e-3;
};
Roofline measure_roofline(const RooflineOptions& options = {});

// Reads a buffer of its own as fast as this CPU can: what a product would take if it were nothing but its loads.
class PlainRead {
 public:
  explicit PlainRead(std::size_t bytes);  // rounded up to whole cache lines
  void run(std::size_t times);

 private:
  AlignedVector<std::byte> buffer_;
};

nlohmann::ordered_json to_json(const Roofline& roofline);
std::string to_text(const Roofline& roofline);

}  // namespace quaver
