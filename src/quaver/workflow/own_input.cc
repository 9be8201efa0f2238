#include "quaver/workflow/own_input.h"

#include <map>
#include <string_view>
#include <utility>

#include "quaver/core/error.h"
#include "quaver/core/printable.h"
#include "quaver/core/text.h"
#include "quaver/data/tasks.h"
#include "quaver/workflow/fields.h"
#include "quaver/workflow/sequence/input.h"

namespace quaver {
namespace {

constexpr std::string_view kPrefix = "pipeline.";

}  // namespace

bool names_own_data(const std::string& spec) { return parse_data_spec(spec).has_value(); }

std::optional<Pipeline> pipeline_of(const Model& model, const std::filesystem::path& file) {
  std::map<std::string, std::string> map;
  for (const auto& [name, text] : model.provenance)
    if (name.starts_with(kPrefix)) map[name.substr(kPrefix.size())] = text;
  if (map.empty()) return std::nullopt;
  try {
    return pipeline_from_map(map);
  } catch (const Error& error) {
    throw Error(error.kind(), concat(file.string(), ": ", error.what()));
  }
}

void keep_pipeline(const Pipeline& pipeline, Model& model) {
  for (const auto& [name, text] : to_map(pipeline)) model.provenance[concat(kPrefix, name)] = text;
}

OwnData open_own_data(const std::string& spec, const DataSource& data, std::size_t limit,
                      const std::optional<Pipeline>& trained, Listener& listener) {
  if (trained)
    refuse({{"--data-seed", data.data_seed.has_value()}}, "training", "here the model keeps how its data was split");
  OwnDataOptions options = data.own;
  options.limit = limit;
  options.max_memory = data.max_memory;
  if (data.data_seed) options.seed = *data.data_seed;
  // Opening counts files or bytes, loading sequences: each begins anew.
  options.progress = [&listener, counted = std::uint64_t{0}](std::uint64_t done, std::uint64_t total) mutable {
    if (counted != total) listener.begin("reading", "items", total);
    counted = total;
    listener.advance(done);
  };
  OwnData opened = OwnData::open(*parse_data_spec(spec), options, trained);
  for (const std::string& note : opened.notes()) listener.note(note);
  for (const std::string& warning : opened.warnings()) listener.warn(warning);
  return opened;
}

void warn_of_origin(const Model& model, const std::string& spec, Listener& listener) {
  const bool own = names_own_data(spec), of_own = names_own_data(model.task);
  if (model.task.empty() || own == of_own) return;
  listener.warn(concat("the model learned from ", of_own ? "" : "task ", printable(model.task), ", and '",
                       printable(spec),
                       "' is read: what stands for a class or a feature there may be another one here"));
}

ModelData::ModelData(const Model& model, const std::filesystem::path& file, std::string spec, const DataSource& data,
                     std::size_t limit, Listener& listener)
    : model_(model), spec_(std::move(spec)), options_(data.of_sequences(limit)) {
  warn_of_origin(model, spec_, listener);
  if (names_own_data(spec_)) own_ = open_own_data(spec_, data, limit, pipeline_of(model, file), listener);
}

Dataset ModelData::load(const std::string& split) const {
  Dataset loaded = own_ ? own_->stream(split) : load_task(spec_, split, options_);
  require_fit(model_, loaded);
  return loaded;
}

Forecast ModelData::forecast() const {
  if (!own_) return task_info(spec_).forecast;
  const std::optional<TableSettings>& table = own_->pipeline().table;
  return {.columns = table ? table->target_features() : std::vector<std::size_t>{}};
}

}  // namespace quaver
