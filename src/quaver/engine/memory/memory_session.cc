#include "quaver/engine/memory/memory_session.h"

#include <algorithm>
#include <cstring>

#include "quaver/core/error.h"
#include "quaver/core/text.h"
#include "quaver/engine/memory/memory_cell.h"

namespace quaver {
namespace {

constexpr std::size_t kMostFacts = std::size_t{1} << 31;
constexpr std::uint64_t kMostDropped = std::uint64_t{1} << 62;  // that memory keeps counting far below 2^64
constexpr std::string_view kMagic = "QVMEMRY1";

void append(std::string& bytes, std::uint64_t value, int count) {
  for (int i = 0; i < count; ++i) bytes.push_back(static_cast<char>(value >> (8 * i) & 255));
}

// Little-endian numbers of a saved memory, each checked against what is left.
class Reader {
 public:
  explicit Reader(std::span<const std::byte> bytes) : bytes_(bytes) {}
  std::uint64_t take(std::size_t count) {
    if (bytes_.size() < count) throw_bad_input("a saved memory ends in the middle of a fact");
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < count; ++i) value |= std::to_integer<std::uint64_t>(bytes_[i]) << (8 * i);
    bytes_ = bytes_.subspan(count);
    return value;
  }
  std::size_t left() const { return bytes_.size(); }

 private:
  std::span<const std::byte> bytes_;
};

}  // namespace

// ---- Memory ----

Memory::Memory(std::shared_ptr<const MemoryCell> cell, std::size_t capacity)
    : cell_(std::move(cell)), capacity_(capacity), sum_bytes_(cell_->sum_bytes()), codes_(cell_->layout()) {
  slots_ = fact_blocks(capacity - std::min(capacity, cell_->ages())) * kFactBlock;
}

WordNumbers Memory::fact(std::size_t index) const {
  if (index >= size()) throw_usage(concat("fact ", index, " of a memory of ", size(), " facts is not there"));
  return facts_[index];
}

std::uint64_t Memory::fingerprint() const { return cell_ == nullptr ? 0 : cell_->fingerprint(); }

std::size_t Memory::bytes() const { return codes_.bytes() + sums_.capacity(); }

bool Memory::operator==(const Memory& other) const {
  return fingerprint() == other.fingerprint() && capacity_ == other.capacity_ && dropped_ == other.dropped_ &&
         facts_ == other.facts_;
}

// What is behind is cut off when it is as long as what is left: a constant cost a fact.
void Memory::pop_sums(std::size_t count) {
  first_sum_ += count;
  const std::size_t behind = first_sum_ * sum_bytes_;
  if (2 * behind < sums_.size()) return;
  sums_.erase(sums_.begin(), sums_.begin() + static_cast<std::ptrdiff_t>(behind));
  first_sum_ = 0;
}

// As many facts as fill the block of slots that is begun, once all of them are beyond the ages that are known: so the
// kernels code a block at a time. Up to a block of facts waits with the recent ones.
void Memory::settle_block() {
  if (recent() <= cell_->ages() || slots_ == 0) return;
  const std::size_t to = slot(settled_), count = kFactBlock - to % kFactBlock;
  if (recent() < cell_->ages() + count) return;
  if (to >= codes_.slots()) codes_.resize(std::min(slots_, std::max(2 * codes_.slots(), to + 1)));
  cell_->put(sums(0), count, recent() - 1, codes_, to);
  pop_sums(count);
  settled_ += count;
}

// `fact` may be one of this memory's own, so it is copied before anything goes.
void Memory::write(WordNumbers fact) {
  state_.change();
  facts_.push_back(fact);
  sums_.resize(sums_.size() + sum_bytes_);
  cell_->embed(facts_[facts_.size() - 1], sums_.data() + sums_.size() - sum_bytes_);
  if (facts_.size() > capacity_) {
    forget_oldest();
    ++dropped_;
  }
  settle_block();
}

void Memory::forget_oldest() {
  state_.change();
  if (settled_ > 0) {
    first_slot_ = slot(1);
    --settled_;
  } else {
    pop_sums(1);
  }
  facts_.pop_front();
}

void Memory::forget(std::size_t index) {
  if (index == 0) return forget_oldest();
  state_.change();
  facts_.erase(index);
  if (index < settled_) {
    for (std::size_t i = index; i + 1 < settled_; ++i) codes_.copy(slot(i + 1), slot(i));
    --settled_;
    return;
  }
  const auto at = [&](std::size_t fact) { return sums_.begin() + (sums(fact) - sums_.data()); };
  sums_.erase(at(index - settled_), at(index - settled_ + 1));
  // recent() counts what is left: where that is fewer than there are ages, the newest of the settled facts is young
  // again.
  if (settled_ == 0 || recent() >= cell_->ages()) return;
  --settled_;
  sums_.insert(at(0), sum_bytes_, std::byte{0});
  cell_->embed(facts_[settled_], sums(0));
}

void Memory::forget_all() {
  state_.change();
  facts_.clear();
  sums_.clear();
  first_sum_ = first_slot_ = settled_ = 0;
  dropped_ = 0;
}

// ---- MemorySession ----

MemorySession::MemorySession(const MemoryNetwork& network, const MemorySessionOptions& options)
    : cell_(MemoryCell::make(network, options.isa)),
      capacity_(options.capacity == 0 ? network.shape.memory : options.capacity),
      workspace_(std::make_unique<MemoryWorkspace>()) {
  if (capacity_ > kMostFacts) throw_usage(concat("a memory of ", capacity_, " facts, expected at most ", kMostFacts));
  workspace_->recent = CodeStore(cell_->layout());
}

MemorySession::MemorySession(const MemorySession& other)
    : cell_(other.cell_), capacity_(other.capacity_), workspace_(std::make_unique<MemoryWorkspace>()) {
  if (cell_ != nullptr) workspace_->recent = CodeStore(cell_->layout());
}

MemorySession& MemorySession::operator=(const MemorySession& other) { return *this = MemorySession(other); }
MemorySession::MemorySession(MemorySession&&) noexcept = default;
MemorySession& MemorySession::operator=(MemorySession&&) noexcept = default;
MemorySession::~MemorySession() = default;

const MemoryCell& MemorySession::cell() const {
  if (cell_ == nullptr) throw_usage("this MemorySession was moved from and has no network; assign one to it first");
  return *cell_;
}

const MemoryNetwork& MemorySession::network() const { return cell().network(); }
std::size_t MemorySession::capacity() const {
  cell();
  return capacity_;
}
Isa MemorySession::isa() const { return cell().isa(); }
bool MemorySession::on_codes() const { return cell().layout().m_sides > 0; }
bool MemorySession::integer_only() const { return !network().scheme.is_float() && network().scheme.integer_only; }

std::size_t MemorySession::longest_sentence() const { return cell().longest_sentence(); }

std::size_t MemorySession::bytes_per_fact() const {
  return on_codes() ? network().shape.hops * code_groups(cell_->layout().d) * kCodeGroup : 0;
}

// A fact and a question each ask this, and almost always of a memory that this session made.
void MemorySession::check_memory(const Memory& memory) const {
  if (memory.cell_ == nullptr || memory.cell_ != cell_) check_other_memory(memory);
}

void MemorySession::check_other_memory(const Memory& memory) const {
  if (memory.cell_ == nullptr) throw_bad_input("the memory was moved from; start from empty_memory()");
  if (memory.fingerprint() != cell().fingerprint())
    throw_bad_input(concat("the memory belongs to network ", hex64(memory.fingerprint()), ", this is network ",
                           hex64(cell_->fingerprint()), "; start from empty_memory()"));
}

void MemorySession::check_words(WordNumbers words, const char* what) const {
  if (words.size() > longest_sentence())
    throw_bad_input(concat("a ", what, " has ", words.size(), " words, expected at most ", longest_sentence()));
  const std::size_t vocabulary = network().shape.vocabulary;
  for (std::size_t i = 0; i < words.size(); ++i)
    if (words[i] < 0 || static_cast<std::size_t>(words[i]) >= vocabulary)
      throw_bad_input(concat("word ", i, " of a ", what, " has number ", words[i], ", expected 0 to ", vocabulary - 1));
}

Memory MemorySession::empty_memory() const {
  cell();
  return Memory(cell_, capacity_);
}

void MemorySession::write(Memory& memory, WordNumbers fact) const {
  check_memory(memory);
  check_words(fact, "fact");
  memory.write(fact);
}

void MemorySession::forget(Memory& memory, std::size_t index) const {
  check_memory(memory);
  if (index >= memory.size())
    throw_usage(
        concat("fact ", index, " of a memory of ", memory.size(), " facts cannot be forgotten: it is not there"));
  memory.forget(index);
}

void MemorySession::forget_all(Memory& memory) const {
  check_memory(memory);
  memory.forget_all();
}

void MemorySession::run(const Memory& memory, std::span<const WordNumbers> questions, std::span<std::int32_t> words,
                        MemoryAnswer* explained) {
  check_memory(memory);
  for (const WordNumbers question : questions) check_words(question, "question");
  MemoryWorkspace& work = *workspace_;
  work.ranges.clear();
  if (memory.settled_ > 0) {
    const std::size_t before_wrap = std::min(memory.settled_, memory.slots_ - memory.first_slot_);
    work.ranges.push_back({&memory.codes_, memory.first_slot_, before_wrap});
    if (before_wrap < memory.settled_) work.ranges.push_back({&memory.codes_, 0, memory.settled_ - before_wrap});
  }
  const std::size_t recent = memory.recent();
  if (recent > 0) {
    if (work.state != memory.state_.value()) {
      work.state = {};  // of none, should making the codes fail
      if (work.recent.slots() < recent) work.recent.resize(recent);
      cell_->put(memory.sums(0), recent, recent - 1, work.recent, 0);
      work.state = memory.state_.value();
    }
    work.ranges.push_back({&work.recent, 0, recent});
  }
  cell_->answer({memory.facts_, questions}, work, words, explained);
}

std::int32_t MemorySession::answer(const Memory& memory, WordNumbers question) {
  std::int32_t word = 0;
  run(memory, {&question, 1}, {&word, 1}, nullptr);
  return word;
}

void MemorySession::answer(const Memory& memory, std::span<const WordNumbers> questions,
                           std::span<std::int32_t> words) {
  if (questions.size() != words.size())
    throw_usage(concat(questions.size(), " questions and room for ", words.size(), " answers"));
  run(memory, questions, words, nullptr);
}

std::int32_t MemorySession::answer(const Memory& memory, WordNumbers question, MemoryAnswer& explained) {
  std::int32_t word = 0;
  explained.scores.clear();
  explained.attention.resize(network().shape.hops);
  explained.nothing.resize(network().shape.hops);
  run(memory, {&question, 1}, {&word, 1}, &explained);
  return word;
}

MemoryAnswer MemorySession::explain(const Memory& memory, WordNumbers question) {
  MemoryAnswer explained;
  answer(memory, question, explained);
  return explained;
}

std::string MemorySession::save(const Memory& memory) const {
  check_memory(memory);
  std::string bytes(kMagic);
  append(bytes, memory.fingerprint(), 8);
  append(bytes, memory.dropped(), 8);
  append(bytes, memory.size(), 8);
  for (std::size_t i = 0; i < memory.size(); ++i) {
    append(bytes, memory.fact(i).size(), 4);
    for (const std::int32_t word : memory.fact(i)) append(bytes, static_cast<std::uint32_t>(word), 4);
  }
  append(bytes, fnv1a(std::as_bytes(std::span(bytes))), 8);
  return bytes;
}

Memory MemorySession::restore(std::span<const std::byte> bytes) const {
  constexpr std::size_t kChecksum = 8;
  if (bytes.size() < kMagic.size() || std::memcmp(bytes.data(), kMagic.data(), kMagic.size()) != 0)
    throw_bad_input("not a saved memory: it does not begin with 'QVMEMRY1'");
  if (bytes.size() < kMagic.size() + kChecksum) throw_bad_input("a saved memory is cut off");
  const std::uint64_t found = fnv1a(bytes.first(bytes.size() - kChecksum));
  const std::uint64_t expected = Reader(bytes.last(kChecksum)).take(kChecksum);
  if (found != expected)
    throw_bad_input(
        concat("a saved memory is damaged: checksum ", hex64(expected), " expected, its bytes give ", hex64(found)));
  Reader in(bytes.subspan(kMagic.size(), bytes.size() - kMagic.size() - kChecksum));
  const std::uint64_t network = in.take(8);
  if (network != cell().fingerprint())
    throw_bad_input(concat("the saved memory belongs to network ", hex64(network), ", this is network ",
                           hex64(cell_->fingerprint()), "; restore it with the network that wrote it"));
  Memory memory = empty_memory();
  const std::uint64_t dropped = in.take(8), facts = in.take(8);
  if (dropped > kMostDropped)
    throw_bad_input(
        concat("a saved memory says that ", dropped, " facts were dropped, expected at most ", kMostDropped));
  std::vector<std::int32_t> words;
  for (std::uint64_t i = 0; i < facts; ++i) {
    const std::uint64_t count = in.take(4);
    if (count > longest_sentence() || count * 4 > in.left())
      throw_bad_input(concat("fact ", i, " of a saved memory claims ", count, " words, expected at most ",
                             std::min<std::uint64_t>(longest_sentence(), in.left() / 4)));
    words.clear();
    for (std::uint64_t j = 0; j < count; ++j) words.push_back(static_cast<std::int32_t>(in.take(4)));
    write(memory, words);
  }
  if (in.left() != 0) throw_bad_input(concat("a saved memory has ", in.left(), " bytes after its last fact"));
  memory.dropped_ += dropped;
  return memory;
}

}  // namespace quaver
