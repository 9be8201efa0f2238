// recurrent_layer.h - the layer of every cell that has a state: forward, reverse or both. Internal.
#pragma once

#include <algorithm>
#include <array>
#include <cstring>
#include <iterator>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "quaver/engine/sequence/operations/row.h"
#include "quaver/engine/sequence/operations/tensors.h"

namespace quaver {

// Forward, reverse or both halves of a recurrent node; outputs of the halves stand side by side.
template <typename Cell>
class RecurrentLayer final : public Layer {
 public:
  struct Half {
    Cell cell;
    std::string suffix;  // "" or "_reverse"
    std::size_t state_offset = 0;
    std::size_t output_offset = 0, output_bytes = 0;
    std::size_t c_offset = 0, c_bytes = 0;  // of an LSTM's cell state in the layer's
    float cell_scale = 1;                   // of its codes
    Channels channels{};                    // of its output
  };
  RecurrentLayer(const LayerSite& site, std::vector<Half> halves)
      : Layer(site.node.name, site.inputs, site.outputs), halves_(std::move(halves)) {
    for (Half& half : halves_) {
      half.state_offset = state_bytes_;
      for (const StatePart& part : half.cell.state_parts())
        state_bytes_ =
            std::max(state_bytes_, half.state_offset + part.offset + align_up(part.count * type_bytes(part.type)));
      half_run_scratch_bytes_ = std::max(half_run_scratch_bytes_, align_up(run_scratch_bytes(half.cell)));
      half.output_bytes = half.cell.output_size() * type_bytes(this->output().format.kind);
      half.output_offset = &half == &halves_[0] ? 0 : halves_[0].output_bytes;
      const auto cell_format = site.node.formats.find("cell" + half.suffix);
      if (cell_format != site.node.formats.end()) half.cell_scale = cell_format->second.scale;
      for (const StatePart& part : half.cell.state_parts()) {
        if (part.name != "c") continue;
        half.c_offset = half.state_offset + part.offset;
        half.c_bytes = part.count * type_bytes(part.type);
      }
    }
  }

  void set_channels(std::vector<Channels> inputs, Channels output) override {
    std::size_t first = 0;
    for (Half& half : halves_) {
      half.channels = output.part(first, half.cell.output_size());
      first += half.cell.output_size();
    }
    Layer::set_channels(std::move(inputs), std::move(output));
  }
  bool streams() const override { return halves_.size() == 1 && halves_[0].suffix.empty(); }
  std::vector<StatePart> state_parts() const override {
    std::vector<StatePart> parts;
    for (const Half& half : halves_)
      for (StatePart part : half.cell.state_parts()) {
        const bool cell = part.name == "c";
        if (part.type == NumberType::kI8) part.scale = static_cast<double>(output().format.scale);
        if (part.type == NumberType::kI8) part.zero_point = output().format.zero_point;
        if (part.type == NumberType::kI16 && cell) part.scale = static_cast<double>(half.cell_scale);
        part.name += half.suffix;
        part.offset += half.state_offset;
        part.origin = half.state_offset;
        parts.push_back(part);
      }
    return parts;
  }
  std::size_t state_bytes() const override { return state_bytes_; }
  std::size_t scratch_bytes() const override { return halves_[0].cell.scratch_bytes(); }
  std::size_t run_scratch_bytes() const override { return halves_.size() * half_run_scratch_bytes_; }
  PackedWeights weights() const override {
    PackedWeights all;
    if constexpr (requires { &Cell::weights; })
      for (const Half& half : halves_) std::ranges::copy(half.cell.weights(), std::back_inserter(all));
    return all;
  }
  void reset(std::byte* state) const noexcept override {
    for (const Half& half : halves_) half.cell.reset(state + half.state_offset);
  }
  void step(const std::byte* const* in, std::byte* const* out, std::byte* state, WorkingMemory scratch,
            Observer* observer) const noexcept override {
    advance(halves_[0], in[0], out[0], state, scratch, observer);
    if (outputs().size() > 1) repeat_last(halves_[0], out[0], state, out, 0);
  }
  void step_streams(const std::byte* const* in, std::byte* const* out, std::byte* const* states, std::size_t count,
                    WorkingMemory scratch) const noexcept override {
    if constexpr (kGroups) {
      std::array<const typename Cell::Input*, kCellGroup> x{};
      std::array<std::byte*, kCellGroup> to{};
      for (std::size_t s = 0; s < count; ++s) {
        x[s] = typed<typename Cell::Input>(in[0] + s * value_bytes(input()));
        to[s] = out[0] + s * value_bytes(output());
      }
      halves_[0].cell.step_streams(x.data(), states, count, scratch);
      copy_outputs(halves_[0], states, count, to.data());
      for (std::size_t s = 0; s < count && outputs().size() > 1; ++s) repeat_last(halves_[0], to[s], states[s], out, s);
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
          run_half(halves_[i], passage, scratch + i * half_run_scratch_bytes_, nullptr, nullptr);
      });
    } else {
      for (const Half& half : halves_) run_half(half, passage, scratch, observer, team);
    }
    repeat_last(passage);
  }
  // Step by step over all sequences that are not at their end: each step reads the weights once.
  void run_batch(std::span<const Passage> passages, std::byte* scratch) const override {
    if constexpr (kGroups) {
      if (passages.size() > 1) {
        for (const Half& half : halves_) run_half_together(half, passages, scratch, nullptr);
        for (const Passage& passage : passages) repeat_last(passage);
        return;
      }
    }
    Layer::run_batch(passages, scratch);
  }

 private:
  static constexpr bool kGroups = requires { &Cell::step_streams; };  // integer cells with gates

  static std::size_t run_scratch_bytes(const Cell& cell) {
    if constexpr (kGroups) return cell.run_scratch_bytes();
    return cell.scratch_bytes();
  }
  static void copy_outputs(const Half& half, std::byte* const* states, std::size_t count,
                           std::byte* const* out) noexcept {
    for (std::size_t s = 0; s < count; ++s) std::memcpy(out[s], half.cell.output(states[s]), half.output_bytes);
  }

  // h_n and c_n of frame `frame` of the outputs: what a direction gave last, and the cell state behind it.
  void repeat_last(const Half& half, const std::byte* last, const std::byte* state, std::byte* const* out,
                   std::size_t frame) const noexcept {
    std::memcpy(out[1] + frame * value_bytes(outputs()[1]) + half.output_offset, last + half.output_offset,
                half.output_bytes);
    if (outputs().size() == 2) return;
    const std::size_t offset = &half == &halves_[0] ? 0 : halves_[0].c_bytes;
    std::memcpy(out[2] + frame * value_bytes(outputs()[2]) + offset, state + half.c_offset, half.c_bytes);
  }
  void repeat_last(const Passage& passage) const noexcept {
    if (outputs().size() == 1) return;
    for (const Half& half : halves_) {
      const std::size_t last = half.suffix.empty() ? passage.steps - 1 : 0;
      repeat_last(half, passage.out[0] + last * output_stride(), passage.state, passage.out, 0);
    }
  }

  // As many steps of all sequences that run as the cell keeps input halves of: their weights are read once for all.
  void run_half_together(const Half& half, std::span<const Passage> passages, std::byte* scratch,
                         Team* team) const noexcept {
    const std::size_t in_stride = input_stride(), out_stride = output_stride();
    std::array<const typename Cell::Input*, kMostKeptSteps> x{};
    std::array<std::byte*, kMostKeptSteps> out{};
    std::array<std::byte*, kCellGroup> states{};
    std::size_t running = passages.size();
    for (std::size_t done = 0; done < passages[0].steps;) {
      while (passages[running - 1].steps <= done) --running;
      const std::size_t steps = std::min(half.cell.kept_steps() / running, passages[running - 1].steps - done);
      for (std::size_t s = 0; s < running; ++s) {
        const Passage& passage = passages[s];
        states[s] = passage.state + half.state_offset;
        for (std::size_t i = 0; i < steps; ++i) {
          const std::size_t t = half.suffix.empty() ? done + i : passage.steps - 1 - done - i;
          x[i * running + s] = typed<typename Cell::Input>(passage.in[0] + t * in_stride);
          out[i * running + s] = passage.out[0] + t * out_stride + half.output_offset;
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
    const std::size_t in_stride = input_stride(), out_stride = output_stride(), steps = passage.steps;
    const bool reverse = !half.suffix.empty();
    Value part = output();
    part.shape = {static_cast<std::int64_t>(half.cell.output_size())};
    std::byte* const out = passage.out[0] + half.output_offset;
    if constexpr (kGroups) {
      if (observer == nullptr) return run_half_together(half, {&passage, 1}, scratch, team);
    }
    for (std::size_t i = 0; i < steps; ++i) {
      const std::size_t t = reverse ? steps - 1 - i : i;
      const std::byte* in_t = passage.in[0] + t * in_stride;
      std::byte* out_t = out + t * out_stride;
      if (observer != nullptr) {
        observer->at(name(), half.suffix, t);
        report_inputs(*observer, &in_t);
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
  std::size_t state_bytes_ = 0, half_run_scratch_bytes_ = 0;
};

// A recurrent layer along the first axis of each frame [steps, ...]: all of its steps are one of the stream.
class InsideFramesLayer final : public Layer {
 public:
  // inner: as if the rows of a frame were the stream. carry: its state is kept from frame to frame.
  InsideFramesLayer(const LayerSite& site, std::unique_ptr<Layer> inner, bool carry)
      : Layer(site.node.name, site.inputs, site.outputs),
        inner_(std::move(inner)),
        steps_(static_cast<std::size_t>(input().shape[0])),
        carry_(carry) {}

  void set_channels(std::vector<Channels> inputs, Channels output) override {
    inner_->set_channels(inputs, output);
    Layer::set_channels(std::move(inputs), std::move(output));
  }
  std::vector<StatePart> state_parts() const override {
    return carry_ ? inner_->state_parts() : std::vector<StatePart>{};
  }
  std::size_t state_bytes() const override { return carry_ ? inner_->state_bytes() : 0; }
  std::size_t scratch_bytes() const override {
    return align_up(inner_->run_scratch_bytes()) + (carry_ ? 0 : inner_->state_bytes());
  }
  PackedWeights weights() const override { return inner_->weights(); }
  void reset(std::byte* state) const noexcept override {
    if (carry_) inner_->reset(state);
  }
  void step(const std::byte* const* in, std::byte* const* out, std::byte* state, WorkingMemory scratch,
            Observer* observer) const noexcept override {
    std::byte* const kept = carry_ ? state : scratch.bytes + align_up(inner_->run_scratch_bytes());
    if (!carry_) inner_->reset(kept);
    inner_->run({in, out, kept, steps_}, scratch, observer, nullptr);
  }
  // Observers hear of every row of a frame, as of the steps of a stream, from the inner layer alone.
  void run(const Passage& passage, std::byte* scratch, Observer* observer, Team*) const override {
    for (std::size_t t = 0; t < passage.steps; ++t) {
      const std::byte* in = passage.in[0] + t * input_stride();
      std::array<std::byte*, kMostSlots> out{};
      for (std::size_t slot = 0; slot < outputs().size(); ++slot)
        out[slot] = passage.out[slot] + t * output_stride(slot);
      step(&in, out.data(), passage.state, scratch, observer);
    }
  }

 private:
  std::unique_ptr<Layer> inner_;
  std::size_t steps_;
  bool carry_;
};

// make_cell(tensors, suffix): the cell of one direction.
template <typename Cell, typename MakeCell>
std::unique_ptr<Layer> make_recurrent(const LayerSite& site, bool carry, const MakeCell& make_cell) {
  std::vector<typename RecurrentLayer<Cell>::Half> halves;
  for (const std::string& suffix : direction_suffixes(site.node.operation)) {
    NodeTensors tensors(site, suffix);
    halves.push_back({make_cell(tensors, suffix), suffix});
  }
  if (!row_of(site.node.operation).runs_inside_frames(site.node.operation))
    return std::make_unique<RecurrentLayer<Cell>>(site, std::move(halves));
  LayerSite rows = site;
  for (Value* value : {&rows.inputs[0], &rows.outputs[0]}) {
    value->shape = {value->shape.features()};
    value->has_time = true;
  }
  for (std::size_t slot = 1; slot < rows.outputs.size(); ++slot) rows.outputs[slot].has_time = false;
  return std::make_unique<InsideFramesLayer>(site, std::make_unique<RecurrentLayer<Cell>>(rows, std::move(halves)),
                                             carry);
}

}  // namespace quaver
