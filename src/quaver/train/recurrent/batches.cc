#include "quaver/train/recurrent/batches.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>

namespace quaver {
namespace {

// Of so many batches a window is cut: sorting within it makes lengths similar and leaves enough to chance.
constexpr std::size_t kBatchesPerWindow = 8;

std::size_t steps_of(const Dataset& data, std::size_t example) { return data.examples[example].input.steps; }

// One example on its way into a batch: real features normalised, [steps, features].
struct Piece {
  std::size_t steps = 0;
  std::vector<float> values{};
  std::vector<std::size_t> source{};  // step of the example that each step was taken from
};

Piece plain_piece(const Sequence& sequence, const FeatureStatistics& statistics) {
  Piece piece{.steps = sequence.steps, .values = sequence.values};
  piece.source.resize(piece.steps);
  std::iota(piece.source.begin(), piece.source.end(), std::size_t{0});
  const std::size_t features = statistics.mean.size();
  for (std::size_t i = 0; i < piece.values.size(); ++i)
    piece.values[i] = (piece.values[i] - statistics.mean[i % features]) * statistics.inverse_deviation[i % features];
  return piece;
}

// The frames at `speed` times the pace, by linear interpolation between neighbours.
Piece stretch(const Piece& piece, std::size_t features, double speed) {
  Piece result;
  const auto last = static_cast<double>(piece.steps - 1);
  result.steps = std::max<std::size_t>(1, static_cast<std::size_t>(static_cast<double>(piece.steps) / speed));
  for (std::size_t t = 0; t < result.steps; ++t) {
    const double position = std::min(static_cast<double>(t) * speed, last);
    const auto below = static_cast<std::size_t>(position);
    const std::size_t above = std::min(below + 1, piece.steps - 1);
    const auto part = static_cast<float>(position - static_cast<double>(below));
    for (std::size_t j = 0; j < features; ++j) {
      const float low = piece.values[below * features + j], high = piece.values[above * features + j];
      result.values.push_back(low + part * (high - low));
    }
    result.source.push_back(part < 0.5f ? below : above);
  }
  return result;
}

// [first, first + length) with a random length up to `part` of `size`, anywhere inside it.
std::pair<std::size_t, std::size_t> random_range(Random& random, std::size_t size, double part) {
  const std::size_t longest = static_cast<std::size_t>(static_cast<double>(size) * part);
  const std::size_t length = static_cast<std::size_t>(random.below(longest + 1));
  return {static_cast<std::size_t>(random.below(size - length + 1)), length};
}

Piece augmented(Piece piece, std::size_t features, const Augmentation& augmentation, Random random) {
  if (augmentation.time_stretch > 0)
    piece = stretch(piece, features, 1 + random.uniform(-augmentation.time_stretch, augmentation.time_stretch));
  if (augmentation.level_shift > 0) {
    const auto shift = static_cast<float>(augmentation.level_shift * random.normal());
    for (float& value : piece.values) value += shift;
  }
  if (augmentation.input_noise > 0) {
    for (float& value : piece.values) value += static_cast<float>(augmentation.input_noise * random.normal());
  }
  if (augmentation.time_mask > 0) {
    const auto [first, length] = random_range(random, piece.steps, augmentation.time_mask);
    std::fill_n(piece.values.begin() + static_cast<std::ptrdiff_t>(first * features), length * features, 0.0f);
  }
  if (augmentation.feature_mask > 0) {
    const auto [first, length] = random_range(random, features, augmentation.feature_mask);
    for (std::size_t t = 0; t < piece.steps; ++t)
      std::fill_n(piece.values.begin() + static_cast<std::ptrdiff_t>(t * features + first), length, 0.0f);
  }
  return piece;
}

Batch pack(const Dataset& data, const std::vector<std::size_t>& examples, const std::vector<Piece>& pieces) {
  std::vector<std::size_t> order(examples.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return pieces[a].steps > pieces[b].steps; });
  std::vector<std::size_t> lengths;
  Batch batch;
  for (const std::size_t i : order) {
    lengths.push_back(pieces[i].steps);
    batch.examples.push_back(examples[i]);
  }
  const Packing packing(std::move(lengths));
  const std::size_t features = data.features, rows = packing.rows();
  batch.values.resize(rows * features);
  batch.ids.resize(features == 0 ? rows : 0);
  batch.labels.resize(data.target == Target::kTags ? rows : packing.sequences());
  for (std::size_t s = 0; s < order.size(); ++s) {
    const Example& example = data.examples[batch.examples[s]];
    const Piece& piece = pieces[order[s]];
    if (data.target == Target::kClass) batch.labels[s] = example.labels[0];
    for (std::size_t t = 0; t < piece.steps; ++t) {
      const std::size_t row = packing.row(t, s);
      if (data.target == Target::kTags) batch.labels[row] = example.labels[piece.source[t]];
      if (features == 0)
        batch.ids[row] = example.input.ids[t];
      else
        std::copy_n(piece.values.data() + t * features, features, batch.values.data() + row * features);
    }
  }
  batch.packing = std::make_shared<const Packing>(packing);
  return batch;
}

std::vector<std::vector<std::size_t>> cut(std::span<const std::size_t> order, std::size_t batch) {
  std::vector<std::vector<std::size_t>> batches;
  for (std::size_t first = 0; first < order.size(); first += batch) {
    const std::span<const std::size_t> piece = order.subspan(first, std::min(batch, order.size() - first));
    batches.emplace_back(piece.begin(), piece.end());
  }
  return batches;
}

void sort_by_length(const Dataset& data, std::span<std::size_t> order) {
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return steps_of(data, a) > steps_of(data, b); });
}

}  // namespace

std::vector<std::vector<std::size_t>> shuffled_batches(const Dataset& data, std::size_t batch, Random random) {
  std::vector<std::size_t> order(data.examples.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  random.shuffle(std::span(order));
  const std::size_t window = batch * kBatchesPerWindow;
  for (std::size_t first = 0; first < order.size(); first += window)
    sort_by_length(data, std::span(order).subspan(first, std::min(window, order.size() - first)));
  std::vector<std::vector<std::size_t>> batches = cut(order, batch);
  random.shuffle(std::span(batches));
  return batches;
}

std::vector<std::vector<std::size_t>> sorted_batches(const Dataset& data, std::size_t batch) {
  std::vector<std::size_t> order(data.examples.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  sort_by_length(data, order);
  return cut(order, batch);
}

Batch make_batch(const Dataset& data, const std::vector<std::size_t>& examples, const FeatureStatistics& statistics,
                 const Augmentation& augmentation, const Random& random) {
  std::vector<Piece> pieces;
  for (const std::size_t example : examples) {
    Piece piece = plain_piece(data.examples[example].input, statistics);
    pieces.push_back(data.features == 0
                         ? std::move(piece)
                         : augmented(std::move(piece), data.features, augmentation, random.fork(example)));
  }
  return pack(data, examples, pieces);
}

Batch make_batch(const Dataset& data, const std::vector<std::size_t>& examples, const FeatureStatistics& statistics) {
  return make_batch(data, examples, statistics, {}, Random(0));
}

}  // namespace quaver
