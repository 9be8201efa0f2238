// answer.h - raw input - recordings, tables, texts - through the model that learned from data of its kind, and what the
// model says of it in the words and units of that data. Internal to this floor.
#pragma once

#include <filesystem>

#include "quaver/model/model.h"
#include "quaver/workflow/listener.h"
#include "quaver/workflow/run.h"

namespace quaver {

// Whether `input` is such: a path that ends in .wav, .csv, .tsv or .txt (or these and .gz or .xz), a folder, KIND:PATH,
// or "-".
bool is_raw_input(const std::filesystem::path& input);

// Of input that is not raw: Error (bad input) where a model with a pipeline is given no arrays either.
void require_arrays(const Model& model, const RunRequest& request);

// Error (usage) for fields that do not suit it; (bad input) for a model without a pipeline or of another kind of data,
// for input that cannot be read.
RunReport answer(const Model& model, const RunRequest& request, Listener& listener);

}  // namespace quaver
