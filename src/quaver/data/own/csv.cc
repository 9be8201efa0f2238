#include "quaver/data/own/csv.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <optional>

#include "quaver/core/printable.h"
#include "quaver/core/text.h"
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

class CsvReader {
 public:
  // wanted: columns that must be there, and the only ones that are read; null: all are.
  CsvReader(LineReader& lines, const OwnDataOptions& options, const std::vector<std::string>* wanted = nullptr)
      : lines_(lines), options_(options), wanted_(wanted), broken_("rows", options.skip_broken) {}

  CsvTable read() {
    const std::optional<std::string_view> first = lines_.next_filled();
    if (!first) refuse("the file has no line, expected one of column names");
    read_names(*first);
    std::size_t rows = 0;
    bool begun = false;
    const auto take = [&](std::string_view line) {
      ++rows;
      split(line);
      if (!begun) find_columns();
      begun = true;
      broken_.readable([&] { add_row(); });
    };
    if (headless_) take(*first);
    while (const std::optional<std::string_view> line = lines_.next_filled()) take(*line);
    if (table_.rows() == 0) refuse("there are no rows behind the column names");
    if (broken_.count() > 0) table_.notes.push_back("left out: " + broken_.text(rows));
    if (dropped_ > 0) table_.notes.push_back(concat("dropped ", dropped_, " of ", rows, " rows with missing values"));
    if (held_ > 0) table_.notes.push_back(concat("held the value before where one was missing: ", held_, " values"));
    return std::move(table_);
  }

 private:
  [[noreturn]] void refuse(const std::string& what) const { throw_bad_input(concat(lines_.where(), ": ", what)); }

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
      if (!is_missing(field)) refuse(concat(name(), " has '", printable(field, 40), "', expected a number"));
      if (options_.missing == MissingValues::kDrop) {
        ++dropped_;
        return;
      }
      if (options_.missing == MissingValues::kError)
        refuse(concat(name(), " is missing ('", field,
                      "'): fill it in, or choose to hold the value before or to drop the "
                      "row"));
      if (table_.values.empty())
        refuse(concat(name(), " is missing in the first row: there is no value before to hold"));
      row_[k] = table_.values[table_.values.size() - numeric_.size() + k] + table_.origin[k];
      ++held;
    }
    if (label_ < names_.size() && is_missing(fields_[label_])) {
      if (options_.missing != MissingValues::kDrop)
        refuse(concat("the label '", printable(names_[label_]), "' is missing: fill it in, or choose to drop the row"));
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
      require_memory(concat(lines_.where(), ": the rows up to here have"), bytes, options_.max_memory);
  }

  void add_label(const std::string& name) {
    const auto [place, is_new] = labels_.emplace(name, static_cast<std::int32_t>(labels_.size()));
    if (is_new) table_.classes.push_back(name);
    table_.labels.push_back(place->second);
  }

  LineReader& lines_;
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
  std::size_t dropped_ = 0, held_ = 0;
};

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
                         .missing = options.missing};
  Pipeline pipeline{.kind = "csv", .features = table.columns.size()};
  if (!options.label.empty()) {
    if (!options.targets.empty()) throw_usage("there are a label and targets to forecast, expected one of the two");
    pipeline.target = Target::kTags;
    pipeline.classes = table.classes;
    std::ranges::sort(pipeline.classes);
  } else {
    pipeline.target = Target::kReals;
    settings.horizon = options.horizon;
    settings.distances = true;
    if (settings.targets.empty()) settings.targets = {table.columns.back()};
    for (const std::string& target : settings.targets)
      if (std::ranges::find(table.columns, target) == table.columns.end())
        throw_bad_input(concat(file, ": there is no column of numbers '", printable(target),
                               "' to forecast; there are ", printable_ends(join(table.columns, ", "), 400)));
  }
  pipeline.table = std::move(settings);
  return pipeline;
}

OpenedData open_csv(const DataSpec& spec, const OwnDataOptions& options, const Pipeline* trained) {
  if (options.window > kMostRows || options.horizon < 1 || options.horizon > kMostRows)
    throw_usage(concat("a window of ", options.window, " and a horizon of ", options.horizon, " rows, expected 1 to ",
                       kMostRows));
  OwnDataOptions reading = options;
  if (trained != nullptr) {
    reading.label = trained->table->label;
    reading.missing = trained->table->missing;
  }
  const std::string file = spec.path.string();
  LineReader lines(spec.path, options.progress);
  CsvTable table = read_csv(lines, reading);
  OpenedData opened;
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

CsvTable read_csv(LineReader& lines, const OwnDataOptions& options) { return CsvReader(lines, options).read(); }

namespace {

// Columns that the model does not read may be text: rows are read as far as it reads them.
Sequence rows_of(const Pipeline& pipeline, LineReader& lines) {
  if (!pipeline.table)
    throw_bad_input(
        concat(lines.name(), ": the model reads data of kind '", printable(pipeline.kind), "', not tables"));
  const TableSettings& settings = *pipeline.table;
  const OwnDataOptions options{.missing = settings.missing};
  const CsvTable table = CsvReader(lines, options, &settings.inputs).read();
  std::vector<std::size_t> places;
  for (const std::string& input : settings.inputs)
    places.push_back(static_cast<std::size_t>(std::ranges::find(table.columns, input) - table.columns.begin()));
  Sequence sequence{.steps = table.rows(), .features = places.size()};
  for (std::size_t row = 0; row < table.rows(); ++row)
    for (std::size_t k = 0; k < places.size(); ++k) {
      const double value = table.values[row * table.columns.size() + places[k]] + table.origin[places[k]];
      sequence.values.push_back(static_cast<float>((value - settings.mean[k]) / settings.deviation[k]));
    }
  return sequence;
}

}  // namespace

Sequence read_rows(const Pipeline& pipeline, const std::filesystem::path& path) {
  LineReader lines(path);
  return rows_of(pipeline, lines);
}

Sequence read_rows(const Pipeline& pipeline, const std::string& name, std::string_view text) {
  LineReader lines(name, text);
  return rows_of(pipeline, lines);
}

KindRow csv_row() {
  return {.kind = {.name = "csv", .holds = "file of rows of numbers under column names: a label a row, or a forecast"},
          .open = open_csv};
}

}  // namespace quaver
