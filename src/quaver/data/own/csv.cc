#include "quaver/data/own/csv.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <map>
#include <optional>
#include <utility>

#include "quaver/core/printable.h"
#include "quaver/core/text.h"
#include "quaver/core/text_place.h"
#include "quaver/data/distances.h"
#include "quaver/data/own/split.h"
#include "quaver/data/standard.h"

namespace quaver {
namespace {

constexpr std::size_t kDefaultWindow = 96, kMostRows = 1'000'000;

bool is_missing(std::string_view field) {
  constexpr std::array<std::string_view, 7> kMissingWords{"", "na", "n/a", "nan", "null", "none", "?"};
  if (field.size() > 4) return false;
  return std::ranges::find(kMissingWords, lower_case(field)) != kMissingWords.end();
}

// Digits with a - / : or T between: "2016-07-01 00:00:00", "01/07/2016", "12:30".
bool is_date(std::string_view field) {
  const bool has_digit = field.find_first_of("0123456789") != std::string_view::npos;
  return has_digit && field.find_first_of("-/:", 1) != std::string_view::npos &&
         field.find_first_not_of("0123456789-/:. TZ+") == std::string_view::npos;
}

// "0,1169": what a comma instead of a point makes of a number.
bool has_decimal_comma(std::string_view field) {
  const std::size_t comma = field.find(',');
  return comma != std::string_view::npos && comma > 0 && number_of(field.substr(0, comma)) &&
         comma + 1 < field.size() && field.find_first_not_of("0123456789", comma + 1) == std::string_view::npos;
}

// A table a line at a time.
class CsvReader {
 public:
  // where: of the line at hand. wanted: columns that must be there, and the only ones that are read; null: all are.
  CsvReader(std::function<std::string()> where, const OwnDataOptions& options,
            const std::vector<std::string>* wanted = nullptr)
      : where_(std::move(where)), options_(options), wanted_(wanted), broken_("rows", options.skip_broken) {}

  void take(std::string_view line) {
    const bool first = names_.empty();
    if (first) read_names(line);
    if (first && !headless_) return;
    ++rows_;
    split(line);
    if (!begun_) find_columns();
    begun_ = true;
    broken_.readable([&] { add_row(); });
  }

  // All that was taken, at the end.
  CsvTable finish() {
    if (names_.empty()) refuse("the file has no line, expected one of column names");
    if (table_.rows() == 0) refuse("there are no rows behind the column names");
    if (broken_.count() > 0) table_.notes.push_back("left out: " + broken_.text(rows_));
    if (dropped_ > 0) table_.notes.push_back(concat("dropped ", dropped_, " of ", rows_, " rows with missing values"));
    if (held_ > 0) table_.notes.push_back(concat("held the value before where one was missing: ", held_, " values"));
    return std::move(table_);
  }

  const CsvTable& table() const { return table_; }
  // What a row to come may hold on to is the last one; others go now and then, so that an endless table has room.
  void keep_last_rows() {
    constexpr std::size_t kMostKept = 16384;  // numbers
    if (table_.values.size() <= std::max(kMostKept, 2 * row_.size())) return;
    Blocks<float> last;
    for (std::size_t k = 0; k < row_.size(); ++k) last.push_back(table_.values[table_.values.size() - row_.size() + k]);
    table_.values = std::move(last);
  }

 private:
  [[noreturn]] void refuse(const std::string& what) const { throw_bad_input(concat(where_(), ": ", what)); }

  void read_names(std::string_view line) {
    std::ptrdiff_t most = 0;
    for (const char separator : {',', ';', '\t'})
      if (const std::ptrdiff_t count = std::ranges::count(line, separator); count > most) {
        most = count;
        separator_ = separator;
      }
    split(line);
    headless_ = std::ranges::all_of(fields_, [](std::string_view field) { return number_of(field) || is_date(field); });
    for (std::size_t i = 0; i < fields_.size(); ++i)
      names_.push_back(headless_ || fields_[i].empty() ? concat("column", i + 1) : std::string(fields_[i]));
    if (headless_) table_.notes.push_back("the first line has no names: columns are column1, column2, ...");
    std::map<std::string, std::size_t> places;
    for (std::size_t i = 0; i < names_.size(); ++i)
      if (const auto [other, is_new] = places.emplace(names_[i], i); !is_new)
        refuse(concat("columns ", other->second + 1, " and ", i + 1, " are both named '", printable(names_[i]),
                      "': rename one"));
    if (options_.label.empty()) return;
    const auto label = std::ranges::find(names_, options_.label);
    if (label == names_.end())
      refuse(
          concat("there is no column '", printable(options_.label), "' for the label; the columns are ", names_text()));
    label_ = static_cast<std::size_t>(label - names_.begin());
  }

  std::string names_text() const {
    std::vector<std::string> shown;
    for (const std::string& name : names_) shown.push_back(printable(name));
    return printable_ends(join(shown, ", "), 400);
  }

  // Fields without blanks and quotes around them.
  void split(std::string_view line) {
    fields_.clear();
    for (std::size_t begin = 0;;) {
      std::size_t end = line.find(separator_, begin);
      if (line.substr(begin).starts_with('"')) {
        const std::size_t close = closing_quote(line, begin);
        fields_.push_back(line.substr(begin + 1, close - begin - 1));
        end = close + 1;
        if (end < line.size() && line[end] != separator_)
          refuse(concat("field ", fields_.size(), " goes on behind its closing quote"));
        if (end >= line.size()) return;
      } else {
        fields_.push_back(trimmed(line.substr(begin, end - begin)));
        if (end == std::string_view::npos) return;
      }
      begin = end + 1;
    }
  }

  std::size_t closing_quote(std::string_view line, std::size_t begin) const {
    for (std::size_t at = begin + 1; at < line.size(); ++at) {
      if (line[at] != '"') continue;
      if (at + 1 == line.size() || line[at + 1] != '"') return at;
      ++at;  // "" is a quote inside
    }
    refuse(concat("field ", fields_.size() + 1, " has no closing quote; a field ends on its line"));
  }

  // Which columns are numbers is seen in the first row.
  void find_columns() {
    require_width();
    for (std::size_t i = 0; i < fields_.size(); ++i) {
      if (i == label_ || (wanted_ != nullptr && std::ranges::find(*wanted_, names_[i]) == wanted_->end())) continue;
      if (i == 0 && !number_of(fields_[i]) && is_date(fields_[i])) {
        table_.notes.push_back(concat("skipped column '", printable(names_[i]), "': it has dates"));
        continue;
      }
      if (has_decimal_comma(fields_[i])) refuse_decimal_comma(names_[i], fields_[i]);
      if (!number_of(fields_[i]) && !is_missing(fields_[i]))
        refuse(concat("column '", printable(names_[i]), "' is text ('", printable(fields_[i], 40),
                      "'), expected numbers; remove the column, or make it the label"));
      numeric_.push_back(i);
      table_.columns.push_back(names_[i]);
    }
    if (wanted_ != nullptr) {
      for (const std::string& name : *wanted_)
        if (std::ranges::find(table_.columns, name) == table_.columns.end())
          refuse(concat("there is no column '", printable(name), "', which the model reads; the columns are ",
                        names_text()));
    }
    if (numeric_.empty()) refuse(concat("there is no column of numbers; the columns are ", names_text()));
    row_.resize(numeric_.size());
  }

  [[noreturn]] void refuse_decimal_comma(const std::string& column, std::string_view field) const {
    refuse(concat("column '", printable(column), "': '", printable(field, 40),
                  "' looks like a decimal comma; save the numbers with decimal points"));
  }

  void require_width() const {
    if (fields_.size() != names_.size())
      refuse(concat("this row has ", fields_.size(), " fields, expected ", names_.size(), ", one for each column"));
  }

  void add_row() {
    require_width();
    std::size_t held = 0;
    for (std::size_t k = 0; k < numeric_.size(); ++k) {
      const std::string_view field = fields_[numeric_[k]];
      const std::optional<double> number = number_of(field);
      if (number) {
        row_[k] = *number;
        continue;
      }
      const auto name = [&] { return concat("column '", printable(table_.columns[k]), "'"); };
      if (has_decimal_comma(field)) refuse_decimal_comma(table_.columns[k], field);
      if (!is_missing(field)) refuse(concat(name(), " has '", printable(field, 40), "', expected a number"));
      if (options_.missing == MissingValues::kDrop) {
        ++dropped_;
        return;
      }
      if (options_.missing != MissingValues::kHold)
        refuse(concat(name(), " is missing ('", field, "'): fill it in",
                      how_else("--missing hold (the value before) or ")));
      if (table_.values.empty())
        refuse(concat(name(), " is missing in the first row: there is no value before to hold"));
      row_[k] = table_.values[table_.values.size() - numeric_.size() + k] + table_.origin[k];
      ++held;
    }
    if (label_ < names_.size() && is_missing(fields_[label_])) {
      if (options_.missing != MissingValues::kDrop)
        refuse(concat("the label '", printable(names_[label_]), "' is missing: fill it in", how_else("")));
      ++dropped_;
      return;
    }
    if (table_.values.empty()) table_.origin = row_;
    for (std::size_t k = 0; k < row_.size(); ++k) {
      const auto value = static_cast<float>(row_[k] - table_.origin[k]);
      if (!std::isfinite(value))
        refuse(concat("column '", printable(table_.columns[k]), "' has ", row_[k], ", too far from the first row's ",
                      table_.origin[k]));
      table_.values.push_back(value);
    }
    held_ += held;
    if (label_ < names_.size()) add_label(std::string(fields_[label_]));
    const std::uint64_t bytes = table_.values.size() * sizeof(float) + table_.labels.size() * sizeof(std::int32_t);
    if (bytes > options_.max_memory)  // the text alone would take longer than the row
      require_memory(concat(where_(), ": the rows up to here have"), bytes, options_.max_memory);
  }

  // A model that was trained has chosen.
  std::string how_else(const std::string& also) const {
    return options_.missing ? "" : concat(", or train with ", also, "--missing drop (the row)");
  }

  void add_label(const std::string& name) {
    const auto [place, is_new] = labels_.emplace(name, static_cast<std::int32_t>(labels_.size()));
    if (is_new) table_.classes.push_back(name);
    table_.labels.push_back(place->second);
  }

  std::function<std::string()> where_;
  const OwnDataOptions& options_;
  const std::vector<std::string>* wanted_;
  BrokenExamples broken_;
  CsvTable table_;
  char separator_ = ',';
  bool headless_ = false;
  std::vector<std::string> names_{};       // of all columns
  std::size_t label_ = std::string::npos;  // place among them
  std::vector<std::size_t> numeric_{};     // places of table_.columns
  std::vector<std::string_view> fields_{};
  std::vector<double> row_{};
  std::map<std::string, std::int32_t> labels_{};
  std::size_t rows_ = 0, dropped_ = 0, held_ = 0;
  bool begun_ = false;
};

CsvTable table_of(LineReader& lines, const OwnDataOptions& options, const std::vector<std::string>* wanted = nullptr) {
  CsvReader reader([&lines] { return lines.where(); }, options, wanted);
  while (const std::optional<std::string_view> line = lines.next_filled()) reader.take(*line);
  return reader.finish();
}

struct Rows {
  std::size_t begin = 0, end = 0;
};

// Sequences cut from a table in time.
class CsvParts : public PartReader {
 public:
  CsvParts(std::string file, CsvTable table, Pipeline pipeline)
      : file_(std::move(file)), table_(std::move(table)), pipeline_(std::move(pipeline)) {
    const std::size_t rows = table_.rows();
    parts_ = {Rows{0, rows * 7 / 10}, Rows{rows * 7 / 10, rows * 8 / 10}, Rows{rows * 8 / 10, rows}};
    for (const std::string& input : settings().inputs) places_.push_back(place_of(input));
    for (const std::string& target : settings().targets) target_places_.push_back(place_of(target));
  }

  Rows rows(Split split) const { return parts_[static_cast<std::size_t>(split)]; }

  std::size_t size(Split split) const override {
    const auto [begin, end] = rows(split);
    if (!settings().label.empty()) return (end - begin + settings().window - 1) / settings().window;
    const std::size_t first = std::max(begin, settings().window);  // row of the first target
    return end >= first + settings().horizon ? end - first - settings().horizon + 1 : 0;
  }

  bool worth_holding() const override { return false; }

  std::size_t about_steps(Split split, std::size_t index) const override {
    const Rows input = input_rows(split, index);
    return input.end - input.begin;
  }

  Example read(Split split, std::size_t index) const override {
    const Rows input = input_rows(split, index);
    Example example{.name = concat(file_, ", rows ", input.begin + 1, " to ", input.end),
                    .input = {.steps = input.end - input.begin, .features = places_.size()}};
    example.input.values.reserve(example.input.steps * places_.size());
    for (std::size_t row = input.begin; row < input.end; ++row)
      for (std::size_t k = 0; k < places_.size(); ++k)
        example.input.values.push_back(standard(row, places_[k], settings().mean[k], settings().deviation[k]));
    if (!settings().label.empty()) {
      for (std::size_t row = input.begin; row < input.end; ++row) example.labels.push_back(table_.labels[row]);
      return example;
    }
    for (std::size_t row = input.end; row < input.end + settings().horizon; ++row)
      for (std::size_t k = 0; k < target_places_.size(); ++k)
        example.targets.push_back(
            standard(row, target_places_[k], pipeline_.target_mean[k], pipeline_.target_deviation[k]));
    if (settings().distances) take_distances(example, settings().target_features(), example.targets.size());
    return example;
  }

  // Of every input over the rows of train; a constant column has deviation 1.
  void take_statistics(Pipeline& pipeline) const {
    TableSettings& table = *pipeline.table;
    const auto [begin, end] = rows(Split::kTrain);
    for (const std::size_t place : places_) {
      const Standard standard =
          standard_of(end - begin, [&, first = begin](std::size_t i) { return value(first + i, place); });
      table.mean.push_back(standard.mean + table_.origin[place]);
      table.deviation.push_back(standard.deviation);
    }
    const std::vector<std::size_t> targets = table.target_features();
    for (std::size_t row = 0; row < table.horizon; ++row) {
      for (const std::size_t k : targets) {
        pipeline.target_mean.push_back(table.mean[k]);
        pipeline.target_deviation.push_back(table.deviation[k]);
      }
    }
  }

  void use(const Pipeline& pipeline) { pipeline_ = pipeline; }
  const CsvTable& table() const { return table_; }

 private:
  // Those that example `index` reads.
  Rows input_rows(Split split, std::size_t index) const {
    const auto [begin, end] = rows(split);
    if (!settings().label.empty()) {
      const std::size_t first = begin + index * settings().window;
      return {.begin = first, .end = std::min(first + settings().window, end)};
    }
    const std::size_t first = std::max(begin, settings().window) + index;  // row of the first target
    return {.begin = first - settings().window, .end = first};
  }
  const TableSettings& settings() const { return *pipeline_.table; }
  std::size_t place_of(const std::string& name) const {
    const auto found = std::ranges::find(table_.columns, name);
    if (found == table_.columns.end())
      throw_bad_input(concat(file_, ": there is no column of numbers '", printable(name), "', which the model reads"));
    return static_cast<std::size_t>(found - table_.columns.begin());
  }
  double value(std::size_t row, std::size_t place) const { return table_.values[row * table_.columns.size() + place]; }
  float standard(std::size_t row, std::size_t place, double mean, double deviation) const {
    return static_cast<float>((value(row, place) + (table_.origin[place] - mean)) / deviation);
  }

  std::string file_;
  CsvTable table_;
  Pipeline pipeline_;
  std::array<Rows, 3> parts_{};
  std::vector<std::size_t> places_, target_places_;
};

// Numbers the labels as `classes` has them.
void renumber(const std::string& file, const std::vector<std::string>& classes, CsvTable& table) {
  std::vector<std::int32_t> numbers;
  for (const std::string& name : table.classes) numbers.push_back(label_of(classes, name, file));
  for (std::int32_t& label : table.labels) label = numbers[static_cast<std::size_t>(label)];
  table.classes = classes;
}

Pipeline pipeline_for(const std::string& file, const CsvTable& table, const OwnDataOptions& options) {
  TableSettings settings{.inputs = table.columns,
                         .label = options.label,
                         .targets = options.targets,
                         .window = options.window == 0 ? kDefaultWindow : options.window,
                         .missing = options.missing.value_or(MissingValues::kError)};
  Pipeline pipeline{.kind = "csv", .features = table.columns.size()};
  if (!options.label.empty()) {
    if (!options.targets.empty()) throw_usage("there are a label and targets to forecast, expected one of the two");
    if (options.horizon) throw_usage("there are a label and a horizon to forecast, expected one of the two");
    pipeline.target = Target::kTags;
    pipeline.classes = table.classes;
    std::ranges::sort(pipeline.classes);
  } else {
    pipeline.target = Target::kReals;
    settings.horizon = options.horizon.value_or(kDefaultHorizon);
    settings.distances = true;
    if (settings.targets.empty()) settings.targets = {table.columns.back()};
    for (const std::string& target : settings.targets)
      if (std::ranges::count(settings.targets, target) > 1)
        throw_usage(concat("target '", printable(target), "' is named twice, expected each column once"));
    for (const std::string& target : settings.targets)
      if (std::ranges::find(table.columns, target) == table.columns.end())
        throw_bad_input(concat(file, ": there is no column of numbers '", printable(target),
                               "' to forecast; there are ", printable_ends(join(table.columns, ", "), 400)));
  }
  pipeline.table = std::move(settings);
  return pipeline;
}

OpenedData open_csv(const DataSpec& spec, const OwnDataOptions& options, const Pipeline* trained) {
  const std::size_t horizon = options.horizon.value_or(kDefaultHorizon);
  if (options.window > kMostRows || horizon < 1 || horizon > kMostRows)
    throw_usage(
        concat("a window of ", options.window, " and a horizon of ", horizon, " rows, expected 1 to ", kMostRows));
  OwnDataOptions reading = options;
  if (trained != nullptr) {
    reading.label = trained->table->label;
    reading.missing = trained->table->missing;
  }
  const std::string file = spec.path.string();
  LineReader lines(spec.path, options.progress);
  CsvTable table = read_csv(lines, reading);
  OpenedData opened;
  opened.drawn = Drawn{"rows", table.rows(), lines.hash()};
  opened.notes = std::move(table.notes);
  Pipeline& pipeline = opened.pipeline;
  pipeline = trained != nullptr ? *trained : pipeline_for(file, table, options);
  if (!reading.label.empty()) renumber(file, pipeline.classes, table);

  auto parts = std::make_unique<CsvParts>(file, std::move(table), pipeline);
  const TableSettings& settings = *pipeline.table;
  const Rows train = parts->rows(Split::kTrain);
  if (trained == nullptr) {
    if (parts->size(Split::kTrain) == 0)
      throw_bad_input(concat(file, ": train has ", train.end,
                             " rows, expected at least window + horizon = ", settings.window + settings.horizon));
    parts->take_statistics(pipeline);
    parts->use(pipeline);
  }
  const Rows validation = parts->rows(Split::kValidation), test = parts->rows(Split::kTest);
  opened.notes.push_back(concat("split in time: rows 1 to ", train.end, " train, to ", validation.end,
                                " validation, to ", test.end, " test"));
  opened.notes.emplace_back("columns are standardized by the mean and deviation of train");
  if (trained == nullptr && !settings.label.empty()) {
    Divided divided{.where = data_spec_text(spec), .what = "rows", .labels = {}, .classes = pipeline.classes};
    divided.labels.assign(parts->table().labels.begin(), parts->table().labels.end());
    std::vector<Split> splits(train.end, Split::kTrain);
    splits.resize(validation.end, Split::kValidation);
    splits.resize(test.end, Split::kTest);
    check_classes(divided, splits, opened.notes);
  }
  opened.parts = std::move(parts);
  return opened;
}

}  // namespace

CsvTable read_csv(LineReader& lines, const OwnDataOptions& options) { return table_of(lines, options); }

namespace {

const TableSettings& table_settings(const Pipeline& pipeline, const std::string& where) {
  if (!pipeline.table)
    throw_bad_input(concat(where, ": the model reads data of kind '", printable(pipeline.kind), "', not tables"));
  return *pipeline.table;
}

// One row of the table, as the model reads it.
void append_inputs(const CsvTable& table, std::size_t row, const TableSettings& settings, std::vector<float>& values) {
  for (std::size_t k = 0; k < settings.inputs.size(); ++k) {
    const auto place =
        static_cast<std::size_t>(std::ranges::find(table.columns, settings.inputs[k]) - table.columns.begin());
    const double value = table.values[row * table.columns.size() + place] + table.origin[place];
    values.push_back(static_cast<float>((value - settings.mean[k]) / settings.deviation[k]));
  }
}

}  // namespace

// Columns that the model does not read may be text: rows are read as far as it reads them.
Sequence read_rows(const Pipeline& pipeline, const std::filesystem::path& path, std::uint64_t max_memory) {
  const TableSettings& settings = table_settings(pipeline, path.string());
  LineReader lines(path);
  const OwnDataOptions options{.max_memory = max_memory, .missing = settings.missing};
  const CsvTable table = table_of(lines, options, &settings.inputs);
  Sequence sequence{.steps = table.rows(), .features = settings.inputs.size()};
  for (std::size_t row = 0; row < table.rows(); ++row) append_inputs(table, row, settings, sequence.values);
  return sequence;
}

struct RowStream::Contents {
  const TableSettings& settings;
  std::string where{};
  OwnDataOptions options{.missing = settings.missing};
  CsvReader reader{[this] { return where; }, options, &settings.inputs};
  std::size_t rows = 0;  // in the reader
};

RowStream::RowStream(const Pipeline& pipeline)
    : contents_(new Contents{.settings = table_settings(pipeline, std::string(kStandardInput))}) {}
RowStream::~RowStream() = default;

std::optional<std::vector<float>> RowStream::next(std::string_view line, const std::string& where) {
  Contents& all = *contents_;
  all.where = where;
  require_text(line, where);
  all.reader.take(line);
  const CsvTable& table = all.reader.table();
  if (table.rows() == all.rows) return std::nullopt;
  std::vector<float> row;
  append_inputs(table, table.rows() - 1, all.settings, row);
  all.reader.keep_last_rows();
  all.rows = table.rows();
  return row;
}

KindRow csv_row() {
  return {.kind = {.name = "csv", .holds = "file of rows of numbers under column names: a label a row, or a forecast"},
          .open = open_csv};
}

}  // namespace quaver
