// plan.h - a model prepared for one CPU: layers in order, which values share a place, how big the state is. Internal.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "quaver/cells/scratch.h"
#include "quaver/engine/sequence/frame_coder.h"
#include "quaver/engine/sequence/layer.h"
#include "quaver/engine/sequence/session.h"

namespace quaver {

struct Session::Plan {
  struct Stage {
    std::unique_ptr<Layer> layer;
    std::vector<std::size_t> inputs, outputs;  // values, by slot
    std::size_t state_offset = 0;              // of its state inside the whole
    std::size_t first_pointer = 0;             // of its slots in Workspace::pointers: inputs, then outputs
    bool has_time = true;                      // one step a frame; else one for the sequence
  };
  struct Input {
    std::size_t value = 0;
    FrameCoder border;            // real frame -> value
    std::int64_t vocabulary = 0;  // of an input of ids: 0 .. vocabulary - 1 are known
  };

  Plan(const Model& model, Isa isa);
  // The model with its weights in pages of that kind; of kMeasured the kind whose step takes less.
  static std::shared_ptr<const Plan> on_pages(const Model& model, Isa isa, WeightPages pages);

  Model model;  // the graph and what the border needs: tensors of weights stay with the caller's
  Isa isa;
  const FramesPath* border;  // codes to reals
  std::vector<Value> values;
  std::vector<Channels> channels;  // of the values
  std::vector<Stage> stages;
  std::vector<Input> inputs;         // by the model's inputs, whose values are the first
  std::vector<std::size_t> outputs;  // values of model.outputs
  // Values whose lifetimes do not meet share a place. What the caller reads or gives for a whole run shares with none.
  std::vector<std::size_t> places;  // of the values
  std::size_t place_count = 0;
  std::size_t scratch_bytes = 0;      // of steps
  std::size_t run_scratch_bytes = 0;  // of sequences
  std::size_t state_bytes = 0;
  std::size_t weight_bytes = 0;
  std::size_t huge_page_bytes = 0;  // of the weights, in huge pages
  std::shared_ptr<const StateLayout> layout;
  std::string looks_ahead;  // the first node that needs the whole sequence, or ""

  std::size_t input_features() const noexcept { return static_cast<std::size_t>(values[0].size()); }
  std::size_t score_count() const noexcept { return static_cast<std::size_t>(values[outputs[0]].size()); }
  // Steps that `sequences` sequences pass the nodes with, one node after the other: as many as keep what lies between
  // the nodes small, or all of the longest where a node looks ahead. Where a sequence is parted changes no bit.
  std::size_t block_steps(std::size_t sequences, std::size_t longest) const;
  void reset(std::byte* state) const noexcept;
  // The border: real frame -> value of the input. NaN and infinities count as 0.
  void enter(std::size_t input, const float* frame, std::byte* value) const noexcept {
    inputs[input].border.code(frame, value);
  }
  // values[v] of real.size() / size steps as reals.
  void leave(std::size_t v, const std::byte* bytes, std::span<float> real) const noexcept {
    const Format& format = values[v].format;
    if (format.kind != NumberType::kI8 || !channels[v].empty())
      return quaver::decode(values[v], channels[v], bytes, real);
    border->decode(reinterpret_cast<const std::int8_t*>(bytes), format.scale, format.zero_point, real.size(),
                   real.data());
  }

 private:
  class TimedSteps;
  std::size_t add_value(Value value, Channels made);
  // Returns the stage's outputs.
  std::vector<std::size_t> add_stage(std::unique_ptr<Layer> layer, std::vector<std::size_t> from, Channels made,
                                     StateLayout& states);
  void move_weights_to_huge_pages();
  void share_places();
};

// Working memory of one worker: of one step of up to kCellGroup streams, or of all steps of as many sequences. What
// belongs to the streams of a value lies side by side.
struct Session::Workspace {
  WorkingBytes arena;                // all places
  std::vector<std::byte*> pointers;  // of the stages' slots, to the first frame
  std::vector<std::byte*> values;    // of each value, to the first frame
  WorkingBytes scratch;
  AlignedVector<std::byte> states;  // of sequences that start fresh
  bool backwards = false;           // the next step's way over its weights

  // Working memory of one step that `team`, which may be null, shares; the next one walks the other way.
  WorkingMemory step_memory(Team* team) {
    backwards = !backwards;
    return {scratch.data(), backwards, team};
  }

  explicit Workspace(const Plan& plan);
  // The state of the `index`-th sequence of a run, as new. A stream has its own: only runs make room here.
  std::byte* fresh_state(const Plan& plan, std::size_t index);
  // Makes room for a run of so many steps, of all sequences together; what was in it is gone.
  void reserve_run(const Plan& plan, std::size_t steps);

 private:
  void reserve(const Plan& plan, std::size_t steps);

  std::size_t reserved_steps_ = 0;
};

}  // namespace quaver
