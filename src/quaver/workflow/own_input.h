// own_input.h - data of one's own in requests: a KIND:PATH where a task's name could stand. A model keeps the pipeline
// that it was trained with, and its data is read with that ever after.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>

#include "quaver/data/own/own_data.h"
#include "quaver/model/model.h"
#include "quaver/workflow/data_source.h"
#include "quaver/workflow/listener.h"

namespace quaver {

bool names_own_data(const std::string& spec);

// In the provenance, under "pipeline.": nothing where there is none, as in a model that was imported. Error (bad input)
// naming the model's file when it is damaged.
std::optional<Pipeline> pipeline_of(const Model& model, const std::filesystem::path& file);
void keep_pipeline(const Pipeline& pipeline, Model& model);

// Tells the listener how it was split and what was converted or left out, and what was read; it must outlive the data.
// Warns it when the trained model learned from other data. limit: sequences of a split at most; 0: all. RefusedField
// for a seed where the model keeps the split.
OwnData open_own_data(const std::string& spec, const DataSource& data, std::size_t limit,
                      const std::optional<Pipeline>& trained, Listener& listener);

// Warns when a model of a task is given a KIND:PATH, or one of a KIND:PATH a task: sizes alone may fit.
void warn_of_origin(const Model& model, const std::string& spec, Listener& listener);

// The splits of a task or a KIND:PATH, opened for a model, which outlives it, as the request's data does.
class ModelData {
 public:
  // file: the model's, for messages. limit: sequences of a split at most; 0: all.
  ModelData(const Model& model, const std::filesystem::path& file, std::string spec, const DataSource& data,
            std::size_t limit, Listener& listener);

  // Error (bad input) when model and data do not fit.
  Dataset load(const std::string& split) const;
  // What the targets are later values of.
  Forecast forecast() const;

 private:
  const Model& model_;
  std::string spec_;
  TaskOptions options_;         // of a task
  std::optional<OwnData> own_;  // of a KIND:PATH
};

}  // namespace quaver
