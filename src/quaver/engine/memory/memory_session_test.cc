// The session against the cells that train: every scheme, memories that age, overflow, forget and come back.
#include "quaver/engine/memory/memory_session.h"

#include <gtest/gtest.h>

#include <cfenv>
#include <string>
#include <type_traits>
#include <vector>

#include "quaver/cells/memn2n/fixed.h"
#include "quaver/cells/memn2n/scaled.h"
#include "quaver/core/error.h"
#include "quaver/core/random.h"
#include "quaver/core/text.h"
#include "support/paths.h"

namespace quaver {
namespace {

using Facts = std::vector<std::vector<std::int32_t>>;

MemoryNetwork random_network(const MemN2NShape& shape, const MemoryScheme& scheme, std::uint64_t seed = 5) {
  Random random(seed);
  MemoryNetwork network;
  network.shape = shape;
  network.scheme = scheme;
  network.words.emplace_back();
  for (std::size_t word = 1; word < shape.vocabulary; ++word) network.words.push_back("w" + std::to_string(word));
  network.parameters.resize(parameter_count(shape));
  for (float& value : network.parameters) value = static_cast<float>(0.5 * random.normal());
  for (const MemoryMatrix& matrix : memory_matrices(shape))
    if (matrix.name != "H") std::fill_n(&network.parameters[matrix.offset], shape.d, 0.0f);
  if (scheme.is_scaled()) {
    const std::size_t matrices = memory_matrices(shape).size();
    network.scales = {.weights = std::vector<float>(matrices, scheme.one_bit_weights ? 0.5f : 0x1p-6f),
                      .embedded = std::vector<float>(matrices, 0x1p-5f),
                      .s = std::vector<float>(shape.hops, 0x1p-4f),
                      .u = std::vector<float>(shape.hops + 1, 0x1p-4f),
                      .query = std::vector<float>(shape.hops, 1)};
    if (!scheme.power_of_two_scales)
      for (std::vector<float>* list : {&network.scales.weights, &network.scales.embedded, &network.scales.s})
        for (std::size_t i = 0; i < list->size(); ++i) (*list)[i] *= 1.37f + 0.11f * static_cast<float>(i);
    network.parameters = coded_parameters(shape, scheme, network.scales, network.parameters);
  }
  return network;
}

// Sentences of up to six words, some of them twice, some never seen, some empty.
Facts random_facts(const MemN2NShape& shape, std::size_t count, std::uint64_t seed = 9) {
  Random random(seed);
  Facts facts(count);
  for (auto& fact : facts) {
    for (std::uint64_t words = random.below(7); words > 0; --words)
      fact.push_back(static_cast<std::int32_t>(random.below(shape.vocabulary)));
    if (fact.size() > 2) fact.push_back(fact[0]);
  }
  return facts;
}

const std::vector<std::int32_t> kQuestion{3, 1, 1, 0, 4};

// What the cell says of these facts, ages limited to those that were trained.
MemoryAnswer expected_answer(const MemoryNetwork& network, std::span<const std::vector<std::int32_t>> kept) {
  const std::vector<WordNumbers> facts(kept.begin(), kept.end());
  std::vector<std::uint32_t> ages;
  for (std::size_t i = facts.size(); i > 0; --i)
    ages.push_back(static_cast<std::uint32_t>(std::min(i - 1, network.shape.memory - 1)));
  const MemoryQuestion question{facts, kQuestion, ages};
  if (network.scheme.is_float()) return MemN2NRef(network.shape, network.parameters).answer(question);
  if (network.scheme.is_scaled()) {
    MemN2NScaled cell(network.shape, network.scheme, network.scales);
    cell.set_parameters(network.parameters);
    return cell.answer(question);
  }
  MemN2NFixed cell(network.shape, network.scheme);
  cell.set_parameters(network.parameters);
  return cell.answer(question);
}

void expect_same(MemorySession& session, const Memory& memory, const MemoryAnswer& expected, const std::string& where) {
  const MemoryAnswer found = session.explain(memory, kQuestion);
  ASSERT_EQ(found.scores, expected.scores) << where;
  ASSERT_EQ(found.attention, expected.attention) << where;
  ASSERT_EQ(found.nothing, expected.nothing) << where;
  ASSERT_EQ(static_cast<std::size_t>(session.answer(memory, kQuestion)), expected.best()) << where;
}

std::vector<MemoryScheme> schemes() {
  std::vector<MemoryScheme> all;
  for (const std::string& name : memory_scheme_names()) {
    MemoryScheme scheme = memory_scheme_from_name(name);
    all.push_back(scheme);
    if (!scheme.is_fixed()) continue;
    scheme.integer_only = true;
    all.push_back(scheme);
    scheme.one_bit_query = scheme.one_bit_weights = true;
    all.push_back(scheme);
  }
  all.push_back({.arithmetic = MemoryArithmetic::kFixed,
                 .bits = 4,
                 .integer_bits = 1,
                 .hop_formats = true,
                 .integer_only = true});
  all.push_back(
      {.arithmetic = MemoryArithmetic::kFixed, .bits = 6, .integer_bits = 2, .similarity = MemorySimilarity::kHamming});
  all.push_back({.arithmetic = MemoryArithmetic::kFixed,
                 .bits = 12,
                 .integer_bits = 4,
                 .integer_only = true});  // too long for codes: the cell
  for (const bool shared_point : {false, true})
    all.push_back({.arithmetic = MemoryArithmetic::kScaled,
                   .integer_bits = 3,
                   .integer_only = true,
                   .power_of_two_scales = true,
                   .truncation = true,
                   .shared_point = shared_point});
  return all;
}

MemN2NShape shape_of(MemoryTying tying, SentenceEncoding encoding, bool temporal, std::size_t d = 21,
                     std::size_t slots = 0) {
  return {.vocabulary = 23,
          .memory = 6,
          .d = d,
          .hops = 3,
          .sentence = 4,
          .tying = tying,
          .encoding = encoding,
          .temporal = temporal,
          .slots = slots};
}

std::string isa_case_name(const testing::TestParamInfo<Isa>& info) { return std::string(isa_name(info.param)); }

class MemoryPaths : public testing::TestWithParam<Isa> {
 protected:
  void SetUp() override { QUAVER_SKIP_WITHOUT(GetParam()); }
};

TEST_P(MemoryPaths, SameBitsAsTheCell) {
  for (const MemoryScheme& scheme : schemes()) {
    for (const MemoryTying tying : {MemoryTying::kAdjacent, MemoryTying::kLayerwise}) {
      for (const SentenceEncoding encoding : {SentenceEncoding::kWords, SentenceEncoding::kPosition}) {
        for (const bool temporal : {true, false}) {
          if (!temporal && encoding == SentenceEncoding::kPosition) continue;
          const MemN2NShape shape = shape_of(tying, encoding, temporal);
          const MemoryNetwork network = random_network(shape, scheme);
          // As long as the ages, shorter, and longer so that facts settle and the ring turns over.
          for (const std::size_t capacity : {6u, 4u, 40u}) {
            MemorySession session(network, {.capacity = capacity, .isa = GetParam()});
            EXPECT_EQ(session.on_codes(), !scheme.is_float() && scheme.bits <= 8);
            Memory memory = session.empty_memory();
            const Facts facts = random_facts(shape, 100);
            for (std::size_t told = 0; told <= facts.size(); ++told) {
              if (told > 0) session.write(memory, facts[told - 1]);
              if (told > 1 && told % 23 != 8 && (told < 4 || told > 8)) continue;
              const std::size_t kept = std::min(told, capacity);
              ASSERT_EQ(memory.size(), kept);
              ASSERT_EQ(memory.dropped(), told - kept);
              expect_same(session, memory, expected_answer(network, std::span(facts).subspan(told - kept, kept)),
                          memory_scheme_text(scheme) + " " + memory_tying_name(tying) + " " +
                              sentence_encoding_name(encoding) + " temporal " + std::to_string(temporal) + " told " +
                              std::to_string(told) + " capacity " + std::to_string(capacity));
            }
          }
        }
      }
    }
  }
}

// Fewer facts than slots, as many and more; none, and some of them forgotten.
TEST_P(MemoryPaths, EmptyFactsTakePart) {
  for (const MemoryScheme& scheme : schemes()) {
    for (const MemoryTying tying : {MemoryTying::kAdjacent, MemoryTying::kLayerwise}) {
      for (const std::size_t slots : {1u, 9u, 65536u}) {
        const MemN2NShape shape = shape_of(tying, SentenceEncoding::kPosition, true, 21, slots);
        const MemoryNetwork network = random_network(shape, scheme);
        const std::string where = memory_scheme_text(scheme) + " slots " + std::to_string(slots);
        MemorySession session(network, {.capacity = 12, .isa = GetParam()});
        Memory memory = session.empty_memory();
        const Facts facts = random_facts(shape, 12);
        expect_same(session, memory, expected_answer(network, {}), where);
        for (std::size_t told = 1; told <= facts.size(); ++told) {
          session.write(memory, facts[told - 1]);
          expect_same(session, memory, expected_answer(network, std::span(facts).first(told)), where);
        }
        for (std::size_t left = facts.size() - 1; left > 5; --left) {
          session.forget(memory, 0);
          expect_same(session, memory, expected_answer(network, std::span(facts).last(left)), where);
        }
        const std::string saved = session.save(memory);
        const Memory back = session.restore(std::as_bytes(std::span(saved)));
        expect_same(session, back, expected_answer(network, std::span(facts).last(6)), where);
        const std::vector<WordNumbers> questions(9, kQuestion);
        std::vector<std::int32_t> words(questions.size());
        session.answer(memory, questions, words);
        EXPECT_EQ(words, std::vector<std::int32_t>(9, session.answer(memory, kQuestion))) << where;
      }
    }
  }
}

// More facts than a probability of 16 bits can tell apart, and every width of a row.
// Sums far beyond what a code can say, and one-bit weights so small that their sum of signs must be exact.
TEST_P(MemoryPaths, LongSentences) {
  for (const SentenceEncoding encoding : {SentenceEncoding::kWords, SentenceEncoding::kPosition}) {
    for (const MemoryScheme& scheme : schemes()) {
      const MemN2NShape shape = shape_of(MemoryTying::kLayerwise, encoding, true);
      MemoryNetwork network = random_network(shape, scheme);
      if (scheme.is_fixed() && scheme.one_bit_weights)
        for (float& value : network.parameters) value *= 0.004f;
      MemorySession session(network, {.isa = GetParam()});
      for (const std::size_t words : {std::size_t{250}, std::min<std::size_t>(session.longest_sentence(), 1500)}) {
        Facts facts(3, std::vector<std::int32_t>(words, 2));  // one word all the time, and two of many words
        for (std::size_t place = 0; place < words; ++place)
          for (const std::size_t step : {1u, 2u})
            facts[step][place] = static_cast<std::int32_t>(1 + place * step % (shape.vocabulary - 1));
        Memory memory = session.empty_memory();
        for (const auto& fact : facts) session.write(memory, fact);
        expect_same(session, memory, expected_answer(network, facts), std::to_string(words) + " words");
      }
      if (session.longest_sentence() == kMaxSentence) continue;
      const std::vector<std::int32_t> too_long(session.longest_sentence() + 1, 1);
      EXPECT_THROW(session.answer(session.empty_memory(), too_long), Error);
    }
  }
}

TEST_P(MemoryPaths, ManyFacts) {
  for (const std::size_t d : {1u, 4u, 32u, 60u, 65u}) {
    const MemN2NShape shape = shape_of(MemoryTying::kLayerwise, SentenceEncoding::kWords, true, d);
    MemoryScheme scheme = memory_scheme_from_name("qmann8");
    scheme.integer_only = true;
    const MemoryNetwork network = random_network(shape, scheme);
    MemorySession session(network, {.capacity = 5000, .isa = GetParam()});
    Memory memory = session.empty_memory();
    const Facts facts = random_facts(shape, 5000);
    for (const auto& fact : facts) session.write(memory, fact);
    expect_same(session, memory, expected_answer(network, facts), "d " + std::to_string(d));
  }
}

INSTANTIATE_TEST_SUITE_P(All, MemoryPaths, testing::ValuesIn(all_isas().begin(), all_isas().end()), isa_case_name);

MemoryNetwork small_network(std::uint64_t seed = 5, std::size_t slots = 0) {
  MemoryScheme scheme = memory_scheme_from_name("qmann8");
  scheme.integer_only = true;
  return random_network(shape_of(MemoryTying::kAdjacent, SentenceEncoding::kPosition, true, 21, slots), scheme, seed);
}

Memory told(const MemorySession& session, std::span<const std::vector<std::int32_t>> facts) {
  Memory memory = session.empty_memory();
  for (const auto& fact : facts) session.write(memory, fact);
  return memory;
}

TEST(Memory, ForgettingIsAsIfNeverTold) {
  const MemoryNetwork network = small_network();
  for (const std::size_t count : {1u, 5u, 7u, 30u, 50u}) {  // 50: ten have made room
    for (std::size_t index = 0; index < std::min<std::size_t>(count, 40); ++index) {
      MemorySession session(network, {.capacity = 40});
      Facts facts = random_facts(network.shape, count);
      Memory memory = told(session, facts);
      session.forget(memory, index);
      facts.erase(facts.begin() + static_cast<std::ptrdiff_t>(index + memory.dropped()));
      const auto kept = std::span(facts).last(memory.size());
      ASSERT_EQ(memory.size(), std::min<std::size_t>(count, 40) - 1);
      expect_same(session, memory, expected_answer(network, kept), std::to_string(count) + " " + std::to_string(index));
      // And goes on so, over the next facts and the next loss.
      const Facts more = random_facts(network.shape, 9, 77);
      std::vector<std::vector<std::int32_t>> all(kept.begin(), kept.end());
      for (const auto& fact : more) {
        session.write(memory, fact);
        all.push_back(fact);
      }
      if (memory.size() > 3) {
        session.forget(memory, memory.size() - 3);
        all.erase(all.end() - 3);
      }
      expect_same(session, memory, expected_answer(network, std::span(all).last(memory.size())), "later");
    }
  }
  MemorySession session(network);
  Memory memory = told(session, random_facts(network.shape, 3));
  EXPECT_THROW(session.forget(memory, 3), Error);
  session.forget_all(memory);
  EXPECT_EQ(memory, session.empty_memory());
  expect_same(session, memory, expected_answer(network, {}), "nothing left");
}

static_assert(std::is_nothrow_move_constructible_v<Memory> && std::is_nothrow_move_assignable_v<Memory>);

TEST(Memory, IsAValue) {
  const MemoryNetwork network = small_network();
  MemorySession session(network, {.capacity = 20});
  const Facts facts = random_facts(network.shape, 30);
  Memory memory = told(session, facts);
  Memory fork = memory;
  EXPECT_EQ(fork, memory);
  session.write(fork, facts[0]);
  EXPECT_FALSE(fork == memory);
  expect_same(session, memory, expected_answer(network, std::span(facts).last(20)), "the original");
  session.write(memory, memory.fact(0));  // one of its own, which goes
  EXPECT_EQ(std::vector(memory.fact(19).begin(), memory.fact(19).end()), facts[10]);
  MemorySession copy = session;
  EXPECT_EQ(copy.answer(memory, kQuestion), session.answer(memory, kQuestion));
}

TEST(Memory, ManyQuestionsTogether) {
  for (const std::string& name : memory_scheme_names()) {
    const MemoryNetwork network = random_network(shape_of(MemoryTying::kLayerwise, SentenceEncoding::kWords, true),
                                                 memory_scheme_from_name(name));
    for (const std::size_t count : {0u, 3u, 6u, 500u}) {
      MemorySession session(network, {.capacity = 450});
      const Memory memory = told(session, random_facts(network.shape, count));
      const Facts asked = random_facts(network.shape, 19, 31);
      const std::vector<WordNumbers> questions(asked.begin(), asked.end());
      std::vector<std::int32_t> words(asked.size()), expected;
      session.answer(memory, questions, words);
      for (const WordNumbers question : questions) expected.push_back(session.answer(memory, question));
      ASSERT_EQ(words, expected) << name << " " << count;
    }
  }
  MemorySession session(small_network());
  const std::vector<WordNumbers> one{kQuestion};
  EXPECT_THROW(session.answer(session.empty_memory(), one, {}), Error);
}

std::span<const std::byte> bytes_of(const std::string& text) { return std::as_bytes(std::span(text)); }

TEST(Memory, SavedAndRestored) {
  const MemoryNetwork network = small_network();
  MemorySession session(network, {.capacity = 20});
  const Facts facts = random_facts(network.shape, 33);
  const Memory memory = told(session, facts);
  const std::string bytes = session.save(memory);
  const Memory back = session.restore(bytes_of(bytes));
  EXPECT_EQ(back, memory);
  EXPECT_EQ(back.dropped(), 13u);
  EXPECT_EQ(session.save(back), bytes);
  expect_same(session, back, expected_answer(network, std::span(facts).last(20)), "restored");
  // Into less room: the oldest go, and are counted.
  MemorySession narrow(network, {.capacity = 5});
  const Memory cut = narrow.restore(bytes_of(bytes));
  EXPECT_EQ(cut.size(), 5u);
  EXPECT_EQ(cut.dropped(), 28u);
  EXPECT_EQ(session.restore(bytes_of(session.save(session.empty_memory()))), session.empty_memory());
}

std::string refusal(const MemorySession& session, const std::string& bytes) {
  try {
    session.restore(bytes_of(bytes));
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kBadInput);
    return error.what();
  }
  return "taken";
}

TEST(Memory, DamagedOrForeignBytesAreRefused) {
  const MemorySession session(small_network()), other(small_network(6)), with_slots(small_network(5, 9));
  const std::string bytes = session.save(told(session, random_facts(session.network().shape, 5)));
  EXPECT_NE(refusal(other, bytes).find("belongs to network"), std::string::npos) << refusal(other, bytes);
  EXPECT_NE(refusal(with_slots, bytes).find("belongs to network"), std::string::npos);
  EXPECT_NE(refusal(session, "").find("not a saved memory"), std::string::npos);
  for (std::size_t length = 0; length < bytes.size(); ++length)
    EXPECT_NE(refusal(session, bytes.substr(0, length)), "taken") << length;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    std::string damaged = bytes;
    damaged[i] = static_cast<char>(damaged[i] ^ 4);
    EXPECT_NE(refusal(session, damaged), "taken") << i;
  }
  // A checksum that is right does not make the rest right.
  const auto forged = [&](std::size_t place, char value) {
    std::string text = bytes.substr(0, bytes.size() - 8);
    text[place] = value;
    const std::uint64_t sum = fnv1a(bytes_of(text));
    for (int i = 0; i < 8; ++i) text.push_back(static_cast<char>(sum >> (8 * i) & 255));
    return refusal(session, text);
  };
  EXPECT_NE(forged(24, 100).find("ends in the middle"), std::string::npos) << forged(24, 100);
  EXPECT_NE(forged(24, 1).find("after its last fact"), std::string::npos) << forged(24, 1);
  EXPECT_NE(forged(35, 127).find("claims"), std::string::npos) << forged(35, 127);
}

TEST(Memory, WhatACallerCanGetWrong) {
  MemorySession session(small_network()), other(small_network(6));
  Memory memory = session.empty_memory();
  const auto vocabulary = static_cast<std::int32_t>(session.network().shape.vocabulary);
  for (const std::int32_t word : {-1, vocabulary}) {
    const std::vector<std::int32_t> words{1, word};
    EXPECT_THROW(session.write(memory, words), Error);
    EXPECT_THROW(session.answer(memory, words), Error);
  }
  EXPECT_EQ(memory.size(), 0u);
  EXPECT_THROW(session.write(memory, std::vector<std::int32_t>(kMaxSentence + 1)), Error);
  EXPECT_NO_THROW(session.write(memory, std::vector<std::int32_t>(kMaxSentence, 1)));
  EXPECT_THROW(other.answer(memory, kQuestion), Error);
  EXPECT_THROW(MemorySession(small_network(), {.capacity = std::size_t{1} << 40}), Error);
}

// A float operation that rounds leaves a flag behind.
TEST(Memory, IntegerOnlyMeansNoFloat) {
  MemorySession session(small_network(5, 400), {.capacity = 500});
  ASSERT_TRUE(session.integer_only());
  const Facts facts = random_facts(session.network().shape, 300);
  Memory memory = session.empty_memory();
  std::feclearexcept(FE_ALL_EXCEPT);
  for (const auto& fact : facts) session.write(memory, fact);
  const std::int32_t word = session.answer(memory, kQuestion);
  EXPECT_EQ(std::fetestexcept(FE_ALL_EXCEPT), 0);
  EXPECT_GT(word, 0);
  volatile double third = 3;
  third = 1 / third;
  EXPECT_NE(std::fetestexcept(FE_INEXACT), 0) << "this machine keeps no flags: the test says nothing";
}

}  // namespace
}  // namespace quaver
