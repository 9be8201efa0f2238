// The story generator: every answer is checked by somebody who reads only the text.
#include "quaver/data/stories.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "quaver/data/babi.h"
#include "quaver/data/test_support.h"

namespace quaver {
namespace {

using Sentence = std::vector<std::string>;

bool has(const Sentence& words, const std::string& word) { return std::ranges::find(words, word) != words.end(); }

// Reads facts one by one and answers questions of all tasks but path finding.
class Reader {
 public:
  void hear(const Sentence& fact) {
    const std::string& person = fact.front();
    if (has(fact, "not") || has(fact, "longer")) {
      room_[person] = "not " + fact.back();
    } else if (has(fact, "is") || has(fact, "to")) {
      room_[person] = fact.back();
      for (auto& [object, holder] : holder_)
        if (holder == person) been_[object].push_back(fact.back());
    } else if (fact.back() == "there") {
      const std::string& object = fact[fact.size() - 2];
      holder_[object] = person;
      if (been_[object].empty() || been_[object].back() != room_[person]) been_[object].push_back(room_[person]);
    } else {
      holder_[fact.back()] = "";
    }
  }

  std::string answer(const Sentence& question) {
    if (question[0] == "is") return room_[question[1]] == question.back() ? "yes" : "no";
    if (question[0] == "how") {
      const auto held = std::ranges::count_if(holder_, [&](const auto& entry) { return entry.second == question[4]; });
      return std::vector<std::string>{"none", "one", "two", "three"}[static_cast<std::size_t>(held)];
    }
    if (question[1] == "was") {
      const std::vector<std::string>& rooms = been_[question[3]];
      EXPECT_EQ(rooms.back(), question.back());
      return rooms[rooms.size() - 2];
    }
    return question[2] == "the" ? been_[question[3]].back() : room_[question[2]];
  }

 private:
  std::map<std::string, std::string> room_, holder_;
  std::map<std::string, std::vector<std::string>> been_;
};

TEST(Stories, AnswersFollowFromTheText) {
  for (const GeneratedTask& task : generated_tasks()) {
    if (task.number == 19) continue;
    const std::vector<Story> stories = parse_stories(generate_stories(task.number, 400, 5), task.name);
    std::size_t questions = 0;
    std::set<std::string> answers;
    for (const Story& story : stories) {
      Reader reader;
      std::size_t heard = 0;
      for (const StoryQuestion& question : story.questions) {
        for (; heard < question.facts; ++heard) reader.hear(story.facts[heard]);
        ASSERT_EQ(reader.answer(question.words), question.answer)
            << task.name << " " << ::testing::PrintToString(question.words);
        ASSERT_FALSE(question.supporting.empty());
        answers.insert(question.answer);
        ++questions;
      }
    }
    EXPECT_EQ(questions, 400u) << task.name;
    EXPECT_GE(answers.size(), 2u) << task.name;
  }
}

TEST(Stories, SupportingFactsAreAsManyAsTheNameSays) {
  for (const std::size_t number : {1u, 2u, 3u}) {
    for (const Story& story : parse_stories(generate_stories(number, 200, 3), "text")) {
      for (const StoryQuestion& question : story.questions) {
        // A thing that was not moved since it was taken needs one line less.
        const std::set<std::size_t> lines(question.supporting.begin(), question.supporting.end());
        EXPECT_EQ(lines.size(), number);
      }
    }
  }
}

TEST(Stories, PathsLeadToTheGoal) {
  const std::map<std::string, std::pair<int, int>> steps{{"north", {0, 1}}, {"south", {0, -1}}, {"east", {1, 0}},
                                                         {"west", {-1, 0}}, {"n", {0, 1}},      {"s", {0, -1}},
                                                         {"e", {1, 0}},     {"w", {-1, 0}}};
  std::set<std::string> answers;
  for (const Story& story : parse_stories(generate_stories(19, 300, 5), "text")) {
    ASSERT_EQ(story.facts.size(), 4u);
    const StoryQuestion& question = story.questions.at(0);
    // "the A is DIRECTION of the B": A = B + direction. Places spread from the start until all are known.
    std::map<std::string, std::pair<int, int>> place{{question.words[6], {0, 0}}};
    for (std::size_t round = 0; round < story.facts.size(); ++round) {
      for (const Sentence& fact : story.facts) {
        const auto [x, y] = steps.at(fact[3]);
        if (const auto known = place.find(fact[6]); known != place.end())
          place[fact[1]] = {known->second.first + x, known->second.second + y};
        else if (const auto other = place.find(fact[1]); other != place.end())
          place[fact[6]] = {other->second.first - x, other->second.second - y};
      }
    }
    ASSERT_EQ(question.answer.size(), 3u);
    const auto first = steps.at(question.answer.substr(0, 1)), second = steps.at(question.answer.substr(2));
    EXPECT_EQ(place.at(question.words.back()), (std::pair{first.first + second.first, first.second + second.second}));
    answers.insert(question.answer);
  }
  EXPECT_EQ(answers.size(), 12u) << "every way of two steps that does not turn back";
}

TEST(Stories, TheSeedDecides) {
  for (const GeneratedTask& task : generated_tasks()) {
    EXPECT_EQ(generate_stories(task.number, 50, 1), generate_stories(task.number, 50, 1));
    EXPECT_NE(generate_stories(task.number, 50, 1), generate_stories(task.number, 50, 2));
  }
}

TEST(Stories, LoadAsTasks) {
  const std::vector<StoryTask> tasks = load_story_tasks("stories", {.tasks = "all", .questions = 100});
  ASSERT_EQ(tasks.size(), generated_tasks().size());
  const Vocabulary vocabulary = story_vocabulary(tasks);
  for (const StoryTask& task : tasks) {
    EXPECT_EQ(CodedStories(task.train, vocabulary, 50).questions().size(), 90u);
    EXPECT_EQ(CodedStories(task.validation, vocabulary, 50).questions().size(), 10u);
    EXPECT_EQ(CodedStories(task.test, vocabulary, 50).questions().size(), 100u);
    EXPECT_NE(task.train, task.test);
  }
}

}  // namespace
}  // namespace quaver
