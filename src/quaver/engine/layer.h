// layer.h - one prepared node of a plan: reads the bytes of one value, writes those of another.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "quaver/cells/observer.h"
#include "quaver/cells/state_part.h"
#include "quaver/kernels/dispatch/dispatch.h"
#include "quaver/model/model.h"

namespace quaver {

// Bytes of one step of a value (or of the whole of a vector).
std::size_t value_bytes(const Value& value);

// Tells an observer about a value's bytes at `point`, decoded as its format says; ids and indices are not numbers.
void report_value(Observer& observer, std::string_view point, const Value& value, const std::byte* bytes);

class Layer {
 public:
  Layer(std::string name, Value input, Value output)
      : name_(std::move(name)), input_(std::move(input)), output_(std::move(output)) {}
  virtual ~Layer() = default;

  const std::string& name() const { return name_; }  // of its node; "" for a conversion between two nodes
  const Value& input() const { return input_; }
  const Value& output() const { return output_; }

  virtual bool streams() const { return true; }  // false: needs the whole sequence
  virtual std::vector<StatePart> state_parts() const { return {}; }
  virtual std::size_t state_bytes() const { return 0; }
  virtual std::size_t scratch_bytes() const { return 0; }
  virtual std::size_t weight_bytes() const { return 0; }
  virtual void reset(std::byte*) const noexcept {}
  virtual void restore_derived(std::byte*) const noexcept {}

  // One step. Only for layers that stream.
  virtual void step(const std::byte* in, std::byte* out, std::byte* state, std::byte* scratch,
                    Observer* observer) const noexcept = 0;
  // `steps` consecutive steps from `state`; a layer that pools over time leaves its last value in `out`.
  virtual void run(const std::byte* in, std::size_t steps, std::byte* out, std::byte* state, std::byte* scratch,
                   Observer* observer) const;

 private:
  std::string name_;
  Value input_, output_;
};

// The prepared node; `isa` picks the path of its kernels. Float nodes run in float.
std::unique_ptr<Layer> make_layer(const Model& model, const Node& node, Isa isa);
// Between two nodes whose formats differ: f32 to codes, codes to f32, i8 and i16 codes to each other.
std::unique_ptr<Layer> make_conversion(const Value& from, const Format& to);

}  // namespace quaver
