#include "quaver/train/recurrent/batches.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>

namespace quaver {
namespace {

// Of so many batches a window is cut: sorting within it makes lengths similar and leaves enough to chance.
constexpr std::size_t kBatchesPerWindow = 8;

// One example on its way into a batch: real features normalised, [steps, features].
struct Piece {
  std::size_t steps = 0;
  std::vector<float> values{};
  std::vector<std::int32_t> ids{};
  std::vector<std::size_t> source{};  // step of the example that each step was taken from
  std::vector<std::int32_t> labels{};
  std::vector<float> targets{};
};

Piece plain_piece(const Example& example, const FeatureStatistics& statistics) {
  Piece piece{.steps = example.input.steps,
              .values = example.input.values,
              .ids = example.input.ids,
              .labels = example.labels,
              .targets = example.targets};
  piece.source.resize(piece.steps);
  std::iota(piece.source.begin(), piece.source.end(), std::size_t{0});
  const std::size_t features = statistics.mean.size();
  for (std::size_t i = 0; i < piece.values.size(); ++i)
    piece.values[i] = (piece.values[i] - statistics.mean[i % features]) * statistics.inverse_deviation[i % features];
  return piece;
}

// The frames at `speed` times the pace, by linear interpolation between neighbours.
Piece stretch(const Piece& piece, std::size_t features, double speed) {
  Piece result{.labels = piece.labels, .targets = piece.targets};
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

// Every frame moved up by `shift` features, by linear interpolation between neighbours; the ends repeat.
void shift_features(std::span<float> values, std::size_t features, double shift) {
  std::vector<float> frame(features);
  const auto last = static_cast<double>(features - 1);
  for (std::size_t begin = 0; begin < values.size(); begin += features) {
    std::copy_n(values.begin() + static_cast<std::ptrdiff_t>(begin), features, frame.begin());
    for (std::size_t j = 0; j < features; ++j) {
      const double position = std::clamp(static_cast<double>(j) - shift, 0.0, last);
      const auto below = static_cast<std::size_t>(position);
      const std::size_t above = std::min(below + 1, features - 1);
      values[begin + j] =
          frame[below] + static_cast<float>(position - static_cast<double>(below)) * (frame[above] - frame[below]);
    }
  }
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
  if (augmentation.feature_shift > 0) {
    const double furthest = augmentation.feature_shift * static_cast<double>(features);
    shift_features(piece.values, features, random.uniform(-furthest, furthest));
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

// Copies the truth of a sequence, or of its steps, to its rows.
void place_truth(const Dataset& data, const Piece& piece, std::size_t s, Shard& shard) {
  const std::size_t labels = data.target == Target::kLabels ? data.classes.size() : 1;
  const auto copy = [](const auto& from, std::size_t source, std::size_t width, auto& to, std::size_t row) {
    std::copy_n(from.begin() + static_cast<std::ptrdiff_t>(source * width), width,
                to.begin() + static_cast<std::ptrdiff_t>(row * width));
  };
  const std::size_t rows = is_of_steps(data.target) ? piece.steps : 1;
  for (std::size_t t = 0; t < rows; ++t) {
    const std::size_t row = is_of_steps(data.target) ? shard.packing->row(t, s) : s;
    const std::size_t source = is_of_steps(data.target) ? piece.source[t] : 0;
    if (is_real(data.target))
      copy(piece.targets, source, data.outputs, shard.reals, row);
    else
      copy(piece.labels, source, labels, shard.labels, row);
  }
}

Shard pack(const Dataset& data, std::span<const std::size_t> examples, const std::vector<Piece>& pieces) {
  std::vector<std::size_t> order(examples.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return pieces[a].steps > pieces[b].steps; });
  std::vector<std::size_t> lengths;
  Shard shard;
  for (const std::size_t i : order) {
    lengths.push_back(pieces[i].steps);
    shard.examples.push_back(examples[i]);
  }
  shard.packing = std::make_shared<const Packing>(std::move(lengths));
  const Packing& packing = *shard.packing;
  const std::size_t features = data.features, rows = packing.rows(), truths = shard.rows(data.target);
  shard.values.resize(rows * features);
  shard.ids.resize(features == 0 ? rows : 0);
  if (is_real(data.target))
    shard.reals.resize(truths * data.outputs);
  else
    shard.labels.resize(truths * (data.target == Target::kLabels ? data.classes.size() : 1));
  for (std::size_t s = 0; s < order.size(); ++s) {
    const Piece& piece = pieces[order[s]];
    place_truth(data, piece, s, shard);
    for (std::size_t t = 0; t < piece.steps; ++t) {
      const std::size_t row = packing.row(t, s);
      if (features == 0)
        shard.ids[row] = piece.ids[t];
      else
        std::copy_n(piece.values.data() + t * features, features, shard.values.data() + row * features);
    }
  }
  return shard;
}

std::vector<std::vector<std::size_t>> cut(std::span<const std::size_t> order, std::size_t batch) {
  std::vector<std::vector<std::size_t>> batches;
  for (std::size_t first = 0; first < order.size(); first += batch) {
    const std::span<const std::size_t> piece = order.subspan(first, std::min(batch, order.size() - first));
    batches.emplace_back(piece.begin(), piece.end());
  }
  return batches;
}

void sort_by_length(std::span<const std::size_t> lengths, std::span<std::size_t> order) {
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return lengths[a] > lengths[b]; });
}

}  // namespace

std::vector<std::vector<std::size_t>> shuffled_batches(std::span<const std::size_t> lengths, std::size_t batch,
                                                       Random random) {
  std::vector<std::size_t> order(lengths.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  random.shuffle(std::span(order));
  const std::size_t window = batch * kBatchesPerWindow;
  for (std::size_t first = 0; first < order.size(); first += window)
    sort_by_length(lengths, std::span(order).subspan(first, std::min(window, order.size() - first)));
  std::vector<std::vector<std::size_t>> batches = cut(order, batch);
  random.shuffle(std::span(batches));
  return batches;
}

std::vector<std::vector<std::size_t>> sorted_batches(std::span<const std::size_t> lengths, std::size_t batch) {
  std::vector<std::size_t> order(lengths.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  sort_by_length(lengths, order);
  return cut(order, batch);
}

std::size_t shard_count(std::size_t sequences) { return (sequences + kSequencesPerShard - 1) / kSequencesPerShard; }

std::span<const std::size_t> shard_of(std::span<const std::size_t> batch, std::size_t shard) {
  const std::size_t first = shard * kSequencesPerShard;
  return batch.subspan(first, std::min(kSequencesPerShard, batch.size() - first));
}

Shard make_shard(const Dataset& data, std::span<const std::size_t> examples, const FeatureStatistics& statistics,
                 const Augmentation& augmentation, const Random& random) {
  std::vector<Piece> pieces;
  Example room;
  for (const std::size_t example : examples) {
    Piece piece = plain_piece(data.example(example, room), statistics);
    pieces.push_back(data.features == 0
                         ? std::move(piece)
                         : augmented(std::move(piece), data.features, augmentation, random.fork(example)));
  }
  return pack(data, examples, pieces);
}

Shard make_shard(const Dataset& data, std::span<const std::size_t> examples, const FeatureStatistics& statistics) {
  return make_shard(data, examples, statistics, {}, Random(0));
}

}  // namespace quaver
