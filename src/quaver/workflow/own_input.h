// own_input.h - data of one's own in requests: a KIND:PATH where a task's name could stand. A model keeps the pipeline
// that it was trained with, and its data is read with that ever after.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "quaver/data/own/own_data.h"
#include "quaver/model/model.h"
#include "quaver/workflow/data_source.h"
#include "quaver/workflow/listener.h"

namespace quaver {

bool names_own_data(const std::string& spec);

// In the provenance, under "pipeline.": nothing where there is none, as in a model that was imported.
std::optional<Pipeline> pipeline_of(const Model& model);
void keep_pipeline(const Pipeline& pipeline, Model& model);

// Tells the listener how it was split and what was converted or left out, and what was read; it must outlive the data.
// limit: sequences of a split at most; 0: all.
OwnData open_own_data(const std::string& spec, const DataSource& data, std::size_t limit,
                      const std::optional<Pipeline>& trained, Listener& listener);

// Of a task or a KIND:PATH, for a model. Error (bad input) when they do not fit.
Dataset load_for(const Model& model, const std::string& spec, const std::string& split, const DataSource& data,
                 std::size_t limit, Listener& listener);

}  // namespace quaver
