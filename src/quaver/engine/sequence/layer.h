// layer.h - one prepared node of a plan: reads the bytes of its input values, writes those of its outputs. Internal.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "quaver/cells/observer.h"
#include "quaver/cells/prepared_product.h"
#include "quaver/cells/scratch.h"
#include "quaver/cells/state_part.h"
#include "quaver/core/team.h"
#include "quaver/kernels/dispatch/dispatch.h"
#include "quaver/model/formats/channels.h"
#include "quaver/model/model.h"

namespace quaver {

// Bytes of one step of a value (or of the whole of a vector).
std::size_t value_bytes(const Value& value);

// Codes to reals, real.size() of them: as many steps as that are.
void decode(const Value& value, const Channels& channels, const std::byte* bytes, std::span<float> real) noexcept;

// Tells an observer about a value's bytes at `point`, with what its format and channels say; ids and indices are not
// numbers.
void report_value(Observer& observer, std::string_view point, const Value& value, const Channels& channels,
                  const std::byte* bytes);

// One sequence's way through a layer: `steps` frames of each input become as many of each output (or one of an output
// without time), from `state` on. in and out: the first frame by slot; an input without time has one for all steps.
struct Passage {
  const std::byte* const* in;
  std::byte* const* out;
  std::byte* state;
  std::size_t steps;
};

template <typename T>
const T* typed(const std::byte* bytes) {
  return reinterpret_cast<const T*>(bytes);
}
template <typename T>
T* typed(std::byte* bytes) {
  return reinterpret_cast<T*>(bytes);
}

class Layer {
 public:
  // name: of its node; "" for a conversion between two nodes.
  Layer(std::string name, std::vector<Value> inputs, std::vector<Value> outputs);
  virtual ~Layer() = default;

  const std::string& name() const { return name_; }
  const std::vector<Value>& inputs() const { return inputs_; }
  const std::vector<Value>& outputs() const { return outputs_; }
  const Value& input() const { return inputs_[0]; }
  const Value& output() const { return outputs_[0]; }
  const Channels& input_channels(std::size_t slot = 0) const { return input_channels_[slot]; }
  const Channels& output_channels() const { return output_channels_; }
  // What observers are told on top of the formats, and islands compute with. Integer layers have it in their weights.
  // output: of the first one.
  virtual void set_channels(std::vector<Channels> inputs, Channels output) {
    input_channels_ = std::move(inputs);
    output_channels_ = std::move(output);
  }

  virtual bool streams() const { return true; }  // false: needs the whole sequence
  virtual std::vector<StatePart> state_parts() const { return {}; }
  virtual std::size_t state_bytes() const { return 0; }
  virtual std::size_t scratch_bytes() const { return 0; }  // of steps
  virtual std::size_t run_scratch_bytes() const { return scratch_bytes(); }
  virtual PackedWeights weights() const { return {}; }  // of integers; what one step reads of them whole
  virtual void reset(std::byte*) const noexcept {}

  // One step. Only for layers that stream. in, out: one frame by slot.
  virtual void step(const std::byte* const* in, std::byte* const* out, std::byte* state, WorkingMemory scratch,
                    Observer* observer) const noexcept = 0;
  // One step of each of `count` <= kCellGroup independent states, whose values lie side by side in every slot.
  virtual void step_streams(const std::byte* const* in, std::byte* const* out, std::byte* const* states,
                            std::size_t count, WorkingMemory scratch) const noexcept;
  // All steps of one sequence; an output without time is left as the last step makes it.
  virtual void run(const Passage& passage, std::byte* scratch, Observer* observer, Team* team) const;
  // Independent sequences, at most kCellGroup, longest first.
  virtual void run_batch(std::span<const Passage> passages, std::byte* scratch) const;

 protected:
  // Bytes from one step's frame to the next; 0 of a value without time.
  std::size_t input_stride(std::size_t slot = 0) const { return input_strides_[slot]; }
  std::size_t output_stride(std::size_t slot = 0) const { return output_strides_[slot]; }
  // "input", "input_1", ... of the frames at `in`.
  void report_inputs(Observer& observer, const std::byte* const* in) const;

 private:
  std::string name_;
  std::vector<Value> inputs_, outputs_;
  std::vector<std::size_t> input_strides_, output_strides_;
  std::vector<Channels> input_channels_;
  Channels output_channels_;
};

}  // namespace quaver
