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

constexpr std::size_t kAtOnce = 16;                       // words whose parts are summed in one go
constexpr std::size_t kOnStack = 256;                     // codes of a fact that need no allocation
constexpr std::size_t kMostTable = std::size_t{1} << 24;  // bytes of a table of words

std::int8_t byte(std::int32_t code) { return static_cast<std::int8_t>(code); }
std::int16_t narrow(std::int32_t code) { return static_cast<std::int16_t>(code); }

// (M3) of d codes of up to 8 bits, in 16: |shift| <= 8. __restrict: the compiler may take eight at once.
void reformat(const std::int16_t* __restrict codes, SignMagnitudeFormat from, SignMagnitudeFormat to, std::size_t d,
              std::int16_t* __restrict out) {
  const int shift = to.fraction - from.fraction;
  const auto limit = narrow(to.limit());
  for (std::size_t j = 0; j < d; ++j) {
    const std::int16_t sign = narrow(codes[j] >> 15), magnitude = narrow((codes[j] ^ sign) - sign);
    const std::int16_t moved = std::min(shift >= 0 ? narrow(magnitude << shift) : narrow(magnitude >> -shift), limit);
    out[j] = narrow((moved ^ sign) - sign);
  }
}

void signs(const std::int16_t* __restrict codes, std::size_t d, std::int16_t* __restrict out) {
  for (std::size_t j = 0; j < d; ++j) out[j] = codes[j] >= 0 ? 1 : -1;
}

void limit_sums(const std::int32_t* __restrict sums, std::int32_t limit, std::size_t d, std::int16_t* __restrict out) {
  for (std::size_t j = 0; j < d; ++j) out[j] = narrow(std::clamp(sums[j], -limit, limit));
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
      m_of_hop_.push_back(
          side_of(m_sides_, {plane_of(roles_.A[hop], cell_.A(hop)), hamming ? cell_.A(hop).format : base_}));
      c_of_hop_.push_back(side_of(c_sides_, {plane_of(roles_.C[hop], cell_.C(hop)), base_}));
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

  CodeLayout layout() const override { return {d_, m_sides_.size(), c_sides_.size()}; }
  std::size_t sum_width() const override { return planes_.size() * stride_; }

  void embed(WordNumbers words, std::int32_t* sums) const override {
    std::fill_n(sums, sum_width(), 0);
    embed(words, facts_, sums);
  }

  void put(const std::int32_t* sums, std::size_t age, CodeStore& store, std::size_t slot) const override {
    std::array<std::int8_t, kOnStack> short_codes;
    std::vector<std::int8_t> long_codes(stride_ > kOnStack ? stride_ : 0);
    std::int8_t* codes = stride_ > kOnStack ? long_codes.data() : short_codes.data();
    for (std::size_t side = 0; side < m_sides_.size(); ++side) {
      make_codes(m_sides_[side], sums, age, codes);
      store.put_m(side, slot, codes);
    }
    for (std::size_t side = 0; side < c_sides_.size(); ++side) {
      make_codes(c_sides_[side], sums, age, codes);
      store.put_c(side, slot, codes);
    }
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
      work.u.resize(d_);
      work.x.resize(d_);
      work.sums.assign(stride_, 0);
      embed(questions[i], question_, work.sums.data());
      limited(cell_.B(), work.sums.data(), cell_.B().shift, work.u.data());
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

  // A matrix in one format: what facts are summed in.
  struct Plane {
    std::size_t place;
    const MemN2NFixed::CodedMatrix* matrix;
    AlignedVector<std::int8_t> ages;  // [memory, stride]: the time words' part of a sum; without them one row of zeros
  };
  // The parts of words standing once, as (F1) sums them: [slots, vocabulary, planes, stride]. A bag has one slot.
  struct WordTable {
    std::vector<const MemN2NFixed::CodedMatrix*> planes;
    std::size_t slots = 0;  // 0: too large, the cell multiplies anew
    AlignedVector<std::int8_t> parts;
  };
  // A plane's codes in the format they are read in.
  struct Side {
    std::size_t plane;
    SignMagnitudeFormat format;
    bool operator==(const Side&) const = default;
  };

  std::size_t plane_of(std::size_t place, const MemN2NFixed::CodedMatrix& matrix) {
    for (std::size_t i = 0; i < planes_.size(); ++i)
      if (planes_[i].place == place && planes_[i].matrix->format == matrix.format) return i;
    Plane plane{place, &matrix, AlignedVector<std::int8_t>((shape_.temporal ? shape_.memory : 1) * stride_)};
    std::vector<std::int32_t> sum(d_);
    for (std::size_t age = 0; shape_.temporal && age < shape_.memory; ++age) {
      std::ranges::fill(sum, 0);
      cell_.add_age(matrix, age, sum.data());
      std::ranges::transform(sum, &plane.ages[age * stride_], byte);
    }
    planes_.push_back(std::move(plane));
    return planes_.size() - 1;
  }

  // Each part is one product's code, or a count's with a sign: a byte.
  WordTable word_table(std::vector<const MemN2NFixed::CodedMatrix*> planes) const {
    WordTable table{std::move(planes), 0, {}};
    const std::size_t slots = shape_.encoding == SentenceEncoding::kWords ? 1 : shape_.sentence;
    const std::size_t row = table.planes.size() * stride_;
    if (slots * shape_.vocabulary > kMostTable / row) return table;
    table.slots = slots;
    table.parts.resize(slots * shape_.vocabulary * row);
    std::vector<std::int32_t> sum(d_);
    for (std::size_t slot = 0; slot < slots; ++slot) {
      std::vector<std::int32_t> words(slot + 1);  // no words before it
      for (std::size_t word = 1; word < shape_.vocabulary; ++word) {
        words.back() = static_cast<std::int32_t>(word);
        for (std::size_t plane = 0; plane < table.planes.size(); ++plane) {
          std::ranges::fill(sum, 0);
          cell_.add_words(*table.planes[plane], words, sum.data());
          std::ranges::transform(sum, &table.parts[(slot * shape_.vocabulary + word) * row + plane * stride_], byte);
        }
      }
    }
    return table;
  }

  // Adds the words' part of (F1) to sums [planes, stride].
  void embed(WordNumbers words, const WordTable& table, std::int32_t* sums) const {
    const std::size_t row = table.planes.size() * stride_;
    const auto let_the_cell_add = [&](WordNumbers some) {
      for (std::size_t plane = 0; plane < table.planes.size(); ++plane)
        cell_.add_words(*table.planes[plane], some, sums + plane * stride_);
    };
    if (table.slots == 0) return let_the_cell_add(words);
    const bool bag = shape_.encoding == SentenceEncoding::kWords;
    std::array<const std::int8_t*, kAtOnce> parts;
    std::size_t count = 0;
    for (std::size_t place = 0; place < words.size(); ++place) {
      if (words[place] == 0) continue;
      const auto before = words.first(place);
      if (bag) {
        // In a bag a word that comes again stands once, with its count.
        if (std::ranges::find(before, words[place]) != before.end()) continue;
        const auto times = static_cast<std::size_t>(std::ranges::count(words, words[place]));
        if (times > 1) {
          let_the_cell_add(std::vector<std::int32_t>(times, words[place]));
          continue;
        }
      }
      const std::size_t slot = bag ? 0 : word_slot(shape_, place);
      parts[count++] = &table.parts[(slot * shape_.vocabulary + static_cast<std::size_t>(words[place])) * row];
      if (count == kAtOnce) path_.accumulate(parts.data(), std::exchange(count, 0), row, sums);
    }
    path_.accumulate(parts.data(), count, row, sums);
  }

  void make_codes(const Side& side, const std::int32_t* sums, std::size_t age, std::int8_t* codes) const {
    const Plane& plane = planes_[side.plane];
    const MemN2NFixed::CodedMatrix& matrix = *plane.matrix;
    const std::int8_t* of_age = &plane.ages[(shape_.temporal ? age : 0) * stride_];
    sums += side.plane * stride_;
    if (!scheme_.one_bit_weights) {
      path_.finish(sums, of_age, stride_,
                   {matrix.format.limit(), side.format.fraction - matrix.format.fraction, side.format.limit()}, codes);
      return;
    }
    for (std::size_t j = 0; j < d_; ++j)
      codes[j] =
          byte(reformatted(cell_.limited_sum(matrix, sums[j] + of_age[j], matrix.shift), matrix.format, side.format));
  }

  static std::size_t side_of(std::vector<Side>& sides, const Side& side) {
    const auto found = std::ranges::find(sides, side);
    const auto place = static_cast<std::size_t>(found - sides.begin());
    if (found == sides.end()) sides.push_back(side);
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
      } else {
        reformat(work.u.data(), u_format, hamming ? fine_ : base_, d_, work.x.data());
      }
      if (hamming) {
        work.query.set_hamming(work.x.data());
      } else {
        work.query.set_codes(work.x.data());
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

  void limited(const MemN2NFixed::CodedMatrix& matrix, const std::int32_t* sums, int shift, std::int16_t* out) const {
    if (!scheme_.one_bit_weights) return limit_sums(sums, matrix.format.limit(), d_, out);
    for (std::size_t j = 0; j < d_; ++j) out[j] = narrow(cell_.limited_sum(matrix, sums[j], shift));
  }

  // (N3) in integers: p in Q0.15 cut to the scheme's fraction.
  void attend(std::size_t facts, QuestionWork& work, MemoryAnswer* explained) const {
    const SoftmaxOthers empty{.logit = 0, .count = static_cast<std::uint32_t>(shape_.empty_facts(facts))};
    std::int32_t largest = empty.count > 0 ? 0 : -kEnd;
    for (const auto similarities : work.of_range)
      for (const std::int32_t s : similarities) largest = std::max(largest, s);
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
      picked.which.clear();
      picked.weights.clear();
      for (std::size_t i = 0; i < work.of_range[range].size(); ++i) {
        const std::int32_t weight = sign_magnitude_code(*p++, base_);
        if (weight == 0) continue;
        picked.which.push_back(static_cast<std::uint32_t>(i));
        picked.weights.push_back(narrow(weight));
      }
    }
    if (explained == nullptr) return;
    explained->attention.push_back(work.p);
    explained->nothing.push_back(nothing);
  }

  // (F3) (F4)
  void next_u(std::size_t hop, SignMagnitudeFormat u_format, FactRanges ranges, QuestionWork& work) const {
    const std::size_t side = c_of_hop_[hop];
    const std::int32_t limit = base_.limit();
    // H u, or u, in the scheme's format.
    if (roles_.has_H) {
      multiply_by_H(hop, u_format, work);
    } else {
      reformat(work.u.data(), u_format, base_, d_, work.x.data());
      std::swap(work.u, work.x);
    }
    read_facts(path_, ranges, side, d_, {.fraction = base_.fraction, .limit = limit}, work);
    std::int16_t* __restrict u = work.u.data();
    const std::int32_t* __restrict read = work.sums.data();
    for (std::size_t j = 0; j < d_; ++j)
      u[j] = narrow(std::clamp(u[j] + std::clamp(read[j], -limit, limit), -limit, limit));
  }

  void multiply_by_H(std::size_t hop, SignMagnitudeFormat u_format, QuestionWork& work) const {
    const MemN2NFixed::CodedMatrix& H = cell_.H(hop);
    const SignMagnitudeFormat format = H.format;
    const int fraction = scheme_.one_bit_query ? 0 : format.fraction;
    if (scheme_.one_bit_query) {
      signs(work.u.data(), d_, work.x.data());
    } else {
      reformat(work.u.data(), u_format, format, d_, work.x.data());
    }
    work.sums.resize(std::max(fact_blocks(d_) * kFactBlock, stride_));
    if (!H_bits_.empty()) {
      work.query.set_bits(work.x.data());
      path_.agreement(H_bits_.data(), (d_ + kBitBlock - 1) / kBitBlock, work.query, work.sums.data());
    } else {
      work.query.set_codes(work.x.data());
      if (scheme_.one_bit_weights) {
        path_.exact(H_[hop].data(), fact_blocks(d_), work.query, work.sums.data());
      } else {
        const TruncationRule rule{.fraction = fraction, .limit = format.limit(), .end = format.limit()};
        path_.truncated(H_[hop].data(), fact_blocks(d_), work.query, rule, work.sums.data());
      }
    }
    const int shift = H.shift - (format.fraction - fraction);
    limited(H, work.sums.data(), shift, work.x.data());
    reformat(work.x.data(), format, base_, d_, work.u.data());
  }

  // (F5) The lowest of equals; number 0 is no answer.
  std::int32_t best_word(QuestionWork& work, MemoryAnswer* explained) const {
    const std::size_t blocks = fact_blocks(shape_.vocabulary);
    work.sums.resize(std::max(blocks * kFactBlock, stride_));
    work.query.set_codes(work.u.data());
    path_.exact(W_.data(), blocks, work.query, work.sums.data());
    const std::int32_t best = best_of(std::span(work.sums).first(shape_.vocabulary));
    if (explained != nullptr) {
      const double step = base_.step();
      for (std::size_t word = 0; word < shape_.vocabulary; ++word)
        explained->scores.push_back(static_cast<float>(work.sums[word] * step * step));
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
