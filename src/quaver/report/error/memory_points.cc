#include "quaver/report/error/memory_points.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

#include "quaver/core/error.h"
#include "quaver/core/text.h"

namespace quaver {
namespace {

template <typename Code>
MemoryPoint decoded(std::string name, std::span<const Code> codes, double step, std::int64_t limit) {
  MemoryPoint point{.name = std::move(name), .values = {}};
  for (const Code code : codes) {
    point.values.push_back(static_cast<float>(static_cast<double>(code) * step));
    if (std::abs(static_cast<std::int64_t>(code)) >= limit) ++point.saturated;
  }
  return point;
}

MemoryPoint decoded(std::string name, std::span<const std::int16_t> codes, SignMagnitudeFormat format) {
  return decoded(std::move(name), codes, format.step(), format.limit());
}

std::string point_name(std::size_t hop, const char* what) { return concat("hop", hop + 1, ".", what); }

}  // namespace

MemoryProbe::MemoryProbe(const MemoryNetwork& network) : network_(network) {
  validate(network);
  if (network.scheme.is_scaled()) {
    scaled_.emplace(network.shape, network.scheme, network.scales);
    scaled_->set_parameters(network.parameters);
  } else if (network.scheme.is_fixed()) {
    fixed_.emplace(network.shape, network.scheme);
    fixed_->set_parameters(network.parameters);
  } else {
    float_.emplace(network.shape, network.parameters);
  }
}

void MemoryProbe::ask(const MemoryQuestion& question) {
  points_.clear();
  if (fixed_) {
    take_fixed(question);
  } else if (scaled_) {
    take_scaled(question);
  } else {
    take_float(question);
  }
  answer_ = best_word(points_.back().values);
}

void MemoryProbe::take_float(const MemoryQuestion& question) {
  MemoryTrace trace = float_->trace(question);
  points_.push_back({"question", trace.hops.front().u});
  for (std::size_t hop = 0; hop < trace.hops.size(); ++hop) {
    MemoryTrace::Hop& values = trace.hops[hop];
    const bool last = hop + 1 == trace.hops.size();
    points_.push_back({point_name(hop, "m"), std::move(values.m)});
    points_.push_back({point_name(hop, "c"), std::move(values.c)});
    points_.push_back({point_name(hop, "similarity"), std::move(values.s)});
    points_.push_back({point_name(hop, "p"), std::move(values.p)});
    points_.push_back({point_name(hop, "read"), std::move(values.o)});
    points_.push_back({point_name(hop, "u"), last ? trace.u : trace.hops[hop + 1].u});
  }
  points_.push_back({"scores", std::move(trace.scores)});
}

void MemoryProbe::take_fixed(const MemoryQuestion& question) {
  MemoryAnswer answer = fixed_->answer(question);
  const FixedCodes& cell = fixed_->codes();
  const std::size_t hops = network_.shape.hops, facts = question.facts.size();
  const SignMagnitudeFormat base = cell.base();
  const auto add = [&](std::string name, const std::int16_t* rows, std::size_t count, SignMagnitudeFormat of) {
    std::vector<std::int16_t> codes;
    for (std::size_t row = 0; row < count; ++row, rows += cell.stride())
      codes.insert(codes.end(), rows, rows + network_.shape.d);
    points_.push_back(decoded(std::move(name), std::span<const std::int16_t>(codes), of));
  };
  add("question", fixed_->hop(0).u.data(), 1, cell.u_format(0));
  for (std::size_t hop = 0; hop < hops; ++hop) {
    const MemN2NFixed::Hop& codes = fixed_->hop(hop);
    for (const auto& [what, embedding] : {std::pair{"m", cell.m_of(hop)}, std::pair{"c", cell.c_of(hop)}})
      add(point_name(hop, what), fixed_->facts(embedding).codes, facts, cell.embeddings()[embedding].format);
    points_.push_back(decoded(point_name(hop, "similarity"), std::span<const std::int32_t>(codes.s),
                              cell.similarity_step(), cell.similarity_limit()));
    points_.push_back(decoded(point_name(hop, "p"), std::span<const std::int16_t>(codes.p_codes), base));
    add(point_name(hop, "read"), codes.o.data(), 1, base);
    add(point_name(hop, "u"), hop + 1 < hops ? fixed_->hop(hop + 1).u.data() : fixed_->output().data(), 1, base);
  }
  points_.push_back({"scores", std::move(answer.scores)});
}

void MemoryProbe::take_scaled(const MemoryQuestion& question) {
  MemoryAnswer answer = scaled_->answer(question);
  const MemoryScheme& scheme = network_.scheme;
  const MemoryScales& scales = network_.scales;
  const MemoryRoles roles(network_.shape);
  const std::size_t hops = network_.shape.hops;
  const std::int64_t limit = (std::int64_t{1} << (scheme.bits - 1)) - 1;
  const double p_step = scaled_->p_step();
  const auto add = [&](std::string name, const auto& codes, double step, std::int64_t end) {
    points_.push_back(decoded(std::move(name), std::span(codes), step, end));
  };
  add("question", scaled_->hop(0).u, scales.u[0], limit);
  for (std::size_t hop = 0; hop < hops; ++hop) {
    const MemN2NScaled::Hop& codes = scaled_->hop(hop);
    const double m_step = scales.embedded[roles.A[hop]], c_step = scales.embedded[roles.C[hop]];
    add(point_name(hop, "m"), scaled_->embedded(roles.A[hop]), m_step, limit);
    add(point_name(hop, "c"), scaled_->embedded(roles.C[hop]), c_step, limit);
    // From the largest one down the last code means "nothing", which is no saturation.
    if (scheme.relative_similarity)
      add(point_name(hop, "similarity"), codes.t, m_step * (scheme.one_bit_query ? scales.query[hop] : scales.u[hop]),
          std::numeric_limits<std::int64_t>::max());
    else
      add(point_name(hop, "similarity"), codes.s, scales.s[hop], limit);
    add(point_name(hop, "p"), codes.p, p_step, scheme.shared_point ? limit : 2 * limit + 1);
    add(point_name(hop, "read"), codes.o, p_step * c_step, std::numeric_limits<std::int64_t>::max());
    add(point_name(hop, "u"), hop + 1 < hops ? scaled_->hop(hop + 1).u : scaled_->output(), scales.u[hop + 1], limit);
  }
  points_.push_back({"scores", std::move(answer.scores)});
}

const MemoryPoint& MemoryProbe::similarity(std::size_t hop) const {
  constexpr std::size_t kPlace = 2;  // after m and c
  return points_[place(hop) + kPlace];
}

std::optional<double> MemoryProbe::similarity_limit() const {
  if (scaled_ && !network_.scheme.relative_similarity) {
    const float largest = *std::ranges::max_element(network_.scales.s);
    return std::ldexp(1.0, network_.scheme.bits - 1) * static_cast<double>(largest) - static_cast<double>(largest);
  }
  if (!fixed_) return std::nullopt;
  return fixed_->codes().similarity_limit() * fixed_->codes().similarity_step();
}

double SimilarityHistogram::saturated_percent() const {
  return count == 0 ? 0 : 100 * static_cast<double>(saturated) / static_cast<double>(count);
}

std::vector<SimilarityHistogram> similarity_histograms(const MemoryNetwork& network,
                                                       std::span<const MemoryQuestion> questions, std::size_t bins) {
  if (bins == 0) throw_usage("a histogram of similarities needs at least one bin");
  MemoryProbe probe(network);
  const std::size_t hops = network.shape.hops;
  std::vector<std::vector<float>> values(hops);
  std::vector<SimilarityHistogram> histograms(hops);
  double bound = 0;  // of float: known when all have come
  for (const MemoryQuestion& question : questions) {
    probe.ask(question);
    for (std::size_t hop = 0; hop < hops; ++hop) {
      const MemoryPoint& point = probe.similarity(hop);
      values[hop].insert(values[hop].end(), point.values.begin(), point.values.end());
      histograms[hop].saturated += point.saturated;
      for (const float value : point.values) bound = std::max(bound, std::abs(static_cast<double>(value)));
    }
  }
  if (probe.similarity_limit()) bound = *probe.similarity_limit();
  for (std::size_t hop = 0; hop < hops; ++hop) {
    SimilarityHistogram& histogram = histograms[hop];
    histogram.hop = hop + 1;
    histogram.low = -bound;
    histogram.high = bound;
    histogram.counts.assign(bins, 0);
    histogram.count = values[hop].size();
    histogram.limit = probe.similarity_limit();
    if (values[hop].empty()) continue;
    const auto [smallest, largest] = std::ranges::minmax(values[hop]);
    histogram.smallest = static_cast<double>(smallest);
    histogram.largest = static_cast<double>(largest);
    for (const float value : values[hop]) {
      const double share = bound == 0 ? 0 : (static_cast<double>(value) + bound) / (2 * bound);
      ++histogram.counts[std::min(static_cast<std::size_t>(share * static_cast<double>(bins)), bins - 1)];
    }
  }
  return histograms;
}

nlohmann::ordered_json to_json(const SimilarityHistogram& histogram) {
  nlohmann::ordered_json json = {{"hop", histogram.hop},
                                 {"low", histogram.low},
                                 {"high", histogram.high},
                                 {"counts", histogram.counts},
                                 {"count", histogram.count},
                                 {"saturated", histogram.saturated},
                                 {"saturated_percent", histogram.saturated_percent()},
                                 {"limit", nullptr},
                                 {"smallest", histogram.smallest},
                                 {"largest", histogram.largest}};
  if (histogram.limit) json["limit"] = *histogram.limit;
  return json;
}

}  // namespace quaver
