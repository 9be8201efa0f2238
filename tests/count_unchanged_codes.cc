// count_unchanged_codes MODEL TASK SPLIT SEQUENCES - how many codes of what an integer model's recurrent nodes
// multiply, x and h, are those of the step before (docs/results/delta.md). One JSON object on standard output, a row a
// node and direction; SEQUENCES: at most, 0 for all. tools/unchanged_codes.py asks it.
//
// A product could skip a group of four columns of which no code has changed, and adds W (new - old) of the others. A
// difference has nine bits: one that no int8 holds takes a second product, and its group is counted as `wide`.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <numeric>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "quaver/cells/observer.h"
#include "quaver/core/error.h"
#include "quaver/core/text.h"
#include "quaver/data/tasks.h"
#include "quaver/engine/sequence/session.h"
#include "quaver/io/model_file/model_file.h"
#include "quaver/model/operations/operation.h"
#include "support/sequence_limit.h"

namespace {

using namespace quaver;

constexpr std::size_t kGroup = 4;  // columns of a row that a product reads at once

// The codes of one point of a node: frames[sequence][step][column], in the order in which they were computed.
using Frames = std::vector<std::vector<std::vector<std::int8_t>>>;

// Keeps x and h of every recurrent node and direction.
class CodeRecorder final : public Observer {
 public:
  explicit CodeRecorder(const Model& model) : model_(model) {}

  void begin_sequence() { ++sequences_; }
  void at(std::string_view node, std::string_view direction, std::size_t) override {
    const bool is_wanted = !node.empty() && is_integer_recurrent(model_.node(node));
    points_ = is_wanted ? &places_[concat(node, direction)] : nullptr;
  }
  void real(std::string_view, std::span<const float>) override {}
  void codes(std::string_view point, std::span<const std::int8_t> codes, double, std::int32_t) override {
    if (points_ == nullptr || (point != "input" && point != "output")) return;
    Frames& frames = (*points_)[std::string(point)];
    frames.resize(sequences_);
    frames.back().emplace_back(codes.begin(), codes.end());
  }
  void codes(std::string_view, std::span<const std::int16_t>, double) override {}
  void channel_codes(std::string_view point, std::span<const std::int8_t> values, double scale, std::int32_t zero_point,
                     std::span<const float>, std::span<const float>) override {
    codes(point, values, scale, zero_point);
  }

  // By node and direction: "input" and "output".
  const std::map<std::string, std::map<std::string, Frames>>& places() const { return places_; }

 private:
  const Model& model_;
  std::size_t sequences_ = 0;
  std::map<std::string, std::map<std::string, Frames>> places_;
  std::map<std::string, Frames>* points_ = nullptr;
};

// visit(old, now): the frames of every two steps that follow each other.
template <typename Visit>
void visit_pairs(const Frames& frames, const Visit& visit) {
  for (const auto& sequence : frames)
    for (std::size_t t = 1; t < sequence.size(); ++t) visit(sequence[t - 1], sequence[t]);
}

// By column, in how many pairs of steps its code stays.
std::vector<std::size_t> unchanged_by_column(const Frames& frames, std::size_t cols) {
  std::vector<std::size_t> unchanged(cols);
  visit_pairs(frames, [&](const auto& old, const auto& now) {
    for (std::size_t c = 0; c < cols; ++c) unchanged[c] += static_cast<std::size_t>(old[c] == now[c]);
  });
  return unchanged;
}

struct GroupCounts {
  std::size_t all = 0, unchanged = 0, wide = 0;
};

// Groups of columns that follow each other in `order`.
GroupCounts count_groups(const Frames& frames, std::span<const std::size_t> order) {
  GroupCounts counts;
  visit_pairs(frames, [&](const auto& old, const auto& now) {
    for (std::size_t first = 0; first < order.size(); first += kGroup) {
      bool changes = false, is_wide = false;
      for (const std::size_t c : order.subspan(first, std::min(kGroup, order.size() - first))) {
        const int difference = now[c] - old[c];
        changes |= difference != 0;
        is_wide |= difference < -128 || difference > 127;
      }
      ++counts.all;
      counts.unchanged += static_cast<std::size_t>(!changes);
      counts.wide += static_cast<std::size_t>(is_wide);
    }
  });
  return counts;
}

nlohmann::json json_of(const GroupCounts& counts) {
  return {{"all", counts.all}, {"unchanged", counts.unchanged}, {"wide", counts.wide}};
}

// sorted_groups: columns in the order of how often they stay. An order of units costs nothing, for it can be that of
// the weights' rows; this one is chosen on the very data that it is counted on, which flatters it.
nlohmann::json json_of(const Frames& frames) {
  const std::size_t cols = frames.front().front().size();
  const std::vector<std::size_t> unchanged = unchanged_by_column(frames, cols);
  std::vector<std::size_t> order(cols);
  std::iota(order.begin(), order.end(), std::size_t{0});
  const GroupCounts as_trained = count_groups(frames, order);
  std::ranges::stable_sort(order, {}, [&](std::size_t c) { return unchanged[c]; });
  std::size_t pairs = 0;
  visit_pairs(frames, [&](const auto&, const auto&) { ++pairs; });
  return {{"columns", cols},
          {"steps", pairs},
          {"codes", pairs * cols},
          {"unchanged_codes", std::accumulate(unchanged.begin(), unchanged.end(), std::size_t{0})},
          {"groups", json_of(as_trained)},
          {"sorted_groups", json_of(count_groups(frames, order))}};
}

nlohmann::json count(const std::string& file, const std::string& task, const std::string& split, std::size_t limit) {
  const Model model = load(file);
  const Dataset data = load_task(task, split, {.limit = limit});
  Session session(model);
  CodeRecorder recorder(model);
  for (const Example& example : data.examples) {
    recorder.begin_sequence();
    session.run({example.input.steps, example.input.values, example.input.ids, {}}, &recorder);
  }
  nlohmann::json rows = nlohmann::json::array();
  for (const auto& [place, points] : recorder.places())
    rows.push_back({{"node", place}, {"x", json_of(points.at("input"))}, {"h", json_of(points.at("output"))}});
  if (rows.empty()) throw_bad_input(concat(file, " has no integer recurrent node; expected one that was quantized"));
  return {{"task", task}, {"split", split}, {"sequences", data.examples.size()}, {"rows", rows}};
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc != 5) throw_usage("expected count_unchanged_codes MODEL TASK SPLIT SEQUENCES");
    std::cout << count(argv[1], argv[2], argv[3], testing::limit_of(argv[4])).dump() << '\n';
  } catch (const Error& error) {
    std::cerr << "count_unchanged_codes: " << error.what() << '\n';
    return 1;
  }
}
