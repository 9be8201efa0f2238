// own_data.h - data of one's own: a KIND:PATH where a task's name could stand.
//
// Opening finds out what there is: the examples, their classes, the split, and the pipeline that turns raw input into
// what a model reads. Examples are read when they are asked for, so that a folder larger than the memory can be learned
// from. docs/own_data.md has the table of kinds: what each expects, how it is split, what it refuses.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "quaver/core/memory_limit.h"
#include "quaver/data/dataset.h"
#include "quaver/data/own/pipeline.h"

namespace quaver {

struct DataSpec {
  std::string kind{};  // one of data_kinds()
  std::filesystem::path path{};
  bool operator==(const DataSpec&) const = default;
};

// Of "wav:recordings"; nothing when no kind stands before the first colon, as in "digits:test". Error (usage) when
// nothing stands behind it, and for a text that is a task and its split too, as "babi:test" where a folder `test` lies.
std::optional<DataSpec> parse_data_spec(std::string_view text);
std::string data_spec_text(const DataSpec& spec);

struct DataKind {
  std::string name{};   // "wav"
  std::string holds{};  // one line: what lies at the path
};
std::vector<DataKind> data_kinds();

inline constexpr std::size_t kDefaultHorizon = 24, kDefaultVocabulary = 20000;

struct OwnDataOptions {
  std::uint64_t seed = 1;                        // of a split that is drawn
  std::size_t limit = 0;                         // examples of a split at most, evenly spread; 0: all
  std::uint64_t max_memory = kDefaultMaxMemory;  // bytes of what is held at once: of a file, or of a loaded split
  bool skip_broken = false;                      // leave out what cannot be read, counted, instead of an error
  // Told now and then what is done of what there is to do, in files or bytes.
  std::function<void(std::uint64_t done, std::uint64_t total)> progress{};

  std::string group{};  // wav: regular expression on the path below the folder; what its first group (or all of it)
                        // matches is never in two splits. "": no groups
  int sample_rate = 0;  // wav: Hz of the features; 0: that of most of train, at most 16000

  std::string label{};                     // csv: column of the class of each row; "": a forecast
  std::vector<std::string> targets{};      // csv: columns to forecast; none: the last column
  std::size_t window = 0;                  // csv: rows of a sequence; 0: 96. lm: tokens of a sequence; 0: 128
  std::optional<std::size_t> horizon{};    // csv: rows to forecast, 1 or more; else kDefaultHorizon
  std::optional<MissingValues> missing{};  // csv: else an error

  std::optional<TokenUnit> tokens{};        // text: else words; lm: else characters
  std::optional<std::size_t> vocabulary{};  // text, lm: ids at most, those of the most frequent tokens of train; else
                                            // kDefaultVocabulary
};

// The examples of one kind, found and split. Internal to this floor.
class PartReader;

class OwnData {
 public:
  // Error (usage) for an option that makes no sense, Error (bad input) with file and place for bad data.
  // trained: the pipeline of a model that the data is for, which is then used instead of one made from the data:
  // classes, features, vocabulary and how a split is drawn are its own, and what it does not know is an error.
  static OwnData open(const DataSpec& spec, const OwnDataOptions& options = {},
                      const std::optional<Pipeline>& trained = std::nullopt);
  OwnData(OwnData&&) noexcept;
  OwnData& operator=(OwnData&&) noexcept;
  ~OwnData();

  const DataSpec& spec() const { return spec_; }
  const Pipeline& pipeline() const { return pipeline_; }
  // What a user should know, a sentence each: how it was split, what was converted, what was left out.
  const std::vector<std::string>& notes() const { return notes_; }
  // What is wrong with the data for the trained model: the split was drawn from other data than the model's was.
  const std::vector<std::string>& warnings() const { return warnings_; }

  // split: train, validation or test. `limit` of the options counts.
  std::size_t size(const std::string& split) const;
  // Reads one example. index: below size(). Any number of threads may read.
  Example read(const std::string& split, std::size_t index) const;
  // Reads all. Error (bad input) when the split is empty or takes more than max_memory.
  Dataset load(const std::string& split) const;
  // The same, but for a split that takes more than a sixteenth of max_memory, by some of its examples, and for windows
  // of a table or text, which is held already: it reads them when they are asked for.
  Dataset stream(const std::string& split) const;

 private:
  OwnData() = default;
  Dataset without_examples(const std::string& split) const;  // Error (bad input) when there are none to read

  DataSpec spec_;
  OwnDataOptions options_;
  Pipeline pipeline_;
  std::vector<std::string> notes_, warnings_;
  std::shared_ptr<const PartReader> parts_;
};

}  // namespace quaver
