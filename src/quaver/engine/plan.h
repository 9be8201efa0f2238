// plan.h - a model prepared for one CPU: layers in order, where their values lie, how big the state is. Internal.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "quaver/cells/scratch.h"
#include "quaver/engine/frame_coder.h"
#include "quaver/engine/layer.h"
#include "quaver/engine/session.h"

namespace quaver {

struct Session::Plan {
  struct Stage {
    std::unique_ptr<Layer> layer;
    std::size_t input;  // index into values
    std::size_t output;
    std::size_t state_offset;  // of its state inside the whole
  };

  Plan(const Model& model, Isa isa);

  Model model;
  Isa isa;
  std::vector<Value> values;       // [0] is the model's input as the first nodes read it
  std::vector<Channels> channels;  // of the values
  std::vector<Stage> stages;
  std::vector<std::size_t> outputs;  // values of model.outputs
  std::size_t scratch_bytes = 0;
  std::size_t state_bytes = 0;
  std::size_t weight_bytes = 0;
  std::shared_ptr<const StateLayout> layout;
  std::string looks_ahead;  // the first node that needs the whole sequence, or ""
  FrameCoder border;        // real frame -> value 0

  std::size_t input_features() const noexcept { return static_cast<std::size_t>(values[0].size()); }
  std::size_t score_count() const noexcept { return static_cast<std::size_t>(values[outputs[0]].size()); }
  // Steps that `sequences` sequences pass the nodes with, one node after the other: as many as keep what lies between
  // the nodes small, or all of the longest where a node looks ahead. Where a sequence is parted changes no bit.
  std::size_t block_steps(std::size_t sequences, std::size_t longest) const;
  void reset(std::byte* state) const noexcept;
  // The border: real frame -> value 0. NaN and infinities count as 0.
  void enter(const float* frame, std::byte* value) const noexcept { border.code(frame, value); }
  // values[v] of real.size() / features steps as reals.
  void leave(std::size_t v, const std::byte* bytes, std::span<float> real) const noexcept {
    quaver::decode(values[v], channels[v], bytes, real);
  }
};

// Working memory of one worker: of one step of up to kCellGroup streams, or of all steps of as many sequences. What
// belongs to the streams of values[v] lies side by side.
struct Session::Workspace {
  std::vector<AlignedVector<std::byte>> values;
  AlignedVector<std::byte> scratch;
  AlignedVector<std::byte> states;  // of sequences that start fresh
  bool backwards = false;           // the next step's way over its weights

  // Working memory of one step that `team`, which may be null, shares; the next one walks the other way.
  WorkingMemory step_memory(Team* team) {
    backwards = !backwards;
    return {scratch.data(), backwards, team};
  }

  explicit Workspace(const Plan& plan);
  void reserve(const Plan& plan, std::size_t steps);  // of all sequences together
};

}  // namespace quaver
