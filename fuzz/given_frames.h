// given_frames.h - what the fuzzers hand to the models that they find: a few steps for each input.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "quaver/engine/sequence/session.h"
#include "quaver/model/model.h"

namespace quaver {

inline constexpr std::size_t kSteps = 4;

struct GivenInput {
  std::vector<float> real{};
  std::vector<std::int32_t> ids{};
};

// Reals that reach both ends of most formats, or ids that every embedding knows.
inline std::vector<GivenInput> frames_for(const Model& model) {
  std::vector<GivenInput> given;
  for (const ModelInput& input : model.inputs) {
    const std::size_t count = (input.value.has_time ? kSteps : 1) * static_cast<std::size_t>(input.value.size());
    GivenInput& frames = given.emplace_back();
    for (std::size_t i = 0; i < count; ++i)
      if (input.value.format.kind == NumberType::kI32)
        frames.ids.push_back(static_cast<std::int32_t>(i % 2));
      else
        frames.real.push_back(static_cast<float>((5 * i + given.size()) % 9) - 4.0f);
  }
  return given;
}

// Frames of step t, or all there are.
inline std::vector<InputView> views(const Model& model, const std::vector<GivenInput>& given, const std::size_t* t) {
  std::vector<InputView> views;
  for (std::size_t i = 0; i < given.size(); ++i) {
    const Value& value = model.inputs[i].value;
    const bool part = t != nullptr && value.has_time;
    const std::size_t size = static_cast<std::size_t>(value.size());
    views.push_back({i, given[i].real, given[i].ids});
    if (!part) continue;
    if (given[i].ids.empty())
      views.back().real = views.back().real.subspan(*t * size, size);
    else
      views.back().ids = views.back().ids.subspan(*t * size, size);
  }
  return views;
}

}  // namespace quaver
