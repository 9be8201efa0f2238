// pipeline.h - what turns raw input into what a model reads, and what a model says into words: a value that is stored
// beside the weights.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "quaver/core/memory_limit.h"
#include "quaver/core/name_table.h"
#include "quaver/data/dataset.h"
#include "quaver/data/features.h"

namespace quaver {

// What a table has where a number is missing: nothing, or one of "NA", "N/A", "NaN", "null", "none", "?" in any case.
enum class MissingValues {
  kError,
  kHold,  // the number of the row before
  kDrop,  // leave the row out
};
const NameTable<MissingValues, 3>& missing_values_names();  // "error", "hold", "drop"

// Rows of numbers, by the names of their columns.
struct TableSettings {
  std::vector<std::string> inputs{};   // columns that a model reads, a feature each
  std::string label{};                 // column of the class of each row; "": a forecast
  std::vector<std::string> targets{};  // columns that are forecast, each one of the inputs
  std::size_t window = 0;              // rows that one sequence has
  std::size_t horizon = 0;             // rows that are forecast
  MissingValues missing = MissingValues::kError;
  std::vector<double> mean{}, deviation{};  // of the inputs over train: a model reads (x - mean) / deviation
  bool distances = false;                   // of a forecast: inputs and targets are distances from the last row
  bool operator==(const TableSettings&) const = default;

  std::vector<std::size_t> target_features() const;  // places of the targets among the inputs
};

enum class TokenUnit {
  kCharacter,       // one of Unicode
  kWord,            // lower-cased letters and digits; other signs stand alone; blanks part
  kBlankSeparated,  // whatever stands between blanks; the end of a line is a token
};
const NameTable<TokenUnit, 3>& token_unit_names();  // "char", "word", "blank-separated"

struct TokenSettings {
  TokenUnit unit = TokenUnit::kCharacter;
  std::vector<std::string> tokens{};  // by id; id 0, "", is whatever is none of the others
  std::size_t window = 0;             // lm: tokens of a sequence
  bool operator==(const TokenSettings&) const = default;
};

struct Pipeline {
  std::string kind{};  // of the data that it was made from: "wav"
  // How a split was drawn: who opens the same data for the model again finds in test what it has not learned.
  std::uint64_t seed = 1;
  std::string group{};
  // What the split was drawn from: examples, rows or tokens, and their hash. 0 where the source says itself what is
  // which, and of models of before.
  std::size_t drawn_from = 0;
  std::uint64_t drawn_hash = 0;
  Target target = Target::kClass;
  std::size_t features = 0;            // of one step; 0 for ids
  std::size_t vocabulary = 0;          // 0 for real features
  std::vector<std::string> classes{};  // by label
  // Of each real number of a target, over train: data sets hold (y - mean) / deviation, forecasts of tables less their
  // origin (data/distances.h). Empty where targets are labels.
  std::vector<double> target_mean{}, target_deviation{};
  std::optional<LogMelOptions> sound{};   // wav: samples at this rate, mixed down, become log-mel frames
  bool same_level = false;                // of sound: recordings count as equally loud, without_level()
  std::optional<TableSettings> table{};   // csv
  std::optional<TokenSettings> tokens{};  // text, lm

  bool operator==(const Pipeline&) const = default;
};

// As texts by name, for a model file's metadata, and back. Error (bad input) naming the entry that is missing, unknown,
// malformed, or does not suit the others: who has a pipeline from a file need not doubt it.
std::map<std::string, std::string> to_map(const Pipeline& pipeline);
Pipeline pipeline_from_map(const std::map<std::string, std::string>& map);

// What a model says of real targets in the user's units: (value + origin) * deviation + mean. values:
// [..., outputs]. origin: [outputs] as the Example has it, or none. A forecast has the targets of its first row, then
// those of the next.
std::vector<double> in_units(const Pipeline& pipeline, std::span<const float> values,
                             std::span<const float> origin = {});

// The log-mel front end for samples of this rate: frames of 25 ms every 10 ms, 40 bands up to half the rate.
LogMelOptions sound_options(int sample_rate);

// A text in UTF-8 as a model of this pipeline (kind text or lm) reads it: no steps where it has no token.
Sequence read_text(const Pipeline& pipeline, std::string_view text);

// The lines of a text file, plain, .gz or .xz, each with its end. Error (bad input) "FILE:LINE: ..." for what is no
// UTF-8 or has control characters, for more than max_memory bytes.
std::string read_text_file(const std::filesystem::path& path, std::uint64_t max_memory);

// Error (bad input) "WHERE: ..." for what no line of a text file may have: what is no UTF-8, a control character other
// than tabs. Lines that come in a stream are looked at with it.
void require_text(std::string_view line, const std::string& where);

// A recording as a model of this pipeline (kind wav) reads it. Error (bad input) naming the file, also for samples that
// take more than max_memory bytes.
Sequence read_recording(const Pipeline& pipeline, const std::filesystem::path& path,
                        std::uint64_t max_memory = kDefaultMaxMemory);

// What lies below a folder of recordings, at any depth; each list in the order of the names, which begin below it.
struct FolderOfRecordings {
  std::vector<std::string> recordings{};  // .wav, whether they can be read or not
  std::vector<std::string> others{};      // files of other names
  std::vector<std::string> links{};       // to folders: not followed, or a circle would never end

  // "not followed: 2 links to folders, the first: a/more"; nothing where there are none.
  std::optional<std::string> links_text() const;
};
// Error (bad input) when it cannot be listed.
FolderOfRecordings list_recordings(const std::filesystem::path& folder);

// The rows of a table as a model of this pipeline (kind csv) reads them: its inputs, standardized; other columns and
// the label may be there or not. Error (bad input) naming file and line, as for the tables that models learn from, and
// for a column that the model reads and the table lacks, for more than max_memory bytes.
Sequence read_rows(const Pipeline& pipeline, const std::filesystem::path& path,
                   std::uint64_t max_memory = kDefaultMaxMemory);

// The same of rows as they come: what is missing is held or dropped as the pipeline says.
class RowStream {
 public:
  explicit RowStream(const Pipeline& pipeline);  // which outlives it
  ~RowStream();

  // The next line, of which the first has the names of the columns; where: for errors. Its row as the model reads it,
  // [features]; nothing of the names, and of a row that is dropped.
  std::optional<std::vector<float>> next(std::string_view line, const std::string& where);

 private:
  struct Contents;
  std::unique_ptr<Contents> contents_;
};

}  // namespace quaver
