#include "quaver/data/own/npz.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <optional>
#include <span>
#include <utility>

#include "quaver/core/error.h"
#include "quaver/core/printable.h"
#include "quaver/core/text.h"
#include "quaver/data/own/held_examples.h"

namespace quaver {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kMostClasses = 65536;
constexpr std::int32_t kMostIds = 1 << 20;  // of a network's vocabulary

bool is_real(NumberType type) { return type == NumberType::kF32 || type == NumberType::kF64; }

class NpzReader {
 public:
  NpzReader(std::string name, Npz arrays) : name_(std::move(name)), arrays_(std::move(arrays)) {}

  NpzSequences read() {
    require_known_arrays();
    find_sequences();
    read_input();
    find_target();
    NpzSequences contents{.target = target_, .features = features_, .outputs = outputs_, .labels = labels_};
    for (std::size_t i = 0; i < ranges_.size(); ++i) contents.examples.push_back(example(i));
    return contents;
  }

 private:
  struct Range {
    std::size_t first = 0, steps = 0;  // of rows: a row a step
  };

  [[noreturn]] void refuse(const std::string& what) const { throw_bad_input(concat(name_, ": ", what)); }

  bool has(const std::string& name) const { return arrays_.contains(name); }
  std::string shape_of(const std::string& name) const {
    const NpzArray& array = arrays_.at(name);
    return concat("array '", name, "' is ", npy_type_name(array.type), " ", shape_text(array.shape));
  }
  std::size_t axis(const std::string& name, std::size_t place) const {
    return static_cast<std::size_t>(arrays_.at(name).shape[place]);
  }
  std::size_t rank(const std::string& name) const { return arrays_.at(name).shape.size(); }

  // Errors of arrays do not know their file.
  template <typename Convert>
  auto with_name(const Convert& convert) const {
    try {
      return convert();
    } catch (const Error& error) {
      throw Error(error.kind(), concat(name_, ": ", error.what()));
    }
  }
  std::vector<float> reals_of(const std::string& name) const {
    return with_name([&] { return to_f32(arrays_.at(name), name); });
  }
  std::vector<std::int32_t> whole_of(const std::string& name) const {
    return with_name([&] { return to_i32(arrays_.at(name), name); });
  }

  void require_known_arrays() const {
    for (const auto& [name, array] : arrays_)
      if (name != "x" && name != "ids" && name != "lengths" && name != "offsets" && name != "y")
        refuse(concat("array '", printable(name), "' is not read; expected x or ids, lengths or offsets, and y"));
    if (has("x") == has("ids"))
      refuse(has("x") ? "there are arrays 'x' and 'ids', expected one of the two"
                      : "there is no array 'x' (real numbers) or 'ids' (whole numbers)");
    if (has("lengths") && has("offsets")) refuse("there are arrays 'lengths' and 'offsets', expected one of the two");
    if (!has("y")) refuse("there is no array 'y' with the targets");
  }

  std::vector<std::size_t> counts(const std::string& name) const {
    if (rank(name) != 1) refuse(concat(shape_of(name), ", expected one axis"));
    std::vector<std::size_t> numbers;
    for (const std::int32_t number : whole_of(name)) {
      if (number < 0) refuse(concat("array '", name, "' has ", number, " at ", numbers.size(), ", expected 0 or more"));
      numbers.push_back(static_cast<std::size_t>(number));
    }
    return numbers;
  }

  void find_sequences() {
    input_ = has("x") ? "x" : "ids";
    const bool reals = input_ == "x", joined = has("offsets");
    if (reals && !is_real(arrays_.at("x").type))
      refuse(concat(shape_of("x"), ", expected float32; whole numbers are 'ids'"));
    const std::size_t expected_rank = (reals ? 3u : 2u) - (joined ? 1u : 0u);
    if (rank(input_) != expected_rank)
      refuse(
          concat(shape_of(input_), ", expected [", joined ? "all steps" : "batch, time", reals ? ", features]" : "]"));
    if (reals) features_ = axis("x", expected_rank - 1);
    if (reals && features_ == 0) refuse(concat(shape_of("x"), ", expected one feature or more"));
    if (joined) {
      rows_ = axis(input_, 0);
      const std::vector<std::size_t> offsets = counts("offsets");
      if (offsets.size() < 2 || offsets.front() != 0 || offsets.back() != rows_)
        refuse(concat(shape_of("offsets"), ", expected one more than there are sequences, from 0 to the ", rows_,
                      " steps of all"));
      for (std::size_t i = 0; i + 1 < offsets.size(); ++i) {
        if (offsets[i + 1] <= offsets[i])
          refuse(concat("array 'offsets' has ", offsets[i + 1], " at ", i + 1, " behind ", offsets[i],
                        ", expected larger ones: a sequence has a step or more"));
        ranges_.push_back({offsets[i], offsets[i + 1] - offsets[i]});
      }
      return;
    }
    const std::size_t batch = axis(input_, 0);
    time_ = axis(input_, 1);
    rows_ = batch * time_;
    if (rows_ == 0) refuse(concat(shape_of(input_), ", expected a sequence and a step at least"));
    std::vector<std::size_t> lengths = has("lengths") ? counts("lengths") : std::vector<std::size_t>(batch, time_);
    if (lengths.size() != batch)
      refuse(
          concat("array 'lengths' has ", lengths.size(), " elements, expected one for each of ", batch, " sequences"));
    for (std::size_t i = 0; i < batch; ++i) {
      if (lengths[i] < 1 || lengths[i] > time_)
        refuse(concat("array 'lengths' has ", lengths[i], " at ", i, ", expected 1 to ", time_,
                      ", the steps that the sequences are padded to"));
      ranges_.push_back({i * time_, lengths[i]});
    }
  }

  // What is in the padding counts for nothing, not even as an error.
  void read_input() {
    if (features_ > 0)
      x_ = reals_of("x");
    else
      ids_ = whole_of("ids");
    arrays_.at(input_).bytes = {};
  }

  // Axes of y that are the input's: 1 where it has a target a sequence, those of the steps where it has one a step.
  void find_target() {
    const NpzArray& y = arrays_.at("y");
    const bool joined = has("offsets");
    const std::size_t step_axes = joined ? 1 : 2;
    const bool of_sequences = rank("y") >= 1 && axis("y", 0) == ranges_.size();
    const bool of_steps = rank("y") >= step_axes && axis("y", 0) == (joined ? rows_ : ranges_.size()) &&
                          (joined || axis("y", 1) == time_);
    const bool real = is_real(y.type);
    const std::size_t own_axes = rank("y") - step_axes;  // behind those of the steps; only where of_steps
    if (of_steps && own_axes == 1 && (real || y.type == NumberType::kU8)) {
      (real ? outputs_ : labels_) = axis("y", step_axes);
      target_ = real ? Target::kRealSteps : Target::kLabels;
    } else if (!real && of_sequences && rank("y") == 1) {
      target_ = Target::kClass;
    } else if (!real && of_steps && own_axes == 0) {
      target_ = Target::kTags;
    } else if (real && of_sequences && rank("y") <= 2) {
      target_ = Target::kReals;
      outputs_ = rank("y") == 2 ? axis("y", 1) : 1;
    } else {
      refuse(concat(shape_of("y"), ", expected whole numbers, one a sequence (", ranges_.size(),
                    ") or one a step; uint8 labels of each step; or real numbers of each sequence or step"));
    }
    if ((target_ == Target::kLabels && labels_ == 0) || (real && outputs_ == 0))
      refuse(concat(shape_of("y"), ", expected one target or more"));
    if (real)
      reals_ = reals_of("y");
    else
      whole_ = whole_of("y");
  }

  Example example(std::size_t i) const {
    const auto [first, steps] = ranges_[i];
    Example example{.name = concat(name_, ", sequence ", i), .input = {.steps = steps, .features = features_}};
    const auto slice = [](const auto& all, std::size_t begin, std::size_t count) {
      const auto from = all.begin() + static_cast<std::ptrdiff_t>(begin);
      return std::vector(from, from + static_cast<std::ptrdiff_t>(count));
    };
    const auto require_finite = [&](const std::vector<float>& values, const char* array, std::size_t width) {
      for (std::size_t k = 0; k < values.size(); ++k)
        if (!std::isfinite(values[k]))
          throw_bad_input(concat(example.name, ": array '", array, "' has ", values[k], " at step ", k / width,
                                 ", place ", k % width, ", expected finite numbers; fill in what is missing"));
    };
    if (features_ > 0) {
      example.input.values = slice(x_, first * features_, steps * features_);
      require_finite(example.input.values, "x", features_);
    } else {
      example.input.ids = slice(ids_, first, steps);
      for (std::size_t step = 0; step < steps; ++step) {
        if (example.input.ids[step] < 0)
          throw_bad_input(
              concat(example.name, ": id ", example.input.ids[step], " at step ", step, ", expected 0 or more"));
        if (example.input.ids[step] >= kMostIds)
          throw_bad_input(concat(example.name, ": array 'ids' has ", example.input.ids[step], " at step ", step,
                                 ", expected 0 to ", kMostIds - 1, ", as many as a network can tell apart"));
      }
    }
    switch (target_) {
      case Target::kClass: example.labels = {whole_[i]}; break;
      case Target::kTags: example.labels = slice(whole_, first, steps); break;
      case Target::kLabels: example.labels = slice(whole_, first * labels_, steps * labels_); break;
      case Target::kReals: example.targets = slice(reals_, i * outputs_, outputs_); break;
      case Target::kRealSteps: example.targets = slice(reals_, first * outputs_, steps * outputs_); break;
    }
    require_finite(example.targets, "y", std::max<std::size_t>(outputs_, 1));
    const std::int64_t most = target_ == Target::kLabels ? 2 : kMostClasses;
    for (std::size_t k = 0; k < example.labels.size(); ++k) {
      if (example.labels[k] < 0 || example.labels[k] >= most)
        throw_bad_input(concat(example.name, ": array 'y' has ", example.labels[k],
                               example.labels.size() == 1 ? "" : concat(" at place ", k), ", expected 0 to ",
                               most - 1));
    }
    return example;
  }

  std::string name_;
  Npz arrays_;
  std::string input_{};
  std::size_t features_ = 0, time_ = 0, rows_ = 0;
  std::vector<Range> ranges_;
  Target target_ = Target::kClass;
  std::size_t outputs_ = 0, labels_ = 0;
  std::vector<float> x_, reals_;
  std::vector<std::int32_t> ids_, whole_;
};

std::vector<std::string> numbers_below(std::size_t count) {
  std::vector<std::string> numbers;
  for (std::size_t i = 0; i < count; ++i) numbers.push_back(std::to_string(i));
  return numbers;
}

// How many ids and classes there are up to the largest one.
struct Extent {
  std::size_t ids = 0, classes = 0;

  void add(const Example& example) {
    for (const std::int32_t id : example.input.ids) ids = std::max(ids, static_cast<std::size_t>(id) + 1);
    for (const std::int32_t label : example.labels) classes = std::max(classes, static_cast<std::size_t>(label) + 1);
  }
};

// What the arrays of train's file say, whatever its numbers are.
Pipeline pipeline_of(const NpzSequences& contents) {
  Pipeline pipeline{.kind = "npz", .target = contents.target, .features = contents.features};
  pipeline.classes = numbers_below(contents.labels);
  pipeline.target_mean.assign(contents.outputs, 0);
  pipeline.target_deviation.assign(contents.outputs, 1);
  return pipeline;
}

// Vocabulary and classes go as far as train goes.
void learn_numbers(const std::vector<Example>& examples, std::span<const Split> splits, Pipeline& pipeline) {
  Extent train;
  for (std::size_t i = 0; i < examples.size(); ++i)
    if (splits[i] == Split::kTrain) train.add(examples[i]);
  pipeline.vocabulary = train.ids;
  if (names_a_class(pipeline.target)) pipeline.classes = numbers_below(train.classes);
}

void require_fit(const fs::path& path, const NpzSequences& contents, const Pipeline& pipeline) {
  const auto refuse = [&](const auto&... parts) { throw_bad_input(concat(path.string(), ": ", parts...)); };
  if (contents.target != pipeline.target)
    refuse("its targets are '", target_names().name(contents.target), "', expected '",
           target_names().name(pipeline.target), "'");
  if (contents.features != pipeline.features)
    refuse(contents.features, " features a step, expected ", pipeline.features, " (0: ids)");
  if (contents.outputs != pipeline.target_mean.size())
    refuse(contents.outputs, " real numbers in a target, expected ", pipeline.target_mean.size());
  if (contents.target == Target::kLabels && contents.labels != pipeline.classes.size())
    refuse(contents.labels, " labels a step, expected ", pipeline.classes.size());
}

void require_known_numbers(const std::vector<Example>& examples, const Pipeline& pipeline) {
  const auto beyond = [](const std::vector<std::int32_t>& numbers, std::size_t limit) {
    return std::find_if(numbers.begin(), numbers.end(),
                        [&](std::int32_t number) { return static_cast<std::size_t>(number) >= limit; });
  };
  for (const Example& example : examples) {
    const std::vector<std::int32_t>&ids = example.input.ids, &labels = example.labels;
    if (const auto id = beyond(ids, pipeline.vocabulary); id != ids.end())
      throw_bad_input(concat(example.name, ": id ", *id, " at step ", id - ids.begin(), " is beyond the vocabulary of ",
                             pipeline.vocabulary, ", expected 0 to ", pipeline.vocabulary - 1, ", the ids of train"));
    if (pipeline.target == Target::kLabels) continue;
    if (const auto label = beyond(labels, pipeline.classes.size()); label != labels.end())
      throw_bad_input(concat(example.name, ": label ", *label, " at step ", label - labels.begin(), ", expected 0 to ",
                             pipeline.classes.size() - 1, ", the classes of train"));
  }
}

OpenedData open_npz(const DataSpec& spec, const OwnDataOptions& options, const Pipeline* trained) {
  std::error_code ignored;
  const bool folder = fs::is_directory(spec.path, ignored);
  ReadExamples read{.where = data_spec_text(spec), .what = "sequences", .examples = {}, .splits = {.by = "file"}};
  OpenedData opened;
  bool first = trained == nullptr;
  if (trained != nullptr) opened.pipeline = *trained;
  for (const Split split : {Split::kTrain, Split::kValidation, Split::kTest}) {
    if (!folder && split != Split::kTrain) break;
    const fs::path path = folder ? spec.path / (split_name(split) + ".npz") : spec.path;
    if (folder && !fs::exists(path, ignored)) {
      if (first) throw_bad_input(concat(read.where, ": there is no train.npz in the folder"));
      continue;
    }
    NpzSequences contents = sequences_of(path.string(), read_npz(path, options.max_memory));
    if (first) opened.pipeline = pipeline_of(contents);
    first = false;
    require_fit(path, contents, opened.pipeline);
    std::ranges::move(contents.examples, std::back_inserter(read.examples));
    if (folder) read.splits.parts.resize(read.examples.size(), split);
  }
  Pipeline& pipeline = opened.pipeline;
  if (trained != nullptr) require_known_numbers(read.examples, pipeline);
  Extent all;
  if (pipeline.target == Target::kClass)
    for (const Example& example : read.examples) all.add(example);
  const std::vector<std::string> classes = numbers_below(all.classes);
  const std::vector<Split> splits = splits_of(read, classes, options, opened.notes);
  if (trained == nullptr) {
    learn_numbers(read.examples, splits, pipeline);
    require_known_numbers(read.examples, pipeline);
  }
  hold(std::move(read), splits, trained, opened);
  return opened;
}

}  // namespace

NpzSequences sequences_of(const std::string& name, Npz arrays) { return NpzReader(name, std::move(arrays)).read(); }

KindRow npz_row() {
  return {.kind = {.name = "npz",
                   .holds = "file of NumPy arrays x or ids, lengths or offsets, y; or folder with "
                            "train.npz, validation.npz and test.npz"},
          .open = open_npz};
}

}  // namespace quaver
