// Scores of memory networks, from the session that 'run' answers with: what is counted is what is delivered.
#include <algorithm>
#include <cmath>
#include <vector>

#include "quaver/engine/memory/memory_session.h"
#include "quaver/train/memory/pass.h"
#include "quaver/train/memory/train.h"

namespace quaver {
namespace {

// A memory that is told what a question is asked of. Questions of one story follow each other and share its facts: only
// new ones are embedded.
class Told {
 public:
  explicit Told(const MemorySession& session) : session_(session), memory_(session.empty_memory()) {}

  const Memory& facts_of(const CodedStories::Question& question) {
    if (!std::ranges::equal(sentences_,
                            question.sentences.first(std::min(sentences_.size(), question.sentences.size())))) {
      session_.forget_all(memory_);
      sentences_.clear();
    }
    for (std::size_t i = sentences_.size(); i < question.facts.size(); ++i) {
      session_.write(memory_, question.facts[i]);
      sentences_.push_back(question.sentences[i]);
    }
    return memory_;
  }

 private:
  const MemorySession& session_;
  Memory memory_;
  std::vector<std::uint32_t> sentences_;  // that memory_ holds; equal numbers are equal words
};

}  // namespace

MemoryScore score_memory(const MemoryNetwork& network, const CodedStories& data) {
  MemorySession session(network);
  Told told(session);
  MemoryAnswer answer;
  std::size_t wrong = 0;
  double loss = 0, probability = 0;
  for (const CodedStories::Question& question : data.questions()) {
    const std::int32_t word = session.answer(told.facts_of(question), question.words, answer);
    wrong += word == question.answer ? 0 : 1;
    const AnswerLoss now = answer_loss(answer.scores, question.answer);
    loss += now.loss;
    probability += now.probability;
  }
  const auto count = static_cast<double>(data.questions().size());
  if (data.questions().empty()) return {};
  return {100 * static_cast<double>(wrong) / count, loss / count, data.questions().size(), probability / count};
}

}  // namespace quaver
