#include "quaver/data/own/own_data.h"

#include <algorithm>
#include <span>
#include <utility>

#include "quaver/core/error.h"
#include "quaver/core/printable.h"
#include "quaver/core/text.h"
#include "quaver/data/own/kind_row.h"

namespace quaver {
namespace {

const std::vector<KindRow>& rows() {
  static const std::vector<KindRow> table{babi_row(), csv_row(), lm_row(), npz_row(), text_row(), ts_row(), wav_row()};
  return table;
}

// Examples of a split, which lie in the parts.
class StreamedSplit : public ExampleReader {
 public:
  StreamedSplit(std::shared_ptr<const PartReader> parts, Split split, std::size_t limit)
      : parts_(std::move(parts)), split_(split), limit_(limit) {}

  std::size_t size() const override { return spread_size(parts_->size(split_), limit_); }
  std::size_t about_steps(std::size_t index) const override { return parts_->about_steps(split_, place(index)); }
  Example read(std::size_t index) const override { return parts_->read(split_, place(index)); }

 private:
  std::size_t place(std::size_t index) const { return spread_index(parts_->size(split_), limit_, index); }

  std::shared_ptr<const PartReader> parts_;
  Split split_;
  std::size_t limit_;
};

// What judges a model of it, where the target alone does not say so: a text model is a class a step, like a tagger.
std::string metric_of(const Pipeline& pipeline) {
  if (pipeline.kind != "lm") return "";
  return pipeline.tokens->unit == TokenUnit::kCharacter ? "bits_per_character" : "perplexity";
}

bool other_data(const Drawn& drawn, const Pipeline& trained) {
  return trained.drawn_from > 0 && (drawn.count != trained.drawn_from || drawn.hash != trained.drawn_hash);
}

}  // namespace

std::optional<DataSpec> parse_data_spec(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const DataSpec spec{.kind = std::string(text.substr(0, colon)), .path = text.substr(colon + 1)};
  if (std::ranges::none_of(rows(), [&](const KindRow& row) { return row.kind.name == spec.kind; })) return std::nullopt;
  const bool names_split = spec.path == "train" || spec.path == "validation" || spec.path == "test";
  if (spec.kind == "babi" && names_split) {  // a task's name too
    std::error_code ignored;
    if (!std::filesystem::exists(spec.path, ignored)) return std::nullopt;
    throw_usage(concat("'", text, "' is the split '", spec.path.string(),
                       "' of task 'babi', and there is such a path: "
                       "rename the path, or write babi:./",
                       spec.path.string()));
  }
  if (spec.path.empty())
    throw_usage(concat("'", printable(text), "' names no file or folder: expected ", spec.kind, ":PATH"));
  return spec;
}

std::string data_spec_text(const DataSpec& spec) { return concat(spec.kind, ":", printable(spec.path.string(), 4096)); }

std::vector<DataKind> data_kinds() {
  std::vector<DataKind> kinds;
  for (const KindRow& row : rows()) kinds.push_back(row.kind);
  return kinds;
}

OwnData::OwnData(OwnData&&) noexcept = default;
OwnData& OwnData::operator=(OwnData&&) noexcept = default;
OwnData::~OwnData() = default;

OwnData OwnData::open(const DataSpec& spec, const OwnDataOptions& options, const std::optional<Pipeline>& trained) {
  const auto row = std::ranges::find(rows(), spec.kind, [](const KindRow& each) { return each.kind.name; });
  if (row == rows().end()) {
    std::vector<std::string> names;
    for (const DataKind& kind : data_kinds()) names.push_back(kind.name);
    throw_usage(concat("unknown kind of data '", printable(spec.kind), "': the kinds are ", join(names, ", ")));
  }
  if (trained && trained->kind != spec.kind)
    throw_bad_input(concat(data_spec_text(spec), ": the model was trained on data of kind '", printable(trained->kind),
                           "', expected ", printable(trained->kind), ":PATH"));
  OwnData data;
  data.spec_ = spec;
  data.options_ = options;
  if (trained) {
    data.options_.seed = trained->seed;
    data.options_.group = trained->group;
  }
  OpenedData opened = row->open(spec, data.options_, trained ? &*trained : nullptr);
  data.pipeline_ = std::move(opened.pipeline);
  data.pipeline_.seed = data.options_.seed;
  data.pipeline_.group = data.options_.group;
  if (opened.drawn && !trained) {
    data.pipeline_.drawn_from = opened.drawn->count;
    data.pipeline_.drawn_hash = opened.drawn->hash;
  } else if (opened.drawn && other_data(*opened.drawn, *trained)) {
    data.warnings_.push_back(
        concat(data_spec_text(spec), ": this is not the data that the model learned from: ", opened.drawn->count, " ",
               opened.drawn->what,
               opened.drawn->count == trained->drawn_from ? ", not the same ones"
                                                          : concat(", there were ", trained->drawn_from),
               "; the split is drawn anew, so that 'test' may hold what was learned"));
  }
  data.notes_ = std::move(opened.notes);
  data.parts_ = std::move(opened.parts);
  return data;
}

std::size_t OwnData::size(const std::string& split) const {
  return spread_size(parts_->size(parse_split(split)), options_.limit);
}

Example OwnData::read(const std::string& split, std::size_t index) const {
  return StreamedSplit(parts_, parse_split(split), options_.limit).read(index);
}

Dataset OwnData::without_examples(const std::string& split) const {
  const std::string where = data_spec_text(spec_);
  if (size(split) == 0) throw_bad_input(concat(where, ": there are no examples of split '", split, "'"));
  return {.task = where,
          .split = split,
          .target = pipeline_.target,
          .features = pipeline_.features,
          .vocabulary = pipeline_.vocabulary,
          .outputs = pipeline_.target_mean.size(),
          .metric = metric_of(pipeline_),
          .classes = pipeline_.classes};
}

Dataset OwnData::load(const std::string& split) const {
  Dataset data = without_examples(split);
  const std::size_t count = size(split);
  std::uint64_t bytes = 0;
  for (std::size_t i = 0; i < count; ++i) {
    data.examples.push_back(read(split, i));
    bytes += bytes_of(data.examples.back());
    require_memory(
        concat(data.task, ": ", data.examples.size(), " of the ", count, " examples of split '", split, "' have"),
        bytes, options_.max_memory);
    if (options_.progress) options_.progress(data.examples.size(), count);
  }
  return data;
}

Dataset OwnData::stream(const std::string& split) const {
  // Train, validation and test are there at once, beside a table, and what a network needs to learn.
  constexpr std::uint64_t kHeldShare = 16;
  constexpr std::size_t kMostSampled = 64;
  const std::size_t count = size(split), sampled = std::min(count, kMostSampled);
  if (parts_->worth_holding()) {
    std::uint64_t bytes = 0;
    for (std::size_t i = 0; i < sampled; ++i) bytes += bytes_of(read(split, spread_index(count, sampled, i)));
    if (sampled == 0 || bytes / sampled * count <= options_.max_memory / kHeldShare) return load(split);
  }
  Dataset data = without_examples(split);
  data.reader = std::make_shared<StreamedSplit>(parts_, parse_split(split), options_.limit);
  return data;
}

std::uint64_t bytes_of(const Example& example) {
  return sizeof(Example) + example.name.size() + example.input.values.size() * sizeof(float) +
         (example.input.ids.size() + example.labels.size()) * sizeof(std::int32_t) +
         example.targets.size() * sizeof(float);
}

std::string BrokenExamples::text(std::size_t all) const {
  return concat(count_, " of ", all, " ", what_, " cannot be read, the first: ", first_);
}

std::int32_t label_of(const std::vector<std::string>& classes, const std::string& name, const std::string& where) {
  const auto found = std::ranges::find(classes, name);
  if (found != classes.end()) return static_cast<std::int32_t>(found - classes.begin());
  std::vector<std::string> shown;
  for (const std::string& known : classes) shown.push_back(printable(known));
  throw_bad_input(
      concat(where, ": class '", printable(name), "', expected one of ", printable_ends(join(shown, ", "), 400)));
}

void require_name(const std::string& name, const std::string& where) {
  if (!name.empty() && printable(name, name.size()) == name) return;
  throw_bad_input(
      concat(where, ": the name '", printable(name), "' is empty, no UTF-8 or has control characters: rename it"));
}

}  // namespace quaver
