#include "quaver/engine/memory/memory_cell.h"

#include "quaver/core/text.h"

namespace quaver {
namespace {

// Everything that decides what codes mean.
std::uint64_t fingerprint_of(const MemoryNetwork& network) {
  const MemN2NShape& shape = network.shape;
  const std::string sizes =
      concat(shape.vocabulary, ' ', shape.memory, ' ', shape.d, ' ', shape.hops, ' ', shape.sentence, ' ',
             memory_tying_name(shape.tying), ' ', sentence_encoding_name(shape.encoding), ' ', shape.temporal, ' ',
             memory_scheme_text(network.scheme), shape.slots > 0 ? concat(" slots ", shape.slots) : "", ' ');
  std::uint64_t hash = fnv1a(std::as_bytes(std::span(sizes)));
  for (const std::string& word : network.words)
    hash = fnv1a(std::as_bytes(std::span(word.c_str(), word.size() + 1)), hash);
  const MemoryScales& scales = network.scales;
  for (const std::vector<float>* list : {&scales.weights, &scales.embedded, &scales.s, &scales.u, &scales.query})
    hash = fnv1a(std::as_bytes(std::span(*list)), hash);
  return fnv1a(std::as_bytes(std::span(network.parameters)), hash);
}

// The cell itself on the words of all facts: any network, at the price of embedding everything for each question.
class WholeMemoryCell : public MemoryCell {
 public:
  WholeMemoryCell(const MemoryNetwork& network, Isa isa) : MemoryCell(network, isa) {}

  void answer(const MemoryInput& input, MemoryWorkspace& workspace, std::span<std::int32_t> answers,
              MemoryAnswer* explained) const override {
    const MemN2NShape& shape = network().shape;
    std::vector<WordNumbers> facts;
    for (std::size_t i = 0; i < input.facts.size(); ++i) facts.push_back(input.facts[i]);
    std::vector<std::uint32_t> ages(facts.size());
    for (std::size_t i = 0; i < ages.size(); ++i)
      ages[i] = static_cast<std::uint32_t>(std::min(facts.size() - 1 - i, shape.memory - 1));
    for (std::size_t i = 0; i < answers.size(); ++i)
      answers[i] = answer_one({facts, input.questions[i], ages}, workspace, explained);
  }

 private:
  std::int32_t answer_one(const MemoryQuestion& question, MemoryWorkspace& workspace, MemoryAnswer* explained) const {
    const MemN2NShape& shape = network().shape;
    MemoryAnswer answer;
    if (network().scheme.is_float()) {
      answer = MemN2NRef(shape, network().parameters).answer(question);
    } else {
      if (!workspace.cell) {
        workspace.cell.emplace(shape, network().scheme);
        workspace.cell->set_parameters(network().parameters);
      }
      if (network().scheme.integer_only) {
        if (explained != nullptr) *explained = workspace.cell->answer(question);
        // Of the integers, explained or not: large ones that differ can be the same float.
        return static_cast<std::int32_t>(workspace.cell->answer_word(question));
      }
      answer = workspace.cell->answer(question);
    }
    const std::size_t best = answer.best();
    if (explained != nullptr) *explained = std::move(answer);
    return static_cast<std::int32_t>(best);
  }
};

}  // namespace

MemoryCell::MemoryCell(const MemoryNetwork& network, Isa isa) : network_(network), isa_(isa) {}

std::uint64_t MemoryCell::fingerprint() const {
  std::call_once(fingerprint_made_, [&] { fingerprint_ = fingerprint_of(network_); });
  return fingerprint_;
}

std::shared_ptr<const MemoryCell> MemoryCell::make(const MemoryNetwork& network, Isa isa) {
  validate(network);
  if (auto cell = make_fixed_memory_cell(network, isa)) return cell;
  if (auto cell = make_scaled_memory_cell(network, isa)) return cell;
  return std::make_shared<WholeMemoryCell>(network, isa);
}

}  // namespace quaver
