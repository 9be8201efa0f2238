#include "quaver/data/own/split.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

#include "quaver/core/error.h"
#include "quaver/core/printable.h"
#include "quaver/core/random.h"
#include "quaver/core/text.h"

namespace quaver {
namespace {

constexpr double kShare = 0.1;  // of test and of validation

// The splits that get a share; train gets the rest.
std::vector<Split> shared_splits(Division division) {
  if (division == Division::kThreeWays) return {Split::kTest, Split::kValidation};
  return {Split::kValidation};
}

std::size_t share_of(std::size_t count) {
  return std::max<std::size_t>(1, static_cast<std::size_t>(std::lround(kShare * static_cast<double>(count))));
}

}  // namespace

std::vector<Split> divide_by_label(const Divided& divided, Division division, std::uint64_t seed) {
  const std::vector<Split> shared = shared_splits(division);
  std::map<std::int32_t, std::vector<std::size_t>> by_label;
  for (std::size_t i = 0; i < divided.labels.size(); ++i) by_label[divided.labels[i]].push_back(i);
  std::vector<Split> splits(divided.labels.size(), Split::kTrain);
  for (auto& [label, examples] : by_label) {
    if (examples.size() <= shared.size()) {
      const std::string of_class =
          divided.classes.empty()
              ? ""
              : concat("class '", printable(divided.classes[static_cast<std::size_t>(label)]), "': ");
      throw_bad_input(concat(divided.where, ": ", of_class, examples.size(), " of the ", divided.what,
                             ", expected at least ", shared.size() + 1, ", one for each of ",
                             division == Division::kThreeWays ? "train, validation and test" : "train and validation"));
    }
    Random(seed).fork(static_cast<std::uint64_t>(label)).shuffle(std::span(examples));
    std::size_t next = 0;
    for (const Split split : shared)
      for (std::size_t i = share_of(examples.size()); i > 0; --i) splits[examples[next++]] = split;
  }
  return splits;
}

std::vector<Split> divide_by_group(const Divided& divided, std::span<const std::string> groups, Division division,
                                   std::uint64_t seed) {
  const std::vector<Split> shared = shared_splits(division);
  std::map<std::string, std::vector<std::size_t>> members;
  for (std::size_t i = 0; i < groups.size(); ++i) members[groups[i]].push_back(i);
  if (members.size() <= shared.size())
    throw_bad_input(concat(divided.where, ": ", members.size(), " groups of ", divided.what, ", expected at least ",
                           shared.size() + 1, ", one for each of ",
                           division == Division::kThreeWays ? "train, validation and test" : "train and validation",
                           "; does the regular expression match what differs between groups?"));
  std::vector<std::string> order;
  for (const auto& [group, examples] : members) order.push_back(group);
  Random(seed).shuffle(std::span(order));
  std::vector<Split> splits(groups.size(), Split::kTrain);
  std::size_t next = 0;
  for (std::size_t i = 0; i < shared.size(); ++i) {
    const std::size_t kept = shared.size() - i;  // groups for the splits that follow, train's among them
    for (std::size_t taken = 0; taken < share_of(groups.size()) && next + kept < order.size(); ++next) {
      for (const std::size_t example : members[order[next]]) splits[example] = shared[i];
      taken += members[order[next]].size();
    }
  }
  return splits;
}

void check_classes(const Divided& divided, std::span<const Split> splits, std::vector<std::string>& notes) {
  if (divided.classes.size() < 2)
    throw_bad_input(concat(divided.where, ": all ", divided.what, " are of class '", printable(divided.classes[0]),
                           "', expected two classes at least"));
  std::array<bool, 3> has_split{};
  std::vector<std::array<std::size_t, 3>> counts(divided.classes.size());
  for (std::size_t i = 0; i < splits.size(); ++i) {
    has_split[static_cast<std::size_t>(splits[i])] = true;
    ++counts[static_cast<std::size_t>(divided.labels[i])][static_cast<std::size_t>(splits[i])];
  }
  for (std::size_t label = 0; label < counts.size(); ++label) {
    const std::string name = printable(divided.classes[label]);
    for (const Split split : {Split::kTrain, Split::kValidation, Split::kTest}) {
      const std::size_t count = counts[label][static_cast<std::size_t>(split)];
      if (!has_split[static_cast<std::size_t>(split)] || count > 1) continue;
      if (split == Split::kTrain && count == 0)
        throw_bad_input(concat(divided.where, ": class '", name, "' has none of the ", divided.what,
                               " of split 'train', so that it cannot be learned; add some, or leave the class out"));
      if (split == Split::kTrain || count == 0)
        notes.push_back(concat("class '", name, "' has ", count == 0 ? "none" : "one", " of the ", divided.what,
                               " of split '", split_name(split), "'"));
    }
  }
}

std::vector<Split> split_examples(const Divided& divided, const SourceSplits& source, std::uint64_t seed,
                                  std::vector<std::string>& notes) {
  const auto drawn = [&](const Divided& from, std::span<const std::string> groups, Division division) {
    notes.push_back(
        concat(division == Division::kThreeWays ? "split by seed " : "validation is 10 % of train, drawn by seed ",
               seed, division == Division::kThreeWays ? ": 80 % train, 10 % validation, 10 % test" : "",
               groups.empty() ? "" : ", whole groups"));
    return groups.empty() ? divide_by_label(from, division, seed) : divide_by_group(from, groups, division, seed);
  };
  if (source.parts.empty()) return drawn(divided, source.groups, Division::kThreeWays);

  notes.push_back("split by " + source.by);
  std::vector<Split> splits = source.parts;
  const auto has = [&](Split split) { return std::ranges::find(splits, split) != splits.end(); };
  if (has(Split::kValidation) || !has(Split::kTrain)) return splits;
  Divided train{.where = divided.where, .what = divided.what, .labels = {}, .classes = divided.classes};
  std::vector<std::string> groups;
  for (std::size_t i = 0; i < splits.size(); ++i) {
    if (splits[i] != Split::kTrain) continue;
    train.labels.push_back(divided.labels[i]);
    if (!source.groups.empty()) groups.push_back(source.groups[i]);
  }
  const std::vector<Split> of_train = drawn(train, groups, Division::kTrainValidation);
  for (std::size_t i = 0, next = 0; i < splits.size(); ++i)
    if (splits[i] == Split::kTrain) splits[i] = of_train[next++];
  return splits;
}

}  // namespace quaver
