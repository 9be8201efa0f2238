#include "quaver/kernels/bit_planes/bit_planes.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "quaver/core/check.h"
#include "quaver/core/error.h"
#include "quaver/core/text.h"
#include "quaver/fixed/quantization.h"
#include "quaver/fixed/range.h"
#include "quaver/kernels/bit_planes/paths.h"
#include "quaver/kernels/dispatch/path_table.h"

namespace quaver {
namespace {

void check_bits(const char* whose, BitFormat format) {
  if (format.bits < 1 || format.bits > kMostBits)
    throw_usage(concat(whose, " of bit planes have ", format.bits, " bits, expected 1 to ", kMostBits));
}

// Integer codes are (q - 1) / 2.
bool is_integer(BitFormat format) { return format.grid == CodeGrid::kInteger; }
std::int64_t odd_value(BitFormat format, std::uint8_t code) {
  return BitFormat{format.bits, CodeGrid::kOdd}.value(code);
}

int halvings_of(BitProductFormats formats) { return is_integer(formats.weights) + is_integer(formats.activations); }

// Every sum that the row can have; Error when one leaves int32.
void check_range(std::span<const std::uint8_t> weights, std::size_t row, std::int32_t bias, BitProductFormats formats) {
  std::int64_t positive = 0, negative = 0;
  for (const std::uint8_t code : weights) {
    const std::int32_t value = formats.weights.value(code);
    (value > 0 ? positive : negative) += value;
  }
  const Range x = Range::of(formats.activations.lowest(), formats.activations.highest());
  const Range sums = Range::of(bias, bias) + Range::of(positive, positive) * x + Range::of(negative, negative) * x;
  if (sums.fits(32)) return;
  throw_bad_input(concat("row ", row, " of a matrix of ", formats.weights.name(), " weights with ", weights.size(),
                         " columns can leave 32 bits: with ", formats.activations.name(), " activations and a bias of ",
                         bias, " its sums lie in ", static_cast<std::int64_t>(sums.low), "..",
                         static_cast<std::int64_t>(sums.high), "; use fewer bits, fewer columns or a smaller bias"));
}

}  // namespace

std::span<const BitPlanesPath> bit_planes_paths() {
  static const std::vector paths = [] {
    std::vector table = table_of(kBitPlanesTable);
#if defined(__x86_64__)
    if (has_avx512vpopcntdq()) table.back() = kAvx512VpopcntdqBitPlanes;
#endif
    return table;
  }();
  return paths;
}

const BitPlanesPath& bit_planes_path(Isa isa) { return find_path(bit_planes_paths(), isa); }

std::uint8_t BitFormat::nearest(float x, float scale) const {
  QUAVER_DCHECK(std::isfinite(x) && scale > 0);
  if (is_integer(*this)) return static_cast<std::uint8_t>(quantize(x, scale, 0, lowest(), highest()) - lowest());
  // Between two odd numbers lies an even one: the magnitude's code is that of the even one at or below it.
  const double pairs = std::min(std::fabs(static_cast<double>(x)) / (2.0 * scale), codes() / 2 - 1.0);
  const auto above = static_cast<std::int32_t>(pairs);
  return static_cast<std::uint8_t>(x < 0 ? codes() / 2 - 1 - above : codes() / 2 + above);
}

std::string BitFormat::name() const { return concat(bits, "-bit ", grid == CodeGrid::kOdd ? "odd" : "integer"); }

ActivationCodes::ActivationCodes(std::size_t size, BitFormat format, const BitPlanesPath& path)
    : format_(format), path_(&path), codes_(size) {
  check_bits("activations", format);
  planes_.resize(static_cast<std::size_t>(format.bits) * plane_words(size));
  split();
}

void ActivationCodes::assign(std::span<const std::uint8_t> codes) noexcept {
  QUAVER_DCHECK(codes.size() == size());
  QUAVER_DCHECK(std::ranges::all_of(codes, [this](std::uint8_t code) { return code < format_.codes(); }));
  std::ranges::copy(codes, codes_.begin());
  split();
}

void ActivationCodes::quantize(std::span<const float> x, float scale) noexcept {
  QUAVER_DCHECK(x.size() == size());
  for (std::size_t c = 0; c < codes_.size(); ++c) codes_[c] = format_.nearest(x[c], scale);
  split();
}

void ActivationCodes::split() noexcept {
  path_->split(codes_.data(), codes_.size(), format_.bits, planes_.data());
  const auto sum = std::accumulate(codes_.begin(), codes_.end(), std::uint32_t{0});
  odd_sum_ = 2 * std::int64_t{sum} - std::int64_t{format_.codes() - 1} * static_cast<std::int64_t>(size());
}

BitPlaneMatrix::BitPlaneMatrix(MatrixView<const std::uint8_t> weights, std::span<const std::int32_t> bias,
                               BitProductFormats formats, const BitPlanesPath& path)
    : rows_(weights.rows()), cols_(weights.cols()), formats_(formats), path_(&path) {
  check_bits("weights", formats.weights);
  check_bits("activations", formats.activations);
  QUAVER_DCHECK(bias.empty() || bias.size() == rows_);
  const std::size_t words = plane_words(cols_), row_words = static_cast<std::size_t>(formats.weights.bits) * words;
  const bool integer_weights = is_integer(formats.weights), integer_activations = is_integer(formats.activations);
  const std::int64_t all_agree = std::int64_t{formats.weights.codes() - 1} * (formats.activations.codes() - 1);
  planes_.resize(padded_rows(rows_) * row_words);
  starts_.resize(padded_rows(rows_));
  std::vector<std::uint64_t> planes(row_words);
  for (std::size_t r = 0; r < rows_; ++r) {
    const std::span<const std::uint8_t> row = weights.row(r);
    const auto none = std::ranges::find_if(row, [&](std::uint8_t code) { return code >= formats.weights.codes(); });
    if (none != row.end())
      throw_bad_input(concat("row ", r, ", column ", none - row.begin(), " of a matrix of ", formats.weights.name(),
                             " weights has the code ", int{*none}, ", expected 0 to ", formats.weights.codes() - 1));
    const std::int32_t b = bias.empty() ? 0 : bias[r];
    check_range(row, r, b, formats);

    path.split(row.data(), cols_, formats.weights.bits, planes.data());
    std::uint64_t* block = planes_.data() + r / kRowBlock * kRowBlock * row_words + r % kRowBlock;
    for (std::size_t i = 0; i < row_words; ++i) block[i * kRowBlock] = planes[i];

    // (A50) What the sum of the planes' products begins with, and what the -1 of integer codes adds.
    std::int64_t start = (std::int64_t{b} << halvings_of(formats)) + static_cast<std::int64_t>(cols_) * all_agree;
    if (integer_activations)
      for (const std::uint8_t code : row) start -= odd_value(formats.weights, code);
    if (integer_weights && integer_activations) start += static_cast<std::int64_t>(cols_);
    starts_[r] = start;
  }
}

void BitPlaneMatrix::run(const ActivationCodes& x, std::int32_t* acc) const noexcept {
  if (rows_ == 0) return;
  QUAVER_DCHECK(x.size() == cols_ && x.format() == formats_.activations);
  path_->run({.weights = planes_.data(),
              .activations = x.planes(),
              .starts = starts_.data(),
              .blocks = starts_.size() / kRowBlock,
              .words = plane_words(cols_),
              .weight_bits = formats_.weights.bits,
              .activation_bits = formats_.activations.bits,
              .offset = is_integer(formats_.weights) ? -x.odd_sum() : 0,
              .halvings = halvings_of(formats_),
              .acc = acc});
}

}  // namespace quaver
