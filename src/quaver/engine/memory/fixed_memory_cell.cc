// The steps of cells/memn2n/fixed_steps.h on stored codes: facts as bytes packed for kernels/address, several questions
// at a time.
#include <algorithm>
#include <array>
#include <utility>

#include "quaver/cells/memn2n/fixed_codes.h"
#include "quaver/cells/memn2n/fixed_steps.h"
#include "quaver/engine/memory/memory_cell.h"
#include "quaver/engine/memory/memory_parts.h"
#include "quaver/kernels/softmax/softmax.h"

namespace quaver {
namespace {

constexpr int kMostBits = 8;          // codes of facts are bytes
constexpr std::int32_t kEnd = 32767;  // where the integer softmax's logits end

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
        codes_(shape_, scheme_),
        d_(shape_.d),
        stride_(row_stride(d_)) {
    static_assert(kRowAlignment == kCodeLanes, "rows of the cell's codes are as long as those of the kernels");
    codes_.set_parameters(network().parameters);
    for (const Matrix& matrix : codes_.embeddings()) ages_.push_back(age_table(matrix));
    for (std::size_t hop = 0; hop < shape_.hops; ++hop) {
      const std::size_t m = codes_.m_of(hop), c = codes_.c_of(hop);
      // The Hamming similarity reads a hop's own codes; everything else reads them in the scheme's format.
      m_of_hop_.push_back(place_of(m_sides_, side(m, codes_.is_hamming() ? codes_.embeddings()[m].format : base_)));
      c_of_hop_.push_back(place_of(c_sides_, side(c, base_)));
      if (codes_.has_H()) H_.push_back(packed_rows(codes_.H(hop).codes, d_, stride_));
    }
    std::vector<const Matrix*> matrices;
    for (const Matrix& matrix : codes_.embeddings()) matrices.push_back(&matrix);
    facts_ = word_table(std::move(matrices));
    question_ = word_table({&codes_.B()});
    if (scheme_.one_bit_weights && scheme_.one_bit_query && codes_.has_H()) {
      H_bits_.resize((d_ + kBitBlock - 1) / kBitBlock * kBitBlock * bit_words(d_));
      const FixedCodes::Rows& H = codes_.H(0).codes;
      const std::vector<std::int8_t> codes(H.begin(), H.end());
      for (std::size_t j = 0; j < d_; ++j) pack_bits_row(&codes[j * stride_], d_, j, H_bits_.data());
    }
    if (scheme_.integer_only) {
      W_ = packed_rows(codes_.W().codes, d_, stride_);
      softmax_.emplace(SoftmaxRule::from_scale(static_cast<float>(codes_.similarity_step())));
    }
  }

  // A sum of signs is coded after it was multiplied by the mean weight, so that it must be exact: 16 bits hold as many.
  std::size_t longest_sentence() const override { return scheme_.one_bit_weights ? kMostSummed : kMaxSentence; }
  CodeLayout layout() const override { return {d_, m_sides_.size(), c_sides_.size()}; }
  std::size_t sum_bytes() const override { return ages_.size() * stride_ * sizeof(std::int16_t); }

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
  using Matrix = FixedCodes::Matrix;

  // A few questions together: each piece of the facts' codes is read once for all of them.
  void answer_group(std::span<const WordNumbers> questions, FactRanges ranges, std::span<QuestionWork> works,
                    std::span<std::int32_t> words, MemoryAnswer* explained) const {
    for (std::size_t i = 0; i < works.size(); ++i) {
      QuestionWork& work = works[i];
      work.state_sums.resize(stride_);
      embed(questions[i], question_, work.products, work.word_sums.data());
      first_u(work.word_sums.data(), work.u.data());
    }
    Questions asked(*this, ranges, works, words, explained);
    answer_by_steps(codes_, false, asked);
  }

  // (F1) of the question.
  void first_u(const std::int16_t* __restrict sums, std::int16_t* __restrict u) const {
    const Matrix& B = codes_.B();
    if (scheme_.one_bit_weights) {
      for (std::size_t j = 0; j < d_; ++j) u[j] = narrow(codes_.limited_sum(B, sums[j], B.shift));
      return;
    }
    const auto high = narrow(B.format.limit()), low = narrow(-high);
    for (std::size_t j = 0; j < stride_; ++j) u[j] = std::max(std::min(sums[j], high), low);
  }

  // The parts of words, as (F1) sums them: [slots, vocabulary, planes, stride]. In a bag slot k is for words that come
  // k + 1 times.
  struct WordTable {
    std::vector<const Matrix*> planes;
    std::size_t slots = 0;  // 0: too large, the cell multiplies anew
    AlignedVector<std::int8_t> parts;
  };
  // An embedding's codes in the format they are read in.
  struct Side {
    std::size_t embedding;
    SignMagnitudeFormat format;
    SumRule rule;
    std::vector<std::int8_t> signs;  // one_bit_weights: codes of sums from -kMostSigns to kMostSigns
  };
  static constexpr std::int32_t kMostSigns = 127;

  // [memory + kFactBlock, stride]: the time words' part of a sum, the last one's for older facts too; without them one
  // row of zeros.
  AlignedVector<std::int8_t> age_table(const Matrix& matrix) const {
    AlignedVector<std::int8_t> table((shape_.temporal ? shape_.memory + kFactBlock : 1) * stride_);
    std::vector<std::int32_t> sum(stride_);
    for (std::size_t age = 0; shape_.temporal && age < shape_.memory + kFactBlock; ++age) {
      std::ranges::fill(sum, 0);
      codes_.add_age(matrix, std::min(age, shape_.memory - 1), sum.data());
      std::ranges::transform(sum, &table[age * stride_], byte);
    }
    return table;
  }

  // Each part is one product's code, or a count's with a sign: a byte.
  WordTable word_table(std::vector<const Matrix*> planes) const {
    WordTable table{std::move(planes), 0, {}};
    const bool bag = shape_.encoding == SentenceEncoding::kWords;
    const std::size_t row = table.planes.size() * stride_;
    const std::size_t most = kMostTable / row / shape_.vocabulary;
    if (most < (bag ? 1 : shape_.sentence)) return table;
    table.slots = bag ? std::min(most, kMostCounted) : shape_.sentence;
    table.parts.resize(table.slots * shape_.vocabulary * row);
    std::vector<std::int32_t> sum(stride_);
    for (std::size_t slot = 0; slot < table.slots; ++slot) {
      std::vector<std::int32_t> words(slot + 1);
      for (std::size_t word = 1; word < shape_.vocabulary; ++word) {
        const auto number = static_cast<std::int32_t>(word);
        if (bag) std::ranges::fill(words, number);
        words.back() = number;  // with no words before it
        for (std::size_t plane = 0; plane < table.planes.size(); ++plane) {
          std::ranges::fill(sum, 0);
          codes_.add_words(*table.planes[plane], words, sum.data());
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
      codes_.add_words(*table.planes[plane], words, &long_sums[plane * stride_]);
    // A sum of codes beyond kMostSum is beyond the limit with any age; longest_sentence() keeps signs within it.
    std::ranges::transform(long_sums, sums,
                           [](std::int32_t sum) { return narrow(std::clamp(sum, -kMostSum, kMostSum)); });
  }

  // Rows of the table whose sum it is, or nothing where other rows would be needed.
  std::optional<std::size_t> parts_of(WordNumbers words, const WordTable& table, std::size_t row,
                                      std::array<const std::int8_t*, kMostSummed>& parts) const {
    if (table.slots == 0 || words.size() > kMostSummed) return std::nullopt;
    const std::size_t most = shape_.encoding == SentenceEncoding::kWords ? table.slots : 1;
    std::size_t found = 0;
    bool all_there = true;
    for_each_word(shape_, words, [&](std::size_t word, std::size_t slot, std::size_t count) {
      if (count > most) {
        all_there = false;
        return;
      }
      parts[found++] = &table.parts[((slot + count - 1) * shape_.vocabulary + word) * row];
    });
    return all_there ? std::optional(found) : std::nullopt;
  }

  Side side(std::size_t embedding, SignMagnitudeFormat format) const {
    Side side{embedding, format, coded(codes_.embeddings()[embedding].format, format), {}};
    for (std::int32_t sum = -kMostSigns; scheme_.one_bit_weights && sum <= kMostSigns; ++sum)
      side.signs.push_back(code_of_signs(side, sum));
    return side;
  }

  std::int8_t code_of_signs(const Side& side, std::int32_t sum) const {
    const Matrix& matrix = codes_.embeddings()[side.embedding];
    return byte(reformatted(codes_.limited_sum(matrix, sum, matrix.shift), matrix.format, side.format));
  }

  // The first of them of this age, each other one younger.
  FactSums sums_of(const Side& side, const std::int16_t* sums, std::size_t age) const {
    const auto stride = static_cast<std::ptrdiff_t>(stride_);
    return {.sums = sums + side.embedding * stride_,
            .sum_stride = ages_.size() * stride_,
            .ages = &ages_[side.embedding][shape_.temporal ? age * stride_ : 0],
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
        sides, [&](const Side& one) { return one.embedding == side.embedding && one.format == side.format; });
    const auto place = static_cast<std::size_t>(found - sides.begin());
    if (found == sides.end()) sides.push_back(std::move(side));
    return place;
  }

  // The questions of a group, as fixed_steps.h asks them.
  class Questions {
   public:
    Questions(const FixedMemoryCell& cell, FactRanges ranges, std::span<QuestionWork> works,
              std::span<std::int32_t> words, MemoryAnswer* explained)
        : cell_(cell),
          codes_(cell.codes_),
          path_(cell.path_),
          d_(cell.d_),
          ranges_(ranges),
          facts_(facts_of(ranges)),
          works_(works),
          words_(words),
          explained_(explained) {}

    std::size_t questions() const { return works_.size(); }
    std::size_t facts() const { return facts_; }

    void compare_bits(std::size_t hop, const FixedOperand& x, const HammingFormats& formats, std::int32_t end) {
      const std::size_t side = cell_.m_of_hop_[hop];
      const HammingRule rule{.doublings = x.to.fraction - cell_.m_sides_[side].format.fraction,
                             .fine_limit = x.to.limit(),
                             .cut = formats.fine - formats.format.fraction,
                             .limit = formats.format.limit(),
                             .end = similarity_end(end)};
      for (QuestionWork& work : works_) path_.split(work.u.data(), moved(x.from, x.to), work.query);
      compare_with_facts(
          ranges_, side, d_, works_,
          [&](const std::int8_t* codes, std::size_t blocks, const QuestionWork& work, std::int32_t* similarities) {
            path_.hamming(codes, blocks, work.query, rule, similarities);
          });
    }

    void compare_products(std::size_t hop, const FixedOperand& x, const ProductRule& product, std::int32_t end) {
      const TruncationRule rule{.fraction = product.fraction, .limit = product.limit, .end = similarity_end(end)};
      for (QuestionWork& work : works_) {
        if (x.sign) {
          signs(work.u.data(), d_, work.x.data());
          path_.split(work.x.data(), {}, work.query);
        } else {
          path_.split(work.u.data(), moved(x.from, x.to), work.query);
        }
      }
      compare_with_facts(
          ranges_, cell_.m_of_hop_[hop], d_, works_,
          [&](const std::int8_t* codes, std::size_t blocks, const QuestionWork& work, std::int32_t* similarities) {
            path_.truncated(codes, blocks, work.query, rule, similarities);
          });
    }

    // In the order of the facts.
    std::span<float> real_similarities(std::size_t /*hop*/, std::size_t question, float step) {
      QuestionWork& work = works_[question];
      work.p.clear();
      for (const auto& similarities : work.of_range)
        for (const std::int32_t s : similarities) work.p.push_back(static_cast<float>(s) * step);
      return work.p;
    }

    template <typename WeightOf>
    void softmax(std::size_t hop, std::size_t question, const SoftmaxOthers& empty, const WeightOf& weight_of) {
      QuestionWork& work = works_[question];
      const std::int32_t largest = largest_similarity(path_, work, empty.count > 0 ? 0 : -kEnd);
      pick_facts(*cell_.softmax_, largest, empty, weight_of, work, hop, explained_);
    }

    template <typename Weight>
    void weigh(std::size_t /*hop*/, std::size_t question, const Weight& weight) {
      QuestionWork& work = works_[question];
      work.picked.resize(work.of_range.size());
      std::size_t fact = 0;
      for (std::size_t range = 0; range < work.of_range.size(); ++range) {
        PickedFacts& picked = work.picked[range];
        const std::span<const std::int32_t> similarities = work.of_range[range];
        picked.count = 0;
        for (std::size_t i = 0; i < similarities.size(); ++i) picked.add(i, weight(fact++, similarities[i]));
      }
    }

    // What a softmax of integers says, pick_facts() explains.
    void set_nothing(std::size_t hop, std::size_t question, float p) {
      if (explained_ == nullptr) return;
      explained_->attention[hop] = works_[question].p;
      explained_->nothing[hop] = p;
    }

    void keep_state(std::size_t /*hop*/, std::size_t question) {
      QuestionWork& work = works_[question];
      std::ranges::copy(work.u, work.state_sums.begin());
    }

    void multiply_by_H(std::size_t hop, std::size_t question, const FixedOperand& x, const ProductRule& product) {
      QuestionWork& work = works_[question];
      const std::int8_t* H = cell_.H_[hop].data();
      if (!x.sign && !cell_.scheme_.one_bit_weights) {
        path_.split(work.u.data(), moved(x.from, x.to), work.query);
        const TruncationRule rule{.fraction = product.fraction, .limit = product.limit, .end = product.limit};
        return path_.truncated(H, fact_blocks(d_), work.query, rule, work.state_sums.data());
      }
      if (x.sign) {
        signs(work.u.data(), d_, work.x.data());
      } else {
        for (std::size_t j = 0; j < d_; ++j) work.x[j] = narrow(reformatted(work.u[j], x.from, x.to));
      }
      if (cell_.H_bits_.empty()) {
        path_.narrow(work.x.data(), work.query);
        return path_.exact(H, fact_blocks(d_), work.query, work.state_sums.data());
      }
      work.query.set_bits(work.x.data());
      path_.agreement(cell_.H_bits_.data(), (d_ + kBitBlock - 1) / kBitBlock, work.query, work.state_sums.data());
      // Rows that are none agree in some bits.
      std::fill(work.state_sums.begin() + static_cast<std::ptrdiff_t>(d_), work.state_sums.end(), 0);
    }

    std::span<std::int32_t> state_sums(std::size_t question) {
      return std::span(works_[question].state_sums).first(d_);
    }

    void read(std::size_t hop, std::size_t question, const ProductRule& product) {
      read_facts(path_, ranges_, cell_.c_of_hop_[hop], {.fraction = product.fraction, .limit = product.limit},
                 works_[question]);
    }

    void add(std::size_t /*hop*/, std::size_t question, SignMagnitudeFormat state) {
      QuestionWork& work = works_[question];
      path_.add_limited(work.state_sums.data(), coded(state, cell_.base_), work.read_sums.data(), cell_.base_.limit(),
                        cell_.stride_, work.u.data());
    }

    // The answer: the lowest of equals; number 0 is none.
    void score(std::size_t question) {
      QuestionWork& work = works_[question];
      const std::size_t vocabulary = codes_.shape().vocabulary, blocks = fact_blocks(vocabulary);
      work.products.resize(std::max(blocks * kFactBlock, cell_.stride_));
      path_.narrow(work.u.data(), work.query);
      path_.exact(cell_.W_.data(), blocks, work.query, work.products.data());
      const std::span<const std::int32_t> scores = std::span(work.products).first(vocabulary);
      words_[question] = best_of(path_, scores);
      if (explained_ == nullptr) return;
      const double step = codes_.score_step();
      for (const std::int32_t score : scores) explained_->scores.push_back(static_cast<float>(score * step));
    }

    void score_in_float(std::size_t question) {
      QuestionWork& work = works_[question];
      codes_.score_in_float(work.u.data(), work.float_scores);
      const std::span<const float> scores = std::span(work.float_scores.words).first(codes_.shape().vocabulary);
      words_[question] = static_cast<std::int32_t>(best_word(scores));
      if (explained_ != nullptr) explained_->scores.assign(scores.begin(), scores.end());
    }

   private:
    // Nothing but the softmax reads a similarity.
    std::int32_t similarity_end(std::int32_t end) const {
      return codes_.scheme().integer_only ? std::min(end, kEnd) : end;
    }

    const FixedMemoryCell& cell_;
    const FixedCodes& codes_;
    const AddressPath& path_;
    std::size_t d_;
    FactRanges ranges_;
    std::size_t facts_;
    std::span<QuestionWork> works_;
    std::span<std::int32_t> words_;
    MemoryAnswer* explained_;
  };

  const AddressPath& path_;
  const MemN2NShape& shape_;
  const MemoryScheme& scheme_;
  SignMagnitudeFormat base_;
  FixedCodes codes_;
  std::size_t d_, stride_;
  std::vector<AlignedVector<std::int8_t>> ages_;  // of each embedding
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
  if (!network.scheme.is_fixed() || network.scheme.bits > kMostBits) return nullptr;
  return std::make_shared<FixedMemoryCell>(network, isa);
}

}  // namespace quaver
