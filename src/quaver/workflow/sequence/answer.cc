#include "quaver/workflow/sequence/answer.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <optional>
#include <utility>

#include "quaver/core/error.h"
#include "quaver/core/printable.h"
#include "quaver/core/random.h"
#include "quaver/core/text.h"
#include "quaver/core/text_place.h"
#include "quaver/data/distances.h"
#include "quaver/data/features.h"
#include "quaver/workflow/fields.h"
#include "quaver/workflow/own_input.h"
#include "quaver/workflow/raw_fields.h"
#include "quaver/workflow/sequence/input.h"
#include "quaver/workflow/text_lines.h"

namespace quaver {
namespace {

constexpr std::string_view kStream = "-";

std::string extension_of(std::filesystem::path path) {
  if (path.extension() == ".gz" || path.extension() == ".xz") path.replace_extension();
  return lower_case(path.extension().string());
}

bool is_one_of(std::string_view word, std::initializer_list<std::string_view> words) {
  return std::ranges::find(words, word) != words.end();
}

// The class of the largest score, and its share by softmax.
std::pair<std::size_t, double> named(std::span<const float> scores) {
  const auto largest = std::ranges::max_element(scores);
  double sum = 0;
  for (const float score : scores) sum += std::exp(double{score} - *largest);
  return {static_cast<std::size_t>(largest - scores.begin()), 1 / sum};
}

class Answering {
 public:
  Answering(const Model& model, Pipeline pipeline, const RunRequest& request, Listener& listener)
      : request_(request),
        listener_(listener),
        pipeline_(std::move(pipeline)),
        session_(model, {.threads = request.threads}),
        report_{.model = request.model.string(),
                .scheme = model.scheme,
                .input = request.input.string(),
                .path = std::string(isa_name(session_.isa()))} {
    const Value& output = model.value(model.outputs.at(0));
    width_ = static_cast<std::size_t>(output.size());
    names_index_ = output.format.kind == NumberType::kI32;
    const std::size_t expected = is_real(pipeline_.target) ? pipeline_.target_mean.size() : pipeline_.classes.size();
    // Of running text the classes are the tokens.
    if (pipeline_.kind != "lm" && !names_index_ && width_ != expected)
      throw_bad_input(concat(request.model.string(), ": output '", printable(model.outputs[0]), "' has ", width_,
                             " numbers, its pipeline names ", expected));
    if (pipeline_.table && !pipeline_.table->targets.empty()) report_.columns = pipeline_.table->targets;
  }

  RunReport run() {
    refuse_useless();
    if (pipeline_.kind == "lm") {
      continue_text();
    } else if (request_.input == kStream) {
      answer_stream();
    } else if (names_own_data(request_.input.string())) {
      answer_own_data();
    } else {
      answer_files();
    }
    return std::move(report_);
  }

 private:
  [[noreturn]] void refuse_kind(const std::string& expected) const {
    throw_bad_input(concat(request_.model.string(), ": this model learned from data of kind '",
                           printable(pipeline_.kind), "'; expected ", expected, ", found ", request_.input.string()));
  }

  void refuse_useless() const {
    RunRequest others = request_;  // without what this input has use for
    if (pipeline_.kind == "lm") {
      others.generate.reset();
      others.temperature.reset();
      others.seed.reset();
      if (request_.temperature == 0.0)
        refuse({{"--seed", request_.seed.has_value()}}, "tokens that are drawn",
               "at --temperature 0 each is the likeliest");
    } else if (names_own_data(request_.input.string())) {
      others.split.reset();
      others.data.own.skip_broken = false;
      require_useful(request_.data, request_.input.string());
    } else if (pipeline_.kind == "wav" && std::filesystem::is_directory(request_.input)) {
      others.data.own.skip_broken = false;
    }
    if (pipeline_.kind == "wav" && request_.input == kStream) others.every.reset();
    refuse_raw_fields(others, concat("here ", request_.model.string(), " learned from data of kind '",
                                     printable(pipeline_.kind), "' and the input is ", request_.input.string()));
  }

  void say(Answer answer) {
    ++report_.count;
    listener_.answered(answer);
    if (request_.keep_answers) report_.answers.push_back(std::move(answer));
  }

  // The rows of the model's first output for a sequence, which goes on from `state` where there is one.
  std::vector<float> outputs_of(const SequenceView& view, State* state = nullptr) {
    const auto start = std::chrono::steady_clock::now();
    const std::vector<Result> results = state == nullptr ? session_.run(view) : session_.run(view, *state);
    report_.seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    report_.steps += view.steps;
    return results[0].real();
  }

  // What one row says of a class, or of each label.
  Answer answer_of(std::span<const float> row) const {
    Answer answer;
    if (pipeline_.target == Target::kLabels) {
      std::vector<std::string> holding;
      for (std::size_t j = 0; j < row.size(); ++j)
        if (row[j] >= 0) holding.push_back(pipeline_.classes[j]);
      answer.says = holding.empty() ? "none" : join(holding, ", ");
      return answer;
    }
    if (names_index_) {
      answer.says = pipeline_.classes.at(static_cast<std::size_t>(row[0]));
      return answer;
    }
    const auto [label, share] = named(row);
    answer.says = pipeline_.classes[label];
    answer.probability = share;
    return answer;
  }

  // place(first, last): of steps, counted from 1.
  template <typename Place>
  void answer_steps(std::span<const float> outputs, const Place& place) {
    const std::size_t steps = outputs.size() / width_;
    std::vector<std::string> said;
    for (std::size_t t = 0; t < steps; ++t) said.push_back(answer_of(outputs.subspan(t * width_, width_)).says);
    for (std::size_t first = 0; first < steps;) {  // equal neighbours are one answer
      std::size_t last = first + 1;
      while (last < steps && said[last] == said[first]) ++last;
      say({.place = place(first + 1, last), .says = said[first]});
      first = last;
    }
  }

  // Reals: the rows that a forecast is of follow row `last`; else one answer with all numbers.
  // origin: of the sequence, as its Example has it.
  void answer_reals(const std::string& place, std::span<const float> outputs, std::span<const float> origin,
                    std::size_t last) {
    const std::vector<double> values = in_units(pipeline_, outputs, origin);
    const std::size_t columns = report_.columns.size();
    if (columns == 0) {
      Answer answer{.place = place, .values = values};
      while (report_.columns.size() < values.size()) report_.columns.push_back(concat("y", report_.columns.size()));
      say(std::move(answer));
      return;
    }
    for (std::size_t row = 0; row * columns < values.size(); ++row)
      say({.place = concat("row ", last + row + 1),
           .values = {values.begin() + static_cast<std::ptrdiff_t>(row * columns),
                      values.begin() + static_cast<std::ptrdiff_t>((row + 1) * columns)}});
  }

  // The rows that follow the last of these.
  void answer_forecast(std::span<const float> rows, std::size_t last) {
    const TableSettings& table = *pipeline_.table;
    const std::span<const float> read = rows.last(table.window * table.inputs.size());
    Example window{.input = {.steps = table.window, .features = table.inputs.size()}};
    window.input.values.assign(read.begin(), read.end());
    if (table.distances) take_distances(window, table.target_features(), pipeline_.target_mean.size());
    answer_reals("", outputs_of(view_of(window.input)), window.origin, last);
  }

  void answer_sequence(const std::string& place, const Sequence& sequence, std::span<const float> origin = {}) {
    if (sequence.steps == 0) throw_bad_input(concat(place, ": there is nothing in it that the model reads"));
    const std::vector<float> outputs = outputs_of(view_of(sequence));
    if (is_real(pipeline_.target) && !is_of_steps(pipeline_.target)) {
      answer_reals(place, outputs, origin, sequence.steps);
    } else if (!is_of_steps(pipeline_.target)) {
      Answer answer = answer_of(outputs);
      answer.place = place;
      say(std::move(answer));
    } else if (is_real(pipeline_.target)) {
      throw_bad_input(concat(request_.model.string(),
                             ": its target is real numbers a step; 'quaver run --input X.npz' ",
                             "gives them as arrays"));
    } else {
      answer_steps(outputs, [&](std::size_t first, std::size_t last) {
        return first == last ? concat(place, " step ", first) : concat(place, " steps ", first, " to ", last);
      });
    }
  }

  // ---- files ----

  void answer_files() {
    const std::filesystem::path& input = request_.input;
    const std::string extension = extension_of(input);
    if (pipeline_.kind == "wav") {
      if (!std::filesystem::is_directory(input) && extension != ".wav") refuse_kind("a .wav file or a folder of them");
      answer_recordings();
    } else if (pipeline_.kind == "csv") {
      if (!is_one_of(extension, {".csv", ".tsv", ".txt"})) refuse_kind("a table (.csv)");
      answer_table(read_rows(pipeline_, input, request_.max_memory));
    } else if (pipeline_.kind == "text") {
      if (!is_one_of(extension, {".txt", ".tsv"})) refuse_kind("a text file with a text a line (.txt)");
      const std::string text = read_text_file(input, request_.max_memory);
      std::size_t number = 0;
      for (const std::string_view line : split_at(text, '\n')) {
        ++number;
        if (!line.empty()) answer_line(number, std::string(line));
      }
      require_answers("text, expected a text a line");
    } else {
      refuse_kind(concat(pipeline_.kind, ":PATH or an .npz file"));
    }
  }

  void require_answers(const std::string& what) const {
    if (report_.count > 0) return;
    throw_bad_input(concat(request_.input == kStream ? std::string(kStandardInput) : request_.input.string(),
                           ": there is no ", what));
  }

  // Those of a folder that cannot be read are left out and counted, where that was asked for.
  void answer_recordings() {
    const std::filesystem::path& input = request_.input;
    const auto answer_one = [&](const std::filesystem::path& file) {
      answer_sequence(file.string(), read_recording(pipeline_, file, request_.max_memory));
    };
    if (!std::filesystem::is_directory(input)) return answer_one(input);
    const FolderOfRecordings folder = list_recordings(input);
    const std::optional<std::string> links = folder.links_text();
    if (links) listener_.note(*links);
    std::size_t broken = 0;
    std::string first;
    for (const std::string& below : folder.recordings) {
      try {
        answer_one(input / below);
      } catch (const Error& error) {
        if (!request_.data.own.skip_broken || error.kind() != ErrorKind::kBadInput) throw;
        if (broken++ == 0) first = error.what();
      }
    }
    if (broken == 0) return require_answers(".wav file in this folder");
    const std::string left_out =
        concat(broken, " of ", folder.recordings.size(), " recordings cannot be read, the first: ", first);
    if (report_.count == 0) throw_bad_input(concat(input.string(), ": ", left_out));
    listener_.note("left out: " + left_out);
  }

  void answer_line(std::size_t number, const std::string& line) {
    // What stands behind a tab is the label of training data.
    answer_sequence(concat("line ", number), read_text(pipeline_, std::string_view(line).substr(0, line.find('\t'))));
  }

  // A forecast follows the last rows; labels are said of every row, from a fresh state each window, as they were
  // learned.
  void answer_table(const Sequence& rows) {
    const std::size_t window = pipeline_.table->window, width = rows.features;
    if (!pipeline_.table->targets.empty()) {
      if (rows.steps < window)
        throw_bad_input(concat(request_.input.string(), ": there are ", rows.steps, " rows, expected at least the ",
                               window, " that the model reads"));
      answer_forecast(rows.values, rows.steps);
      return;
    }
    std::vector<float> outputs;
    for (std::size_t first = 0; first < rows.steps; first += window) {
      const std::size_t steps = std::min(window, rows.steps - first);
      const std::vector<float> more =
          outputs_of({.steps = steps, .real = std::span(rows.values).subspan(first * width, steps * width)});
      outputs.insert(outputs.end(), more.begin(), more.end());
    }
    answer_steps(outputs, [](std::size_t first, std::size_t last) {
      return first == last ? concat("row ", first) : concat("rows ", first, " to ", last);
    });
  }

  void answer_own_data() {
    DataSource source = request_.data;
    source.max_memory = request_.max_memory;
    const OwnData own = open_own_data(request_.input.string(), source, 0, pipeline_, listener_);
    const Dataset data = own.stream(request_.split.value_or("test"));
    Example room;
    for (std::size_t i = 0; i < data.size(); ++i) {
      const Example& example = data.example(i, room);
      answer_sequence(example.name, example.input, example.origin);
    }
  }

  // ---- streams ----

  std::istream& in() const {
    if (request_.text_in == nullptr) throw_usage("--input is '-', but there is no standard input here");
    return *request_.text_in;
  }

  void answer_stream() {
    if (pipeline_.kind == "wav") return answer_samples();
    if (pipeline_.kind != "csv" && pipeline_.kind != "text")
      refuse_kind("a file: only samples, rows and lines of text stream");
    TextLines lines(in(), std::string(kStandardInput));
    if (pipeline_.kind == "csv") return answer_rows(lines);
    for (std::string line; next_text(lines, line);)
      if (!line.empty()) answer_line(lines.number(), line);
    require_answers("text, expected a text a line");
  }

  static bool next_text(TextLines& lines, std::string& line) {
    if (!lines.next(line)) return false;
    require_text(line, lines.where());
    return true;
  }

  // A row as it comes: its label, from a state that goes on; or, once there are enough of them, a forecast.
  void answer_rows(TextLines& lines) {
    RowStream rows(pipeline_);
    State state = session_.initial_state();
    std::vector<float> past;
    std::size_t row = 0, blank = 0;
    for (std::string line; lines.next(line);) {
      if (line.find_first_not_of(" \t") == std::string::npos) {
        if (blank == 0) blank = lines.number();
        continue;
      }
      if (blank > 0) throw_bad_input(concat(text_place(kStandardInput, blank), ": this line is empty; leave it out"));
      const std::optional<std::vector<float>> values = rows.next(line, lines.where());
      if (!values) continue;
      ++row;
      if (pipeline_.table->targets.empty()) {
        Answer answer = answer_of(outputs_of({.steps = 1, .real = *values}, &state));
        answer.place = concat("row ", row);
        say(std::move(answer));
        continue;
      }
      past.insert(past.end(), values->begin(), values->end());
      const std::size_t wanted = pipeline_.table->window * values->size();
      if (past.size() > wanted) past.erase(past.begin(), past.end() - static_cast<std::ptrdiff_t>(wanted));
      if (past.size() == wanted) answer_forecast(past, row);
    }
    require_answers(pipeline_.table->targets.empty()
                        ? std::string("row, expected a line of column names and a row a line")
                        : concat("forecast of ", row, row == 1 ? " row" : " rows", ", expected at least the ",
                                 pipeline_.table->window, " that the model reads"));
  }

  // Samples of one piece at most; a header, as files have it, would be heard as noise.
  std::size_t read_samples(std::vector<char>& bytes, bool first) const {
    in().read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    const auto count = static_cast<std::size_t>(in().gcount());
    if (first && std::string_view(bytes.data(), count).starts_with("RIFF"))
      throw_bad_input(concat(kStandardInput,
                             ": begins with the header of a .wav file, expected samples alone; give the file's name, "
                             "--input FILE.wav, or leave its header out"));
    if (count % 2 == 1)
      listener_.warn(concat(kStandardInput, ": ends within a sample, which has 2 bytes; the last byte is left out"));
    return count / 2;
  }

  // Little-endian 16-bit samples of one channel at the model's rate; an answer stands for a piece of `every` seconds.
  void answer_samples() {
    LogMel front_end(*pipeline_.sound);
    const double rate = pipeline_.sound->sample_rate;
    const std::size_t frame = pipeline_.sound->window;
    const auto piece = static_cast<std::size_t>(std::round(request_.every.value_or(kDefaultEvery) * rate));
    if (piece < frame)
      throw_usage(concat("--every ", number_text(*request_.every), " s is less than a frame of the model, expected ",
                         number_text(static_cast<double>(frame) / rate), " or more"));
    require_memory_for(concat("--every ", number_text(request_.every.value_or(kDefaultEvery)), " has samples of"),
                       piece * (sizeof(std::int16_t) + sizeof(float)), request_.max_memory);
    std::vector<char> bytes(2 * piece);
    std::vector<float> samples, frames;
    for (std::size_t begin = 0;;) {
      const std::size_t count = read_samples(bytes, begin == 0);
      if (count < frame && begin > 0) {
        if (count > 0)
          listener_.note(concat(kStandardInput, ": the last ", count, " samples are less than a frame and left out"));
        break;
      }
      samples.clear();
      for (std::size_t i = 0; i < count; ++i) {
        const auto low = static_cast<unsigned char>(bytes[2 * i]), high = static_cast<unsigned char>(bytes[2 * i + 1]);
        const auto code = static_cast<std::int16_t>(static_cast<std::uint16_t>(low | high << 8));
        samples.push_back(static_cast<float>(code) / 32768.0f);
      }
      frames.clear();
      const std::size_t steps = front_end.push(samples, frames);
      if (steps > 0) {
        if (pipeline_.same_level) without_level(frames);
        Answer answer = answer_of(outputs_of({.steps = steps, .real = frames}));
        answer.place = concat(number_text(static_cast<double>(begin) / rate), " to ",
                              number_text(static_cast<double>(begin + count) / rate), " s");
        say(std::move(answer));
      }
      begin += count;
      if (count < piece) break;
    }
    require_answers(concat("frame of samples, expected 16-bit little-endian samples of one channel at ", rate, " Hz"));
  }

  // ---- running text ----

  void continue_text() {
    std::string beginning;
    if (names_own_data(request_.input.string())) refuse_kind("a text file with the beginning (.txt), or '-'");
    if (request_.input == kStream) {
      TextLines lines(in(), std::string(kStandardInput));
      for (std::string line; next_text(lines, line);) {
        beginning.append(line).append(1, '\n');
        require_memory(concat(lines.where(), ": the text up to here has"), beginning.size() * sizeof(std::int32_t),
                       request_.max_memory);
      }
    } else {
      if (extension_of(request_.input) != ".txt") refuse_kind("a text file with the beginning (.txt), or '-'");
      beginning = read_text_file(request_.input, request_.max_memory);
    }
    if (beginning.ends_with('\n')) beginning.pop_back();  // of the file's last line, which the text goes on with
    const Sequence begun = read_text(pipeline_, beginning);
    if (begun.steps == 0)
      throw_bad_input(concat(request_.input == kStream ? std::string(kStandardInput) : request_.input.string(),
                             ": there is no token to go on from"));
    if (const auto unknown = std::ranges::count(begun.ids, 0); unknown > 0)
      listener_.warn(concat(unknown, " of the ", begun.steps, " tokens of ", request_.input.string(),
                            " are none that the model knows"));
    State state = session_.initial_state();
    std::vector<float> outputs = outputs_of(view_of(begun), &state);
    Random random(request_.seed.value_or(kDefaultDrawSeed));
    const bool spaced = pipeline_.tokens->unit != TokenUnit::kCharacter;
    std::string text = beginning;
    for (std::size_t i = 0; i < request_.generate.value_or(kDefaultGenerate); ++i) {
      const std::int32_t token = drawn(std::span<const float>(outputs).last(width_), random);
      text += (spaced ? " " : "") + pipeline_.tokens->tokens[static_cast<std::size_t>(token)];
      outputs = outputs_of({.steps = 1, .ids = std::span(&token, 1)}, &state);
    }
    say({.says = text});
  }

  // By softmax of scores / temperature; never the unknown token, which has no text.
  std::int32_t drawn(std::span<const float> scores, Random& random) const {
    if (names_index_)
      throw_bad_input(concat(request_.model.string(),
                             ": its output is the number of a token, but text is drawn from "
                             "scores"));
    const std::size_t best = 1 + named(scores.subspan(1)).first;
    const double temperature = request_.temperature.value_or(kDefaultTemperature);
    if (temperature <= 0) return static_cast<std::int32_t>(best);
    std::vector<double> shares;
    double sum = 0;
    for (std::size_t j = 1; j < scores.size(); ++j) {
      shares.push_back(std::exp((double{scores[j]} - scores[best]) / temperature));
      sum += shares.back();
    }
    double left = random.uniform() * sum;
    for (std::size_t j = 0; j < shares.size(); ++j) {
      left -= shares[j];
      if (left < 0) return static_cast<std::int32_t>(j + 1);
    }
    return static_cast<std::int32_t>(best);
  }

  const RunRequest& request_;
  Listener& listener_;
  Pipeline pipeline_;
  Session session_;
  AnswerReport report_;
  std::size_t width_ = 0;
  bool names_index_ = false;
};

}  // namespace

void require_arrays(const Model& model, const RunRequest& request) {
  const std::optional<Pipeline> pipeline = pipeline_of(model, request.model);
  const std::string extension = lower_case(request.input.extension().string());
  std::error_code none;
  if (!pipeline || request.input.empty()) return;
  if (!std::filesystem::exists(request.input, none))
    throw_bad_input(concat(request.input.string(), ": there is no such file or folder"));
  if (is_one_of(extension, {".npz", ".npy"})) return;
  const std::string raw = pipeline->kind == "wav"    ? "a recording (.wav) or a folder of them, "
                          : pipeline->kind == "csv"  ? "a table (.csv), "
                          : pipeline->kind == "text" ? "a file with a text a line (.txt), "
                          : pipeline->kind == "lm"   ? "a file with the beginning of a text (.txt), "
                                                     : "";
  throw_bad_input(concat(request.input.string(), ": of this kind the model reads nothing; expected ", raw,
                         pipeline->kind == "lm" ? "" : concat(pipeline->kind, ":PATH, "), "or arrays (.npz)"));
}

bool is_raw_input(const std::filesystem::path& input) {
  if (input == kStream || names_own_data(input.string())) return true;
  std::error_code none;
  return is_one_of(extension_of(input), {".wav", ".csv", ".tsv", ".txt"}) || std::filesystem::is_directory(input, none);
}

RunReport answer(const Model& model, const RunRequest& request, Listener& listener) {
  refuse({{"--output", !request.output.empty()},
          {"--stream", request.stream},
          {"--state", !request.state_in.empty()},
          {"--save-state", !request.state_out.empty()},
          {"--state-reals", request.state_reals}},
         "arrays (--input X.npz)", concat("here the input is ", request.input.string()));
  const std::optional<Pipeline> pipeline = pipeline_of(model, request.model);
  if (!pipeline)
    throw_bad_input(concat(request.model.string(), ": this model does not say how it reads ", request.input.string(),
                           ": it was not trained on data of one's own (KIND:PATH); give it arrays, --input X.npz"));
  return Answering(model, *pipeline, request, listener).run();
}

}  // namespace quaver
