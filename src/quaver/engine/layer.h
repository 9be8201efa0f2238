// layer.h - one prepared node of a plan: reads the bytes of one value, writes those of another.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "quaver/cells/observer.h"
#include "quaver/cells/scratch.h"
#include "quaver/cells/state_part.h"
#include "quaver/core/team.h"
#include "quaver/kernels/dispatch/dispatch.h"
#include "quaver/model/channels.h"
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

// One sequence's way through a layer: `steps` values at `in` become as many (or one, pooled) at `out`, from `state` on.
struct Passage {
  const std::byte* in;
  std::byte* out;
  std::byte* state;
  std::size_t steps;
};

class Layer {
 public:
  Layer(std::string name, Value input, Value output)
      : name_(std::move(name)), input_(std::move(input)), output_(std::move(output)) {}
  virtual ~Layer() = default;

  const std::string& name() const { return name_; }  // of its node; "" for a conversion between two nodes
  const Value& input() const { return input_; }
  const Value& output() const { return output_; }
  const Channels& input_channels() const { return input_channels_; }
  const Channels& output_channels() const { return output_channels_; }
  // What observers are told on top of the formats, and islands compute with. Integer layers have it in their weights.
  virtual void set_channels(Channels input, Channels output) {
    input_channels_ = std::move(input);
    output_channels_ = std::move(output);
  }

  virtual bool streams() const { return true; }  // false: needs the whole sequence
  virtual std::vector<StatePart> state_parts() const { return {}; }
  virtual std::size_t state_bytes() const { return 0; }
  virtual std::size_t scratch_bytes() const { return 0; }
  virtual std::size_t weight_bytes() const { return 0; }
  virtual void reset(std::byte*) const noexcept {}
  virtual void restore_derived(std::byte*) const noexcept {}

  // One step. Only for layers that stream.
  virtual void step(const std::byte* in, std::byte* out, std::byte* state, WorkingMemory scratch,
                    Observer* observer) const noexcept = 0;
  // One step of each of `count` <= kCellGroup independent states, whose values lie side by side.
  virtual void step_streams(const std::byte* in, std::byte* out, std::byte* const* states, std::size_t count,
                            WorkingMemory scratch) const noexcept;
  // All steps of one sequence; a layer that pools over time leaves its last value in `out`.
  virtual void run(const Passage& passage, std::byte* scratch, Observer* observer, Team* team) const;
  // Independent sequences, at most kCellGroup, longest first.
  virtual void run_batch(std::span<const Passage> passages, std::byte* scratch) const;

 protected:
  void report_input(Observer& observer, const std::byte* in) const {
    report_value(observer, "input", input_, input_channels_, in);
  }

 private:
  std::string name_;
  Value input_, output_;
  Channels input_channels_, output_channels_;
};

// The prepared node; `isa` picks the path of its kernels. Float nodes run in float.
std::unique_ptr<Layer> make_layer(const Model& model, const Node& node, Isa isa);
// Between two nodes whose formats differ: f32 to codes, codes to f32, i8 and i16 codes to each other.
std::unique_ptr<Layer> make_conversion(const Value& from, const Format& to);

}  // namespace quaver
