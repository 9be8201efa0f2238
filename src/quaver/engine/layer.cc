#include "quaver/engine/layer.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <type_traits>

#include "quaver/cells/feedforward/dense.h"
#include "quaver/cells/feedforward/nonlinearity.h"
#include "quaver/cells/feedforward/pool.h"
#include "quaver/cells/gru/int.h"
#include "quaver/cells/gru/ref.h"
#include "quaver/cells/lstm/int.h"
#include "quaver/cells/lstm/ref.h"
#include "quaver/cells/rnn/rnn.h"
#include "quaver/core/error.h"
#include "quaver/core/text.h"
#include "quaver/engine/bind.h"
#include "quaver/kernels/softmax/softmax.h"

namespace quaver {

std::size_t value_bytes(const Value& value) {
  return static_cast<std::size_t>(value.size()) * type_bytes(value.format.kind);
}

void decode(const Value& value, const Channels& channels, const std::byte* bytes, std::span<float> real) noexcept {
  const Format& format = value.format;
  const auto features = static_cast<std::size_t>(value.size());
  const auto from_codes = [&](const auto* codes) {
    // 32 bits hold the difference where the codes have fewer: compilers make vectors of that.
    using Steps = std::conditional_t<sizeof *codes == sizeof(std::int32_t), std::int64_t, std::int32_t>;
    const Steps zero_point = format.zero_point;
    const float scale = format.scale;
    if (channels.empty()) {
      for (std::size_t j = 0; j < real.size(); ++j)
        real[j] = scale * static_cast<float>(static_cast<Steps>(codes[j]) - zero_point);
      return;
    }
    for (std::size_t j = 0; j < real.size(); ++j) {
      const double step = channels.scale_of(j % features) * static_cast<double>(scale);
      const auto steps = static_cast<double>(static_cast<Steps>(codes[j]) - zero_point);
      real[j] = static_cast<float>(channels.offset_of(j % features) + step * steps);
    }
  };
  switch (format.kind) {
    case NumberType::kF32: std::copy_n(reinterpret_cast<const float*>(bytes), real.size(), real.data()); break;
    case NumberType::kI8: from_codes(reinterpret_cast<const std::int8_t*>(bytes)); break;
    case NumberType::kI16: from_codes(reinterpret_cast<const std::int16_t*>(bytes)); break;
    case NumberType::kI32: from_codes(reinterpret_cast<const std::int32_t*>(bytes)); break;
    default: break;  // no value is another
  }
}

void report_value(Observer& observer, std::string_view point, const Value& value, const Channels& channels,
                  const std::byte* bytes) {
  const auto count = static_cast<std::size_t>(value.size());
  switch (value.format.kind) {
    case NumberType::kF32: observer.real(point, {reinterpret_cast<const float*>(bytes), count}); break;
    case NumberType::kI8: {
      const std::span codes(reinterpret_cast<const std::int8_t*>(bytes), count);
      const auto scale = static_cast<double>(value.format.scale);
      if (channels.empty()) {
        observer.codes(point, codes, scale, value.format.zero_point);
      } else {
        observer.channel_codes(point, codes, scale, value.format.zero_point, channels.scale, channels.offset);
      }
      break;
    }
    case NumberType::kI16:
      if (!channels.empty()) {
        std::vector<float> real(count);
        decode(value, channels, bytes, real);
        observer.real(point, real);
        break;
      }
      observer.codes(point, std::span(reinterpret_cast<const std::int16_t*>(bytes), count),
                     static_cast<double>(value.format.scale));
      break;
    default: break;  // ids
  }
}

void Layer::step_streams(const std::byte* in, std::byte* out, std::byte* const* states, std::size_t count,
                         WorkingMemory scratch) const noexcept {
  const std::size_t in_stride = value_bytes(input_), out_stride = value_bytes(output_);
  for (std::size_t s = 0; s < count; ++s) step(in + s * in_stride, out + s * out_stride, states[s], scratch, nullptr);
}

void Layer::run(const Passage& passage, std::byte* scratch, Observer* observer, Team*) const {
  const std::size_t in_stride = value_bytes(input_);
  const std::size_t out_stride = output_.has_time ? value_bytes(output_) : 0;
  const bool observed = observer != nullptr && !name_.empty();
  for (std::size_t t = 0; t < passage.steps; ++t) {
    const std::byte* in = passage.in + t * in_stride;
    std::byte* out = passage.out + t * out_stride;
    if (observed) {
      observer->at(name_, "", t);
      report_input(*observer, in);
    }
    step(in, out, passage.state, scratch, observer);
    if (observed) report_value(*observer, "output", output_, output_channels_, out);
  }
}

void Layer::run_batch(std::span<const Passage> passages, std::byte* scratch) const {
  for (const Passage& passage : passages) run(passage, scratch, nullptr, nullptr);
}

namespace {

template <typename T>
const T* typed(const std::byte* bytes) {
  return reinterpret_cast<const T*>(bytes);
}
template <typename T>
T* typed(std::byte* bytes) {
  return reinterpret_cast<T*>(bytes);
}

// ---- recurrent -------------------------------------------------------------------------------------------------

// Forward, reverse or both halves of a recurrent node; outputs of the halves stand side by side.
template <typename Cell>
class RecurrentLayer final : public Layer {
 public:
  struct Half {
    Cell cell;
    std::string suffix;  // "" or "_reverse"
    std::size_t state_offset = 0;
    std::size_t output_offset = 0, output_bytes = 0;
    Channels channels{};  // of its output
  };
  RecurrentLayer(std::string name, Value input, Value output, std::vector<Half> halves)
      : Layer(std::move(name), std::move(input), std::move(output)), halves_(std::move(halves)) {
    for (Half& half : halves_) {
      half.state_offset = state_bytes_;
      for (const StatePart& part : half.cell.state_parts())
        state_bytes_ =
            std::max(state_bytes_, half.state_offset + part.offset + align_up(part.count * type_bytes(part.type)));
      half_scratch_bytes_ = std::max(half_scratch_bytes_, align_up(half.cell.scratch_bytes()));
      half.output_bytes = half.cell.output_size() * type_bytes(this->output().format.kind);
      half.output_offset = &half == &halves_[0] ? 0 : halves_[0].output_bytes;
      if constexpr (requires { half.cell.weight_bytes(); }) weight_bytes_ += half.cell.weight_bytes();
    }
  }

  void set_channels(Channels input, Channels output) override {
    std::size_t first = 0;
    for (Half& half : halves_) {
      half.channels = output.part(first, half.cell.output_size());
      first += half.cell.output_size();
    }
    Layer::set_channels(std::move(input), std::move(output));
  }
  bool streams() const override { return halves_.size() == 1 && halves_[0].suffix.empty(); }
  std::vector<StatePart> state_parts() const override { return halves_[0].cell.state_parts(); }
  std::size_t state_bytes() const override { return state_bytes_; }
  std::size_t scratch_bytes() const override { return halves_.size() * half_scratch_bytes_; }
  std::size_t weight_bytes() const override { return weight_bytes_; }
  void reset(std::byte* state) const noexcept override {
    for (const Half& half : halves_) half.cell.reset(state + half.state_offset);
  }
  void restore_derived(std::byte* state) const noexcept override {
    if constexpr (requires { halves_[0].cell.restore_derived(state); })
      for (const Half& half : halves_) half.cell.restore_derived(state + half.state_offset);
  }
  void step(const std::byte* in, std::byte* out, std::byte* state, WorkingMemory scratch,
            Observer* observer) const noexcept override {
    advance(halves_[0], in, out, state, scratch, observer);
  }
  void step_streams(const std::byte* in, std::byte* out, std::byte* const* states, std::size_t count,
                    WorkingMemory scratch) const noexcept override {
    if constexpr (kGroups) {
      std::array<const typename Cell::Input*, kCellGroup> x{};
      std::array<std::byte*, kCellGroup> to{};
      for (std::size_t s = 0; s < count; ++s) {
        x[s] = typed<typename Cell::Input>(in + s * value_bytes(input()));
        to[s] = out + s * value_bytes(output());
      }
      halves_[0].cell.step_streams(x.data(), states, count, scratch);
      copy_outputs(halves_[0], states, count, to.data());
    } else {
      Layer::step_streams(in, out, states, count, scratch);
    }
  }
  // With a team the two halves run side by side, each with working memory of its own; one half shares its steps.
  void run(const Passage& passage, std::byte* scratch, Observer* observer, Team* team) const override {
    if (observer == nullptr && team != nullptr && halves_.size() == 2) {
      team->run([&](std::size_t piece) {
        const Share share = share_of(2, piece, team->size());
        for (std::size_t i = share.first; i < share.end; ++i)
          run_half(halves_[i], passage, scratch + i * half_scratch_bytes_, nullptr, nullptr);
      });
      return;
    }
    for (const Half& half : halves_) run_half(half, passage, scratch, observer, team);
  }
  // Step by step over all sequences that are not at their end: each step reads the weights once.
  void run_batch(std::span<const Passage> passages, std::byte* scratch) const override {
    if constexpr (kGroups) {
      if (passages.size() > 1) {
        for (const Half& half : halves_) run_half_together(half, passages, scratch, nullptr);
        return;
      }
    }
    Layer::run_batch(passages, scratch);
  }

 private:
  static constexpr bool kGroups = requires { &Cell::step_streams; };  // integer cells with gates

  static void copy_outputs(const Half& half, std::byte* const* states, std::size_t count,
                           std::byte* const* out) noexcept {
    for (std::size_t s = 0; s < count; ++s) std::memcpy(out[s], half.cell.output(states[s]), half.output_bytes);
  }

  // As many steps of all sequences that run as the cell keeps input halves of: their weights are read once for all.
  void run_half_together(const Half& half, std::span<const Passage> passages, std::byte* scratch,
                         Team* team) const noexcept {
    const std::size_t in_stride = value_bytes(input()), out_stride = value_bytes(output());
    std::array<const typename Cell::Input*, kCellGroup> x{};
    std::array<std::byte*, kCellGroup> out{}, states{};
    std::size_t running = passages.size();
    for (std::size_t done = 0; done < passages[0].steps;) {
      while (passages[running - 1].steps <= done) --running;
      const std::size_t steps = std::min(kCellGroup / running, passages[running - 1].steps - done);
      for (std::size_t s = 0; s < running; ++s) {
        const Passage& passage = passages[s];
        states[s] = passage.state + half.state_offset;
        for (std::size_t i = 0; i < steps; ++i) {
          const std::size_t t = half.suffix.empty() ? done + i : passage.steps - 1 - done - i;
          x[i * running + s] = typed<typename Cell::Input>(passage.in + t * in_stride);
          out[i * running + s] = passage.out + t * out_stride + half.output_offset;
        }
      }
      if (steps > 1) half.cell.keep_inputs(x.data(), steps * running, {scratch, /*walks_backwards=*/false, team});
      for (std::size_t i = 0; i < steps; ++i) {
        const WorkingMemory memory(scratch, /*walks_backwards=*/(done + i) % 2 == 1, team);
        if (steps > 1) {
          half.cell.step_kept(i * running, states.data(), running, memory);
        } else {
          half.cell.step_streams(x.data(), states.data(), running, memory);
        }
        copy_outputs(half, states.data(), running, out.data() + i * running);
      }
      done += steps;
    }
  }

  void run_half(const Half& half, const Passage& passage, std::byte* scratch, Observer* observer,
                [[maybe_unused]] Team* team) const {
    const std::size_t in_stride = value_bytes(input()), out_stride = value_bytes(output()), steps = passage.steps;
    const bool reverse = !half.suffix.empty();
    Value part = output();
    part.shape = {static_cast<std::int64_t>(half.cell.output_size())};
    std::byte* const out = passage.out + half.output_offset;
    if constexpr (kGroups) {
      if (observer == nullptr) return run_half_together(half, {&passage, 1}, scratch, team);
    }
    for (std::size_t i = 0; i < steps; ++i) {
      const std::size_t t = reverse ? steps - 1 - i : i;
      const std::byte* in_t = passage.in + t * in_stride;
      std::byte* out_t = out + t * out_stride;
      if (observer != nullptr) {
        observer->at(name(), half.suffix, t);
        report_input(*observer, in_t);
      }
      advance(half, in_t, out_t, passage.state, scratch, observer);
      if (observer != nullptr) report_value(*observer, "output", part, half.channels, out_t);
    }
  }

  static void advance(const Half& half, const std::byte* in, std::byte* out, std::byte* state, WorkingMemory scratch,
                      Observer* observer) noexcept {
    const auto* h = half.cell.step(typed<typename Cell::Input>(in), state + half.state_offset, scratch, observer);
    std::memcpy(out, h, half.output_bytes);
  }

  std::vector<Half> halves_;
  std::size_t state_bytes_ = 0, half_scratch_bytes_ = 0, weight_bytes_ = 0;
};

template <typename Cell, typename MakeCell>
std::unique_ptr<Layer> make_recurrent(const Node& node, const Value& input, Direction direction, MakeCell make_cell) {
  std::vector<typename RecurrentLayer<Cell>::Half> halves;
  for (const std::string& suffix : direction_suffixes(direction)) halves.push_back({make_cell(suffix), suffix});
  return std::make_unique<RecurrentLayer<Cell>>(node.name, input, node.outputs[0], std::move(halves));
}

// ---- feed-forward ----------------------------------------------------------------------------------------------

class DenseFloatLayer final : public Layer {
 public:
  DenseFloatLayer(const Node& node, const Value& input, DenseRef dense)
      : Layer(node.name, input, node.outputs[0]), dense_(std::move(dense)) {}
  void step(const std::byte* in, std::byte* out, std::byte*, WorkingMemory, Observer*) const noexcept override {
    dense_.run(typed<float>(in), typed<float>(out));
  }

 private:
  DenseRef dense_;
};

template <typename Out>
class DenseIntLayer final : public Layer {
 public:
  DenseIntLayer(const Node& node, const Value& input, DenseInt dense)
      : Layer(node.name, input, node.outputs[0]), dense_(std::move(dense)) {}
  std::size_t scratch_bytes() const override { return dense_.scratch_bytes(); }
  std::size_t weight_bytes() const override { return dense_.weight_bytes(); }
  void step(const std::byte* in, std::byte* out, std::byte*, WorkingMemory scratch, Observer*) const noexcept override {
    dense_.run(typed<std::int8_t>(in), typed<Out>(out), scratch);
  }

 private:
  DenseInt dense_;
};

class EmbeddingLayer final : public Layer {
 public:
  EmbeddingLayer(const Node& node, const Value& input, const Tensor& table)
      : Layer(node.name, input, node.outputs[0]), rows_(table.rows()), table_(table.bytes) {}
  void step(const std::byte* in, std::byte* out, std::byte*, WorkingMemory, Observer*) const noexcept override {
    std::int32_t id;
    std::memcpy(&id, in, sizeof id);
    const std::size_t row = id >= 0 && id < rows_ ? static_cast<std::size_t>(id) : 0;
    const std::size_t bytes = value_bytes(output());
    std::copy_n(table_.data() + row * bytes, bytes, out);
  }

 private:
  std::int64_t rows_;
  AlignedVector<std::byte> table_;
};

class ActivationFloatLayer final : public Layer {
 public:
  ActivationFloatLayer(const Node& node, const Value& input)
      : Layer(node.name, input, node.outputs[0]), function_(std::get<ActivationAttributes>(node.operation).function) {}
  void step(const std::byte* in, std::byte* out, std::byte*, WorkingMemory, Observer*) const noexcept override {
    for (std::int64_t j = 0; j < input().size(); ++j) typed<float>(out)[j] = apply(function_, typed<float>(in)[j]);
  }

 private:
  Nonlinearity function_;
};

class ActivationIntLayer final : public Layer {
 public:
  ActivationIntLayer(const Node& node, const Value& input, const Tensor& table)
      : Layer(node.name, input, node.outputs[0]) {
    std::ranges::copy(table.as<std::int8_t>(), table_.begin());
  }
  void step(const std::byte* in, std::byte* out, std::byte*, WorkingMemory, Observer*) const noexcept override {
    for (std::int64_t j = 0; j < input().size(); ++j)
      typed<std::int8_t>(out)[j] = table_[static_cast<std::size_t>(typed<std::int8_t>(in)[j] + 128)];
  }

 private:
  std::array<std::int8_t, 256> table_{};
};

template <typename T>
class PoolLayer final : public Layer {
 public:
  // before: the node whose value is pooled, or null for the model's input.
  PoolLayer(const Node& node, const Value& input, const Node* before)
      : Layer(node.name, input, node.outputs[0]),
        pool_(std::get<PoolAttributes>(node.operation).pooling, static_cast<std::size_t>(input.size()),
              input.format.zero_point, before == nullptr ? 0 : static_cast<std::size_t>(forward_features(*before))) {}
  std::vector<StatePart> state_parts() const override { return pool_.state_parts(); }
  std::size_t state_bytes() const override {
    std::size_t bytes = 0;
    for (const StatePart& part : pool_.state_parts())
      bytes = std::max(bytes, part.offset + align_up(part.count * type_bytes(part.type)));
    return bytes;
  }
  void reset(std::byte* state) const noexcept override { pool_.reset(state); }
  void step(const std::byte* in, std::byte* out, std::byte* state, WorkingMemory, Observer*) const noexcept override {
    pool_.step(typed<T>(in), typed<T>(out), state);
  }

 private:
  Pool<T> pool_;
};

class SoftmaxFloatLayer final : public Layer {
 public:
  SoftmaxFloatLayer(const Node& node, const Value& input) : Layer(node.name, input, node.outputs[0]) {}
  void step(const std::byte* in, std::byte* out, std::byte*, WorkingMemory, Observer*) const noexcept override {
    const std::span x(typed<float>(in), static_cast<std::size_t>(input().size()));
    auto* y = typed<float>(out);
    const float largest = *std::ranges::max_element(x);
    float sum = 0;
    for (std::size_t j = 0; j < x.size(); ++j) sum += y[j] = std::exp(x[j] - largest);
    for (std::size_t j = 0; j < x.size(); ++j) y[j] /= sum;
  }
};

class SoftmaxIntLayer final : public Layer {
 public:
  SoftmaxIntLayer(const Node& node, const Value& input)
      : Layer(node.name, input, node.outputs[0]), rule_(SoftmaxRule::from_scale(input.format.scale)) {}
  void step(const std::byte* in, std::byte* out, std::byte*, WorkingMemory, Observer*) const noexcept override {
    softmax_i16(typed<std::int16_t>(in), static_cast<std::size_t>(input().size()), rule_, typed<std::int16_t>(out));
  }

 private:
  SoftmaxRule rule_;
};

template <typename T>
class ArgmaxLayer final : public Layer {
 public:
  ArgmaxLayer(const Node& node, const Value& input) : Layer(node.name, input, node.outputs[0]) {}
  void step(const std::byte* in, std::byte* out, std::byte*, WorkingMemory, Observer*) const noexcept override {
    const auto* x = typed<T>(in);
    *typed<std::int32_t>(out) = static_cast<std::int32_t>(std::max_element(x, x + input().size()) - x);
  }
};

// ---- conversions between formats -------------------------------------------------------------------------------

double real_at(const std::byte* bytes, std::size_t index, const Format& format) {
  switch (format.kind) {
    case NumberType::kF32: return static_cast<double>(typed<float>(bytes)[index]);
    case NumberType::kI8:
      return static_cast<double>(format.scale) * (typed<std::int8_t>(bytes)[index] - format.zero_point);
    case NumberType::kI16:
      return static_cast<double>(format.scale) * (typed<std::int16_t>(bytes)[index] - format.zero_point);
    case NumberType::kI32: return static_cast<double>(typed<std::int32_t>(bytes)[index]);
    default: break;  // no value is another
  }
  return 0;
}

// The edge of a float island: the only float arithmetic an integer model can hold, and only when the user allowed it.
class IslandBorderLayer final : public Layer {
 public:
  using Layer::Layer;
  void step(const std::byte* in, std::byte* out, std::byte*, WorkingMemory, Observer*) const noexcept override {
    const Format& to = output().format;
    for (std::size_t j = 0; j < static_cast<std::size_t>(input().size()); ++j) {
      const Channels &from = input_channels(), &into = output_channels();
      const double found = from.offset_of(j) + from.scale_of(j) * real_at(in, j, input().format);
      // A float island can overflow; codes hold no such number.
      const double real = ((std::isnan(found) ? 0.0 : found) - into.offset_of(j)) / into.scale_of(j);
      const auto code = [&](std::int32_t low, std::int32_t high) {
        return quantize(real, static_cast<double>(to.scale), to.zero_point, low, high);
      };
      switch (to.kind) {
        case NumberType::kF32: typed<float>(out)[j] = static_cast<float>(real); break;
        case NumberType::kI8: typed<std::int8_t>(out)[j] = static_cast<std::int8_t>(code(-128, 127)); break;
        case NumberType::kI16: typed<std::int16_t>(out)[j] = static_cast<std::int16_t>(code(-32768, 32767)); break;
        default: break;  // make_conversion() refuses the others
      }
    }
  }
};

// Codes to codes of another scale: code' = sat(m.apply(code - zero_point) + zero_point').
template <typename From, typename To>
class RescaleLayer final : public Layer {
 public:
  RescaleLayer(Value from, Value to)
      : Layer("", from, to),
        multiplier_(Multiplier::from_real(static_cast<double>(from.format.scale / to.format.scale))) {}
  void step(const std::byte* in, std::byte* out, std::byte*, WorkingMemory, Observer*) const noexcept override {
    for (std::int64_t j = 0; j < input().size(); ++j) {
      const std::int32_t offset = typed<From>(in)[j] - input().format.zero_point;
      typed<To>(out)[j] = saturate<To>(std::int64_t{multiplier_.apply(offset)} + output().format.zero_point);
    }
  }

 private:
  Multiplier multiplier_;
};

template <typename... Functions>
struct Overloaded : Functions... {
  using Functions::operator()...;
};
template <typename... Functions>
Overloaded(Functions...) -> Overloaded<Functions...>;

template <template <typename> typename LayerOf, typename... Arguments>
std::unique_ptr<Layer> make_typed(const Node& node, const Value& input, const Arguments&... arguments) {
  switch (input.format.kind) {
    case NumberType::kF32: return std::make_unique<LayerOf<float>>(node, input, arguments...);
    case NumberType::kI8: return std::make_unique<LayerOf<std::int8_t>>(node, input, arguments...);
    case NumberType::kI16: return std::make_unique<LayerOf<std::int16_t>>(node, input, arguments...);
    default: break;
  }
  throw_bad_input(concat("node '", node.name, "' reads i32 codes, expected f32, i8 or i16"));
}

}  // namespace

std::unique_ptr<Layer> make_layer(const Model& model, const Node& node, Isa isa) {
  Value input = model.value(node.inputs[0]);
  input.format = input_format(model, node);
  const bool integer = node.scheme != "f32";
  return std::visit(
      Overloaded{
          [&](const LstmAttributes& attributes) {
            return integer ? make_recurrent<LstmInt>(node, input, attributes.direction,
                                                     [&](const std::string& suffix) {
                                                       return LstmInt(lstm_int_params(model, node, suffix), isa);
                                                     })
                           : make_recurrent<LstmRef>(node, input, attributes.direction, [&](const std::string& suffix) {
                               return LstmRef(lstm_float_params(model, node, suffix));
                             });
          },
          [&](const GruAttributes& attributes) {
            return integer ? make_recurrent<GruInt>(node, input, attributes.direction,
                                                    [&](const std::string& suffix) {
                                                      return GruInt(gru_int_params(model, node, suffix), isa);
                                                    })
                           : make_recurrent<GruRef>(node, input, attributes.direction, [&](const std::string& suffix) {
                               return GruRef(gru_float_params(model, node, suffix));
                             });
          },
          [&](const RnnAttributes& attributes) {
            return integer ? make_recurrent<RnnInt>(node, input, attributes.direction,
                                                    [&](const std::string& suffix) {
                                                      return RnnInt(rnn_int_params(model, node, suffix), isa);
                                                    })
                           : make_recurrent<RnnRef>(node, input, attributes.direction, [&](const std::string& suffix) {
                               return RnnRef(rnn_float_params(model, node, suffix));
                             });
          },
          [&](const DenseAttributes&) -> std::unique_ptr<Layer> {
            if (!integer) {
              return std::make_unique<DenseFloatLayer>(
                  node, input,
                  DenseRef(model.tensor(node.name + ".W").matrix<float>(), model.tensor(node.name + ".b").as<float>()));
            }
            DenseInt dense(dense_int_params(model, node), isa);
            if (node.outputs[0].format.kind == NumberType::kI16)
              return std::make_unique<DenseIntLayer<std::int16_t>>(node, input, std::move(dense));
            return std::make_unique<DenseIntLayer<std::int8_t>>(node, input, std::move(dense));
          },
          [&](const EmbeddingAttributes&) -> std::unique_ptr<Layer> {
            return std::make_unique<EmbeddingLayer>(node, input, model.tensor(node.name + ".W"));
          },
          [&](const ActivationAttributes&) -> std::unique_ptr<Layer> {
            if (!integer) return std::make_unique<ActivationFloatLayer>(node, input);
            return std::make_unique<ActivationIntLayer>(node, input, model.tensor(node.name + ".table"));
          },
          [&](const PoolAttributes&) {
            const bool reads_input = node.inputs[0] == "input";
            return make_typed<PoolLayer>(node, input, reads_input ? nullptr : &model.node(node.inputs[0]));
          },
          [&](const SoftmaxAttributes&) -> std::unique_ptr<Layer> {
            if (!integer) return std::make_unique<SoftmaxFloatLayer>(node, input);
            return std::make_unique<SoftmaxIntLayer>(node, input);
          },
          [&](const ArgmaxAttributes&) { return make_typed<ArgmaxLayer>(node, input); },
      },
      node.operation);
}

std::unique_ptr<Layer> make_conversion(const Value& from, const Format& to) {
  Value result = from;
  result.format = to;
  if (is_float(from.format) != is_float(to)) return std::make_unique<IslandBorderLayer>("", from, result);
  const bool from_i8 = from.format.kind == NumberType::kI8, from_i16 = from.format.kind == NumberType::kI16;
  const bool to_i8 = to.kind == NumberType::kI8, to_i16 = to.kind == NumberType::kI16;
  if (from_i8 && to_i8) return std::make_unique<RescaleLayer<std::int8_t, std::int8_t>>(from, result);
  if (from_i8 && to_i16) return std::make_unique<RescaleLayer<std::int8_t, std::int16_t>>(from, result);
  if (from_i16 && to_i8) return std::make_unique<RescaleLayer<std::int16_t, std::int8_t>>(from, result);
  if (from_i16 && to_i16) return std::make_unique<RescaleLayer<std::int16_t, std::int16_t>>(from, result);
  throw_bad_input(concat("no conversion from ", type_name(from.format.kind), " to ", type_name(to.kind),
                         " between two nodes; only f32, i8 and i16 can be converted"));
}

}  // namespace quaver
