// MemN2NFixed on stored codes: the statements of cells/memn2n/fixed.cc on kernels/address.
#include <algorithm>
#include <array>
#include <utility>

#include "quaver/engine/memory_cell.h"
#include "quaver/engine/memory_parts.h"
#include "quaver/kernels/softmax/softmax.h"

namespace quaver {
namespace {

constexpr int kMostBits = 8;          // codes of facts are bytes
constexpr std::int32_t kEnd = 32767;  // where the integer softmax's logits end

// What this file knows of a scheme; one that says more is left to its own cell.
bool known(const MemoryScheme& scheme) {
  return scheme == MemoryScheme{.arithmetic = MemoryArithmetic::kFixed,
                                .bits = scheme.bits,
                                .integer_bits = scheme.integer_bits,
                                .similarity = scheme.similarity,
                                .hop_formats = scheme.hop_formats,
                                .one_bit_query = scheme.one_bit_query,
                                .one_bit_weights = scheme.one_bit_weights,
                                .integer_only = scheme.integer_only} &&
         scheme.bits <= kMostBits;
}

constexpr std::size_t kOnStack = 256;    // codes of a fact that need no allocation
constexpr std::size_t kMostCounted = 2;  // times that a word comes in a bag of the table
std::int8_t byte(std::int32_t code) { return static_cast<std::int8_t>(code); }
std::int16_t narrow(std::int32_t code) { return static_cast<std::int16_t>(code); }

// (M3)
MoveRule moved(SignMagnitudeFormat from, SignMagnitudeFormat to) { return {to.fraction - from.fraction, to.limit()}; }
SumRule coded(SignMagnitudeFormat from, SignMagnitudeFormat to) {
  return {from.limit(), to.fraction - from.fraction, to.limit()};
}

void signs(const std::int16_t* __restrict codes, std::size_t d, std::int16_t* __restrict out) {
  for (std::size_t j = 0; j < d; ++j) out[j] = codes[j] >= 0 ? 1 : -1;
}

class FixedMemoryCell : public MemoryCell {
 public:
  FixedMemoryCell(const MemoryNetwork& source, Isa isa)
      : MemoryCell(source, isa),
        path_(address_path(isa)),
        shape_(network().shape),
        scheme_(network().scheme),
        base_(scheme_.format()),
        fine_{scheme_.integer_bits, scheme_.fine_fraction()},
        roles_(shape_),
        cell_(shape_, scheme_),
        d_(shape_.d),
        stride_(row_stride(d_)) {
    cell_.set_parameters(network().parameters);
    const bool hamming = scheme_.similarity == MemorySimilarity::kHamming;
    for (std::size_t hop = 0; hop < shape_.hops; ++hop) {
      // The Hamming similarity reads a hop's own codes; everything else reads them in the scheme's format.
      m_of_hop_.push_back(place_of(m_sides_, side(roles_.A[hop], cell_.A(hop), hamming ? cell_.A(hop).format : base_)));
      c_of_hop_.push_back(place_of(c_sides_, side(roles_.C[hop], cell_.C(hop), base_)));
      if (roles_.has_H) H_.push_back(packed_rows(cell_.H(hop).codes, d_));
    }
    std::vector<const MemN2NFixed::CodedMatrix*> matrices;
    for (const Plane& plane : planes_) matrices.push_back(plane.matrix);
    facts_ = word_table(std::move(matrices));
    question_ = word_table({&cell_.B()});
    if (scheme_.one_bit_weights && scheme_.one_bit_query && roles_.has_H) {
      H_bits_.resize((d_ + kBitBlock - 1) / kBitBlock * kBitBlock * bit_words(d_));
      const std::vector<std::int8_t> codes(cell_.H(0).codes.begin(), cell_.H(0).codes.end());
      for (std::size_t j = 0; j < d_; ++j) pack_bits_row(&codes[j * d_], d_, j, H_bits_.data());
    }
    if (scheme_.integer_only) {
      W_ = packed_rows(cell_.W().codes, d_);
      softmax_.emplace(SoftmaxRule::from_scale(static_cast<float>(cell_.similarity_step())));
    }
  }

  // A sum of signs is coded after it was multiplied by the mean weight, so that it must be exact: 16 bits hold as many.
  std::size_t longest_sentence() const override { return scheme_.one_bit_weights ? kMostSummed : kMaxSentence; }
  CodeLayout layout() const override { return {d_, m_sides_.size(), c_sides_.size()}; }
  std::size_t sum_bytes() const override { return planes_.size() * stride_ * sizeof(std::int16_t); }

  void embed(WordNumbers words, std::byte* sums) const override {
    std::vector<std::int32_t> long_sums;
    embed(words, facts_, long_sums, reinterpret_cast<std::int16_t*>(sums));
  }

  void put(const std::byte* sums, std::size_t count, std::size_t age, CodeStore& store,
           std::size_t slot) const override {
    const auto* words = reinterpret_cast<const std::int16_t*>(sums);
    std::array<std::int8_t, kOnStack> short_codes;
    std::vector<std::int8_t> long_codes(stride_ > kOnStack ? stride_ : 0);
    std::int8_t* codes = stride_ > kOnStack ? long_codes.data() : short_codes.data();
    for (std::size_t side = 0; side < m_sides_.size(); ++side) {
      const FactSums facts = sums_of(m_sides_[side], words, age);
      if (slot % kFactBlock == 0 && m_sides_[side].signs.empty()) {
        path_.code_packed(facts, count, d_, m_sides_[side].rule, store.m_block(side, slot));
        continue;
      }
      for (std::size_t i = 0; i < count; ++i) {
        make_codes(m_sides_[side], facts, i, 1, codes);
        store.put_m(side, slot + i, codes);
      }
    }
    for (std::size_t side = 0; side < c_sides_.size(); ++side)
      make_codes(c_sides_[side], sums_of(c_sides_[side], words, age), 0, count, store.c_row(side, slot));
  }

  void answer(const MemoryInput& input, MemoryWorkspace& workspace, std::span<std::int32_t> words,
              MemoryAnswer* explained) const override {
    for (std::size_t first = 0; first < words.size(); first += kQuestionGroup) {
      const std::size_t count = std::min(kQuestionGroup, words.size() - first);
      while (workspace.questions.size() < count) workspace.questions.emplace_back(d_);
      answer_group(input.questions.subspan(first, count), workspace.ranges, std::span(workspace.questions).first(count),
                   words.subspan(first, count), explained);
    }
  }

 private:
  // A few questions together: each piece of the facts' codes is read once for all of them.
  void answer_group(std::span<const WordNumbers> questions, FactRanges ranges, std::span<QuestionWork> works,
                    std::span<std::int32_t> words, MemoryAnswer* explained) const {
    for (std::size_t i = 0; i < works.size(); ++i) {
      QuestionWork& work = works[i];
      embed(questions[i], question_, work.products, work.word_sums.data());
      first_u(work.word_sums.data(), work.u.data());
    }
    SignMagnitudeFormat u_format = cell_.B().format;
    for (std::size_t hop = 0; hop < shape_.hops; ++hop) {
      compare(hop, u_format, ranges, works);
      for (QuestionWork& work : works) {
        if (scheme_.integer_only) {
          attend(facts_of(ranges), work, explained);
        } else {
          attend_in_float(facts_of(ranges), work, explained);
        }
        next_u(hop, u_format, ranges, work);
      }
      u_format = base_;
    }
    for (std::size_t i = 0; i < works.size(); ++i)
      words[i] = scheme_.integer_only ? best_word(works[i], explained) : best_word_in_float(works[i], explained);
  }

  // (F1) of the question.
  void first_u(const std::int16_t* __restrict sums, std::int16_t* __restrict u) const {
    const MemN2NFixed::CodedMatrix& B = cell_.B();
    if (scheme_.one_bit_weights) {
      for (std::size_t j = 0; j < d_; ++j) u[j] = narrow(cell_.limited_sum(B, sums[j], B.shift));
      return;
    }
    const auto high = narrow(B.format.limit()), low = narrow(-high);
    for (std::size_t j = 0; j < stride_; ++j) u[j] = std::max(std::min(sums[j], high), low);
  }

  // A matrix in one format: what facts are summed in.
  struct Plane {
    std::size_t place;
    const MemN2NFixed::CodedMatrix* matrix;
    // [memory + kFactBlock, stride]: the time words' part of a sum, the last one's for older facts too; without them
    // one row of zeros.
    AlignedVector<std::int8_t> ages;
  };
  // The parts of words, as (F1) sums them: [slots, vocabulary, planes, stride]. In a bag slot k is for words that come
  // k + 1 times.
  struct WordTable {
    std::vector<const MemN2NFixed::CodedMatrix*> planes;
    std::size_t slots = 0;  // 0: too large, the cell multiplies anew
    AlignedVector<std::int8_t> parts;
  };
  // A plane's codes in the format they are read in.
  struct Side {
    std::size_t plane;
    SignMagnitudeFormat format;
    SumRule rule;
    std::vector<std::int8_t> signs;  // one_bit_weights: codes of sums from -kMostSigns to kMostSigns
  };
  static constexpr std::int32_t kMostSigns = 127;

  std::size_t plane_of(std::size_t place, const MemN2NFixed::CodedMatrix& matrix) {
    for (std::size_t i = 0; i < planes_.size(); ++i)
      if (planes_[i].place == place && planes_[i].matrix->format == matrix.format) return i;
    Plane plane{place, &matrix,
                AlignedVector<std::int8_t>((shape_.temporal ? shape_.memory + kFactBlock : 1) * stride_)};
    std::vector<std::int32_t> sum(d_);
    for (std::size_t age = 0; shape_.temporal && age < shape_.memory + kFactBlock; ++age) {
      std::ranges::fill(sum, 0);
      cell_.add_age(matrix, std::min(age, shape_.memory - 1), sum.data());
      std::ranges::transform(sum, &plane.ages[age * stride_], byte);
    }
    planes_.push_back(std::move(plane));
    return planes_.size() - 1;
  }

  // Each part is one product's code, or a count's with a sign: a byte.
  WordTable word_table(std::vector<const MemN2NFixed::CodedMatrix*> planes) const {
    WordTable table{std::move(planes), 0, {}};
    const bool bag = shape_.encoding == SentenceEncoding::kWords;
    const std::size_t row = table.planes.size() * stride_;
    const std::size_t most = kMostTable / row / shape_.vocabulary;
    if (most < (bag ? 1 : shape_.sentence)) return table;
    table.slots = bag ? std::min(most, kMostCounted) : shape_.sentence;
    table.parts.resize(table.slots * shape_.vocabulary * row);
    std::vector<std::int32_t> sum(d_);
    for (std::size_t slot = 0; slot < table.slots; ++slot) {
      std::vector<std::int32_t> words(slot + 1);
      for (std::size_t word = 1; word < shape_.vocabulary; ++word) {
        const auto number = static_cast<std::int32_t>(word);
        if (bag) std::ranges::fill(words, number);
        words.back() = number;  // with no words before it
        for (std::size_t plane = 0; plane < table.planes.size(); ++plane) {
          std::ranges::fill(sum, 0);
          cell_.add_words(*table.planes[plane], words, sum.data());
          std::ranges::transform(sum, &table.parts[(slot * shape_.vocabulary + word) * row + plane * stride_], byte);
        }
      }
    }
    return table;
  }

  // The words' part of (F1): sums [planes, stride]. long_sums: where it does not come from the table.
  void embed(WordNumbers words, const WordTable& table, std::vector<std::int32_t>& long_sums,
             std::int16_t* sums) const {
    const std::size_t row = table.planes.size() * stride_;
    std::array<const std::int8_t*, kMostSummed> parts;
    if (const std::optional<std::size_t> count = parts_of(words, table, row, parts))
      return path_.sum_rows(parts.data(), *count, row, sums);
    long_sums.assign(row, 0);
    for (std::size_t plane = 0; plane < table.planes.size(); ++plane)
      cell_.add_words(*table.planes[plane], words, &long_sums[plane * stride_]);
    // A sum of codes beyond kMostSum is beyond the limit with any age; longest_sentence() keeps signs within it.
    std::ranges::transform(long_sums, sums,
                           [](std::int32_t sum) { return narrow(std::clamp(sum, -kMostSum, kMostSum)); });
  }

  // Rows of the table whose sum it is, or nothing where other rows would be needed.
  std::optional<std::size_t> parts_of(WordNumbers words, const WordTable& table, std::size_t row,
                                      std::array<const std::int8_t*, kMostSummed>& parts) const {
    if (table.slots == 0 || words.size() > kMostSummed) return std::nullopt;
    const bool bag = shape_.encoding == SentenceEncoding::kWords;
    const bool counts = bag && comes_again(words);
    std::size_t count = 0;
    for (std::size_t place = 0; place < words.size(); ++place) {
      if (words[place] == 0) continue;
      std::size_t slot = bag ? 0 : word_slot(shape_, place);
      if (counts) {
        // A word that comes again stands once, with its count.
        const auto before = words.first(place);
        if (std::ranges::find(before, words[place]) != before.end()) continue;
        slot = static_cast<std::size_t>(std::ranges::count(words, words[place])) - 1;
        if (slot >= table.slots) return std::nullopt;
      }
      parts[count++] = &table.parts[(slot * shape_.vocabulary + static_cast<std::size_t>(words[place])) * row];
    }
    return count;
  }

  static bool comes_again(WordNumbers words) {
    bool again = false;
    for (std::size_t place = 1; place < words.size(); ++place)
      for (std::size_t before = 0; before < place; ++before) again |= words[before] == words[place];
    return again;
  }

  Side side(std::size_t place, const MemN2NFixed::CodedMatrix& matrix, SignMagnitudeFormat format) {
    Side side{plane_of(place, matrix), format, coded(matrix.format, format), {}};
    for (std::int32_t sum = -kMostSigns; scheme_.one_bit_weights && sum <= kMostSigns; ++sum)
      side.signs.push_back(code_of_signs(side, sum));
    return side;
  }

  std::int8_t code_of_signs(const Side& side, std::int32_t sum) const {
    const MemN2NFixed::CodedMatrix& matrix = *planes_[side.plane].matrix;
    return byte(reformatted(cell_.limited_sum(matrix, sum, matrix.shift), matrix.format, side.format));
  }

  // The first of them of this age, each other one younger.
  FactSums sums_of(const Side& side, const std::int16_t* sums, std::size_t age) const {
    const auto stride = static_cast<std::ptrdiff_t>(stride_);
    return {.sums = sums + side.plane * stride_,
            .sum_stride = planes_.size() * stride_,
            .ages = &planes_[side.plane].ages[shape_.temporal ? age * stride_ : 0],
            .age_stride = shape_.temporal ? -stride : 0};
  }

  // Rows of codes of facts first .. first + count - 1.
  void make_codes(const Side& side, FactSums facts, std::size_t first, std::size_t count, std::int8_t* rows) const {
    facts.sums += first * facts.sum_stride;
    facts.ages += static_cast<std::ptrdiff_t>(first) * facts.age_stride;
    if (side.signs.empty()) return path_.code_rows(facts, count, stride_, side.rule, rows);
    for (std::size_t i = 0; i < count; ++i, rows += stride_) {
      for (std::size_t j = 0; j < d_; ++j) {
        const std::int32_t sum =
            facts.sums[i * facts.sum_stride + j] +
            facts.ages[static_cast<std::ptrdiff_t>(i) * facts.age_stride + static_cast<std::ptrdiff_t>(j)];
        rows[j] = std::abs(sum) <= kMostSigns ? side.signs[static_cast<std::size_t>(sum + kMostSigns)]
                                              : code_of_signs(side, sum);
      }
      std::fill(rows + d_, rows + stride_, std::int8_t{0});
    }
  }

  static std::size_t place_of(std::vector<Side>& sides, Side side) {
    const auto found = std::ranges::find_if(
        sides, [&](const Side& one) { return one.plane == side.plane && one.format == side.format; });
    const auto place = static_cast<std::size_t>(found - sides.begin());
    if (found == sides.end()) sides.push_back(std::move(side));
    return place;
  }

  // (F2)
  void compare(std::size_t hop, SignMagnitudeFormat u_format, FactRanges ranges, std::span<QuestionWork> works) const {
    const std::size_t side = m_of_hop_[hop];
    const std::int32_t end = scheme_.integer_only ? std::min(cell_.similarity_limit(), kEnd) : cell_.similarity_limit();
    const bool hamming = scheme_.similarity == MemorySimilarity::kHamming;
    const HammingRule hamming_rule{.doublings = fine_.fraction - m_sides_[side].format.fraction,
                                   .fine_limit = fine_.limit(),
                                   .cut = fine_.fraction - base_.fraction,
                                   .limit = base_.limit(),
                                   .end = end};
    const TruncationRule dot_rule{
        .fraction = scheme_.one_bit_query ? 0 : base_.fraction, .limit = base_.limit(), .end = end};
    for (QuestionWork& work : works) {
      if (scheme_.one_bit_query && !hamming) {
        signs(work.u.data(), d_, work.x.data());
        path_.split(work.x.data(), {}, work.query);
      } else {
        path_.split(work.u.data(), moved(u_format, hamming ? fine_ : base_), work.query);
      }
    }
    compare_with_facts(
        ranges, side, d_, works,
        [&](const std::int8_t* codes, std::size_t blocks, const QuestionWork& work, std::int32_t* similarities) {
          if (hamming) {
            path_.hamming(codes, blocks, work.query, hamming_rule, similarities);
          } else {
            path_.truncated(codes, blocks, work.query, dot_rule, similarities);
          }
        });
  }

  // (N3) in integers: p in Q0.15 cut to the scheme's fraction.
  void attend(std::size_t facts, QuestionWork& work, MemoryAnswer* explained) const {
    const SoftmaxOthers empty{.logit = 0, .count = static_cast<std::uint32_t>(shape_.empty_facts(facts))};
    const std::int32_t largest = largest_similarity(path_, work, empty.count > 0 ? 0 : -kEnd);
    const auto weight_of = [&](std::int32_t p) { return std::min(p >> (15 - base_.fraction), base_.limit()); };
    pick_facts(*softmax_, largest, empty, weight_of, work, explained);
  }

  // (N3) in float, in the order of the facts.
  void attend_in_float(std::size_t facts, QuestionWork& work, MemoryAnswer* explained) const {
    const auto step = static_cast<float>(cell_.similarity_step());
    work.p.clear();
    for (const auto& similarities : work.of_range)
      for (const std::int32_t s : similarities) work.p.push_back(static_cast<float>(s) * step);
    const float nothing = memory_softmax(work.p, shape_.empty_facts(facts));
    work.picked.resize(work.of_range.size());
    const float* p = work.p.data();
    for (std::size_t range = 0; range < work.of_range.size(); ++range) {
      PickedFacts& picked = work.picked[range];
      picked.count = 0;
      for (std::size_t i = 0; i < work.of_range[range].size(); ++i) picked.add(i, sign_magnitude_code(*p++, base_));
    }
    if (explained == nullptr) return;
    explained->attention.push_back(work.p);
    explained->nothing.push_back(nothing);
  }

  // (F3) (F4)
  void next_u(std::size_t hop, SignMagnitudeFormat u_format, FactRanges ranges, QuestionWork& work) const {
    work.state_sums.resize(std::max(fact_blocks(d_) * kFactBlock, stride_));
    // H u, or u, on the way to the scheme's format.
    if (roles_.has_H) {
      multiply_by_H(hop, u_format, work);
    } else {
      std::ranges::copy(work.u, work.state_sums.begin());
    }
    read_facts(path_, ranges, c_of_hop_[hop], {.fraction = base_.fraction, .limit = base_.limit()}, work);
    path_.add_limited(work.state_sums.data(), coded(roles_.has_H ? cell_.H(hop).format : u_format, base_),
                      work.read_sums.data(), base_.limit(), stride_, work.u.data());
  }

  // To state_sums.
  void multiply_by_H(std::size_t hop, SignMagnitudeFormat u_format, QuestionWork& work) const {
    const MemN2NFixed::CodedMatrix& H = cell_.H(hop);
    const SignMagnitudeFormat format = H.format;
    if (!scheme_.one_bit_query && !scheme_.one_bit_weights) {
      path_.split(work.u.data(), moved(u_format, format), work.query);
      const TruncationRule rule{.fraction = format.fraction, .limit = format.limit(), .end = format.limit()};
      return path_.truncated(H_[hop].data(), fact_blocks(d_), work.query, rule, work.state_sums.data());
    }
    if (scheme_.one_bit_query) {
      signs(work.u.data(), d_, work.x.data());
    } else {
      for (std::size_t j = 0; j < d_; ++j) work.x[j] = narrow(reformatted(work.u[j], u_format, format));
    }
    if (!H_bits_.empty()) {
      work.query.set_bits(work.x.data());
      path_.agreement(H_bits_.data(), (d_ + kBitBlock - 1) / kBitBlock, work.query, work.state_sums.data());
    } else {
      path_.narrow(work.x.data(), work.query);
      path_.exact(H_[hop].data(), fact_blocks(d_), work.query, work.state_sums.data());
    }
    const int shift = H.shift - (scheme_.one_bit_query ? format.fraction : 0);
    for (std::size_t j = 0; j < stride_; ++j)
      work.state_sums[j] = j < d_ ? cell_.limited_sum(H, work.state_sums[j], shift) : 0;
  }

  // (F5) The lowest of equals; number 0 is no answer.
  std::int32_t best_word(QuestionWork& work, MemoryAnswer* explained) const {
    const std::size_t blocks = fact_blocks(shape_.vocabulary);
    work.products.resize(std::max(blocks * kFactBlock, stride_));
    path_.narrow(work.u.data(), work.query);
    path_.exact(W_.data(), blocks, work.query, work.products.data());
    const std::int32_t best = best_of(path_, std::span(work.products).first(shape_.vocabulary));
    if (explained != nullptr) {
      const double step = base_.step();
      for (std::size_t word = 0; word < shape_.vocabulary; ++word)
        explained->scores.push_back(static_cast<float>(work.products[word] * step * step));
    }
    return best;
  }

  // (N6) with the float weights.
  std::int32_t best_word_in_float(QuestionWork& work, MemoryAnswer* explained) const {
    const std::size_t offset = memory_matrices(shape_)[roles_.W].offset;
    const double step = base_.step();
    MemoryAnswer answer;
    for (std::size_t word = 0; word < shape_.vocabulary; ++word) {
      float score = 0;
      for (std::size_t j = 0; j < d_; ++j)
        score += network().parameters[offset + word * d_ + j] * static_cast<float>(work.u[j] * step);
      answer.scores.push_back(score);
    }
    const auto best = static_cast<std::int32_t>(answer.best());
    if (explained != nullptr) explained->scores = std::move(answer.scores);
    return best;
  }

  const AddressPath& path_;
  const MemN2NShape& shape_;
  const MemoryScheme& scheme_;
  SignMagnitudeFormat base_, fine_;
  MemoryRoles roles_;
  MemN2NFixed cell_;
  std::size_t d_, stride_;
  std::vector<Plane> planes_;
  WordTable facts_, question_;
  std::vector<Side> m_sides_, c_sides_;
  std::vector<std::size_t> m_of_hop_, c_of_hop_;
  std::vector<AlignedVector<std::int8_t>> H_;
  AlignedVector<std::uint64_t> H_bits_;
  AlignedVector<std::int8_t> W_;
  std::optional<SoftmaxTable> softmax_;  // integer_only
};

}  // namespace

std::shared_ptr<const MemoryCell> make_fixed_memory_cell(const MemoryNetwork& network, Isa isa) {
  if (!known(network.scheme)) return nullptr;
  return std::make_shared<FixedMemoryCell>(network, isa);
}

}  // namespace quaver
