#include "support/model_golden.h"

#include "quaver/core/error.h"
#include "quaver/core/text.h"
#include "quaver/workflow/state_npz.h"

namespace quaver::testing_support {
NpzArray codes_of(const Result& result) {
  return {result.value.format.kind,
          {static_cast<std::int64_t>(result.steps), result.value.size()},
          {result.bytes.begin(), result.bytes.end()}};
}

ModelGolden::ModelGolden(const Model& model, Npz arrays) : arrays_(std::move(arrays)) {
  if (model.inputs[0].value.format.kind == NumberType::kI32) {
    ids_ = to_i32(npz_array(arrays_, "ids"), "ids");
    steps_ = ids_.size();
  } else {
    codes_ = to_i8(npz_array(arrays_, "x"), "x");
    steps_ = codes_.size() / static_cast<std::size_t>(model.inputs[0].value.size());
  }
}

SequenceView ModelGolden::sequence(std::size_t first, std::size_t end) const {
  const std::size_t steps = end - first, width = features();
  if (!ids_.empty()) return {steps, {}, std::span(ids_).subspan(first, steps), {}};
  return {steps, {}, {}, std::span(codes_).subspan(first * width, steps * width)};
}

std::vector<std::pair<std::string, std::span<const std::byte>>> ModelGolden::state_parts() const {
  std::vector<std::pair<std::string, std::span<const std::byte>>> parts;
  for (const auto& [name, array] : arrays_) {
    if (name.starts_with(kStatePrefix)) parts.emplace_back(name.substr(kStatePrefix.size()), array.bytes);
  }
  return parts;
}

void ModelGolden::record(const Model& model) {
  Session session(model, {.isa = Isa::kScalar});
  const std::vector<Result> results = session.run(sequence());
  for (std::size_t i = 0; i < results.size(); ++i) arrays_["y/" + model.outputs[i]] = codes_of(results[i]);
  if (!session.streams()) return;
  State state = session.initial_state();
  session.run(sequence(0, steps_ / 2), state);
  for (auto& [name, array] : state_arrays({&state, 1})) {
    if (name != kStateFingerprint) array.shape.erase(array.shape.begin());
    arrays_[name] = std::move(array);
  }
}

}  // namespace quaver::testing_support
