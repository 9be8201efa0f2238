// MemN2NScaled on stored codes: the statements of cells/memn2n/scaled.cc on kernels/address.
#include <algorithm>
#include <array>

#include "quaver/cells/memn2n/scaled.h"
#include "quaver/engine/memory/memory_cell.h"
#include "quaver/engine/memory/memory_parts.h"
#include "quaver/fixed/multiplier.h"
#include "quaver/kernels/elementwise/elementwise.h"

namespace quaver {
namespace {

class ScaledMemoryCell : public MemoryCell {
 public:
  ScaledMemoryCell(const MemoryNetwork& source, Isa isa)
      : MemoryCell(source, isa),
        path_(address_path(isa)),
        elementwise_(elementwise_path(isa)),
        shape_(network().shape),
        scheme_(network().scheme),
        roles_(shape_),
        cell_(shape_, scheme_, network().scales),
        d_(shape_.d),
        stride_(row_stride(d_)),
        limit_((std::int32_t{1} << (scheme_.bits - 1)) - 1) {
    cell_.set_parameters(network().parameters);
    for (std::size_t hop = 0; hop < shape_.hops; ++hop) {
      m_of_hop_.push_back(place_in(m_sides_, roles_.A[hop]));
      c_of_hop_.push_back(place_in(c_sides_, roles_.C[hop]));
      for (const std::size_t matrix : {roles_.A[hop], roles_.C[hop]}) place_in(matrices_, matrix);
      softmax_.emplace_back(cell_.softmax(hop));
    }
    if (ages() > 0) ages_.resize((ages() + kFactBlock) * sum_width());
    for (std::size_t age = 0; age * sum_width() < ages_.size(); ++age)
      for (std::size_t plane = 0; plane < matrices_.size(); ++plane)
        cell_.add_age(matrices_[plane], std::min(age, ages() - 1), &ages_[age * sum_width() + plane * stride_]);
    for (const std::size_t matrix : matrices_)
      if (const auto rescaling = cell_.embedding_rescaling(matrix)) to_codes_.append(stride_, *rescaling);
    if (to_codes_.size() < sum_width()) to_codes_ = {};
    if (const auto rescaling = cell_.question_rescaling()) question_to_codes_.append(d_, *rescaling);
    for (std::size_t hop = 0; hop < shape_.hops; ++hop)
      if (const auto rescaling = cell_.similarity_rescaling(hop))
        to_similarities_.emplace_back().append(kAtOnce, *rescaling);
    if (to_similarities_.size() < shape_.hops) to_similarities_.clear();
    if (shape_.encoding == SentenceEncoding::kWords) {
      facts_ = word_table(matrices_);
      question_ = word_table({&roles_.B, 1});
    }
    if (roles_.has_H) H_ = packed_rows(cell_.weights(roles_.H), d_, d_);
    W_ = packed_rows(std::span(cell_.weights(roles_.W)).first(shape_.vocabulary * d_), d_, d_);
  }

  CodeLayout layout() const override { return {d_, m_sides_.size(), c_sides_.size()}; }
  std::size_t sum_bytes() const override { return sum_width() * sizeof(std::int32_t); }

  void embed(WordNumbers words, std::byte* sum_bytes) const override {
    std::array<std::int16_t, kOnStack> short_sums;
    std::vector<std::int16_t> long_sums(sum_width() > kOnStack ? sum_width() : 0);
    add_words(words, facts_, matrices_, long_sums.empty() ? std::span(short_sums) : std::span(long_sums),
              reinterpret_cast<std::int32_t*>(sum_bytes));
  }

  void put(const std::byte* sums, std::size_t count, std::size_t age, CodeStore& store,
           std::size_t slot) const override {
    const auto* of_fact = reinterpret_cast<const std::int32_t*>(sums);
    for (std::size_t i = 0; i < count; ++i, of_fact += sum_width())
      put_one(of_fact, ages() > 0 ? age - i : 0, store, slot + i);
  }
  void answer(const MemoryInput& input, MemoryWorkspace& workspace, std::span<std::int32_t> words,
              MemoryAnswer* explained) const override {
    for (std::size_t first = 0; first < words.size(); first += kQuestionGroup) {
      const std::size_t count = std::min(kQuestionGroup, words.size() - first);
      while (workspace.questions.size() < count) workspace.questions.emplace_back(d_);
      const std::span<QuestionWork> works = std::span(workspace.questions).first(count);
      for (std::size_t i = 0; i < count; ++i) begin(input.questions[first + i], works[i]);
      for (std::size_t hop = 0; hop < shape_.hops; ++hop) run_hop(hop, workspace.ranges, works, explained);
      for (std::size_t i = 0; i < count; ++i) words[first + i] = best_word(works[i], explained);
    }
  }

 private:
  std::size_t sum_width() const { return matrices_.size() * stride_; }

  // A matrix that embeds for two hops (adjacent: C of one, A of the next) is rounded once.
  void put_one(const std::int32_t* sums, std::size_t age, CodeStore& store, std::size_t slot) const {
    std::array<std::int32_t, kOnStack> short_sums;
    std::array<std::int8_t, kOnStack> short_codes;
    const bool is_long = sum_width() > kOnStack;
    std::vector<std::int32_t> long_sums(is_long ? sum_width() : 0);
    std::vector<std::int8_t> long_codes(long_sums.size());
    std::int8_t* codes = is_long ? long_codes.data() : short_codes.data();
    if (ages() > 0) {
      std::int32_t* whole = is_long ? long_sums.data() : short_sums.data();
      const std::int32_t* of_age = &ages_[age * sum_width()];
      for (std::size_t j = 0; j < sum_width(); ++j) whole[j] = sums[j] + of_age[j];
      sums = whole;
    }
    if (to_codes_.size() > 0) {
      elementwise_.requantize_i8(sums, to_codes_, {.zero_point = 0, .low = -limit_, .high = limit_}, sum_width(),
                                 codes);
    } else {
      for (std::size_t plane = 0; plane < matrices_.size(); ++plane)
        for (std::size_t j = plane * stride_; j < plane * stride_ + d_; ++j)
          codes[j] = cell_.embedded_code(matrices_[plane], sums[j]);
    }
    for (std::size_t side = 0; side < m_sides_.size(); ++side)
      store.put_m(side, slot, codes + place_of(m_sides_[side]));
    for (std::size_t side = 0; side < c_sides_.size(); ++side)
      store.put_c(side, slot, codes + place_of(c_sides_[side]));
  }

  static constexpr std::size_t kOnStack = 1024;  // codes of a fact that need no allocation
  static constexpr std::size_t kAtOnce = 256;    // similarities that are rounded together

  // Of a matrix's codes among a fact's.
  std::size_t place_of(std::size_t matrix) const {
    return static_cast<std::size_t>(std::ranges::find(matrices_, matrix) - matrices_.begin()) * stride_;
  }

  static std::size_t place_in(std::vector<std::size_t>& list, std::size_t value) {
    const auto found = std::ranges::find(list, value);
    const auto place = static_cast<std::size_t>(found - list.begin());
    if (found == list.end()) list.push_back(value);
    return place;
  }

  // A bag's words in the order of a fact's sums: [vocabulary, matrices, stride]; none where it would be too large.
  AlignedVector<std::int8_t> word_table(std::span<const std::size_t> matrices) const {
    const std::size_t row = matrices.size() * stride_;
    if (shape_.vocabulary > kMostTable / row) return {};
    AlignedVector<std::int8_t> table(shape_.vocabulary * row);
    for (std::size_t word = 1; word < shape_.vocabulary; ++word)
      for (std::size_t plane = 0; plane < matrices.size(); ++plane)
        std::copy_n(&cell_.weights(matrices[plane])[word * d_], d_, &table[word * row + plane * stride_]);
    return table;
  }

  // The words' part of (S1): sums [matrices, stride]. table: of a bag, or empty.
  void add_words(WordNumbers words, const AlignedVector<std::int8_t>& table, std::span<const std::size_t> matrices,
                 std::span<std::int16_t> some, std::int32_t* sums) const {
    const std::size_t row = matrices.size() * stride_;
    std::fill_n(sums, row, 0);
    if (table.empty()) {
      for (std::size_t plane = 0; plane < matrices.size(); ++plane)
        cell_.add_words(matrices[plane], words, sums + plane * stride_);
      return;
    }
    std::array<const std::int8_t*, kMostSummed> rows;
    for (; !words.empty(); words = words.subspan(std::min(words.size(), rows.size()))) {
      std::size_t count = 0;
      for (const std::int32_t word : words.first(std::min(words.size(), rows.size())))
        if (word != 0) rows[count++] = &table[static_cast<std::size_t>(word) * row];
      path_.sum_rows(rows.data(), count, row, some.data());
      for (std::size_t j = 0; j < row; ++j) sums[j] += some[j];
    }
  }

  void begin(WordNumbers question, QuestionWork& work) const {
    work.products.resize(stride_);
    add_words(question, question_, {&roles_.B, 1}, work.word_sums, work.products.data());
    if (question_to_codes_.size() > 0) {
      elementwise_.requantize_i8(work.products.data(), question_to_codes_,
                                 {.zero_point = 0, .low = -limit_, .high = limit_}, d_, work.codes.data());
    } else {
      for (std::size_t j = 0; j < d_; ++j) work.codes[j] = cell_.question_code(work.products[j]);
    }
  }

  // (S2) to (S6)
  void run_hop(std::size_t hop, FactRanges ranges, std::span<QuestionWork> works, MemoryAnswer* explained) const {
    for (QuestionWork& work : works) {
      std::ranges::copy(work.codes, work.query.codes());
      if (scheme_.one_bit_query)
        for (std::size_t j = 0; j < d_; ++j) work.query.codes()[j] = cell_.query_code(work.codes[j]);
    }
    compare_with_facts(ranges, m_of_hop_[hop], d_, works,
                       [&](const std::int8_t* codes, std::size_t blocks, const QuestionWork& work,
                           std::int32_t* similarities) { path_.exact(codes, blocks, work.query, similarities); });
    for (QuestionWork& work : works) {
      attend(hop, facts_of(ranges), work, explained);
      read_facts(path_, ranges, c_of_hop_[hop], {.fraction = 0, .limit = 32767}, work);
      next_u(hop, work);
    }
  }

  // (S3) (S4)
  void attend(std::size_t hop, std::size_t facts, QuestionWork& work, MemoryAnswer* explained) const {
    const auto empty = static_cast<std::uint32_t>(shape_.empty_facts(facts));
    const std::int32_t largest = largest_similarity(path_, work, empty > 0 ? 0 : INT32_MIN);
    for (const auto similarities : work.of_range) {
      std::int32_t* s = work.similarities.data() + (similarities.data() - work.similarities.data());
      code_similarities(hop, largest, std::span(s, similarities.size()));
    }
    // Codes never fall when t rises, so the code of the largest is the largest code.
    const bool nothing_at_all = work.similarities.empty() && empty == 0;
    const std::int32_t largest_code = nothing_at_all ? 0 : cell_.similarity_code(hop, largest, largest);
    const SoftmaxOthers others{.logit = empty > 0 ? cell_.similarity_code(hop, 0, largest) : 0, .count = empty};
    const auto weight_of = [&](std::int16_t p) -> std::int32_t { return cell_.read_weight(p); };
    pick_facts(softmax_[hop], largest_code, others, weight_of, work, hop, explained);
  }

  // (S3)
  void code_similarities(std::size_t hop, std::int32_t largest, std::span<std::int32_t> s) const {
    if (to_similarities_.empty()) {
      for (std::int32_t& one : s) one = cell_.similarity_code(hop, one, largest);
      return;
    }
    const bool relative = scheme_.relative_similarity;
    const std::int32_t low = relative ? -(2 * limit_ + 1) : -limit_, high = relative ? 0 : limit_;
    const std::int32_t base = relative ? largest : 0;
    std::array<std::int16_t, kAtOnce> codes;
    for (; !s.empty(); s = s.subspan(std::min(s.size(), kAtOnce))) {
      const std::size_t count = std::min(s.size(), kAtOnce);
      for (std::size_t i = 0; i < count; ++i) s[i] -= base;
      elementwise_.requantize_i16(s.data(), to_similarities_[hop], count, codes.data());
      for (std::size_t i = 0; i < count; ++i) s[i] = std::clamp<std::int32_t>(codes[i], low, high);
    }
  }

  // (S6)
  void next_u(std::size_t hop, QuestionWork& work) const {
    work.state_sums.resize(fact_blocks(d_) * kFactBlock);
    if (roles_.has_H) {
      path_.exact(H_.data(), fact_blocks(d_), work.query, work.state_sums.data());
    } else {
      const std::int8_t* u = scheme_.one_bit_state ? work.query.codes() : work.codes.data();
      std::copy_n(u, d_, work.state_sums.begin());
    }
    const auto read = cell_.read_rescaling(hop), state = cell_.state_rescaling(hop);
    if (read && state) {
      elementwise_.add_rescaled_i8(work.read_sums.data(), *read, work.state_sums.data(), *state,
                                   MemN2NScaled::kGuardBits, limit_, d_, work.codes.data());
    } else {
      for (std::size_t j = 0; j < d_; ++j) work.codes[j] = cell_.next_code(hop, work.read_sums[j], work.state_sums[j]);
    }
  }

  // (S7)
  std::int32_t best_word(QuestionWork& work, MemoryAnswer* explained) const {
    const std::size_t blocks = fact_blocks(shape_.vocabulary);
    work.products.resize(blocks * kFactBlock);
    std::ranges::copy(work.codes, work.query.codes());
    path_.exact(W_.data(), blocks, work.query, work.products.data());
    const std::span<const std::int32_t> scores = std::span(work.products).first(shape_.vocabulary);
    if (explained != nullptr) {
      const double step = cell_.score_step();
      for (const std::int32_t score : scores) explained->scores.push_back(static_cast<float>(score * step));
    }
    return best_of(path_, scores);
  }

  const AddressPath& path_;
  const ElementwisePath& elementwise_;
  const MemN2NShape& shape_;
  const MemoryScheme& scheme_;
  MemoryRoles roles_;
  MemN2NScaled cell_;
  std::size_t d_, stride_;
  std::int32_t limit_;
  RowMultipliers to_codes_;                       // [sum_width()]; empty where the cell truncates
  RowMultipliers question_to_codes_;              // [d], or empty
  std::vector<RowMultipliers> to_similarities_;   // a hop, [kAtOnce]; or none
  AlignedVector<std::int8_t> facts_, question_;   // words of a bag
  std::vector<std::size_t> matrices_;             // that embed facts, in the order of a fact's sums
  std::vector<std::size_t> m_sides_, c_sides_;    // matrices
  std::vector<std::size_t> m_of_hop_, c_of_hop_;  // places among the sides
  std::vector<std::int32_t> ages_;                // [memory + kFactBlock, matrices, stride]: time words' sums
  std::vector<SoftmaxTable> softmax_;             // a hop
  AlignedVector<std::int8_t> H_, W_;
};

}  // namespace

std::shared_ptr<const MemoryCell> make_scaled_memory_cell(const MemoryNetwork& network, Isa isa) {
  if (!network.scheme.is_scaled()) return nullptr;
  return std::make_shared<ScaledMemoryCell>(network, isa);
}

}  // namespace quaver
