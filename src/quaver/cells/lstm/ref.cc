#include "quaver/cells/lstm/ref.h"

#include <algorithm>
#include <cmath>
#include <string>

namespace quaver {
namespace {

float sigmoid(float x) { return 1.0f / (1.0f + std::exp(-x)); }

void layer_norm(const float* weight, const float* shift, std::size_t n, float* a) {
  double sum = 0, squares = 0;
  for (std::size_t j = 0; j < n; ++j) sum += a[j];
  const double mean = sum / static_cast<double>(n);
  for (std::size_t j = 0; j < n; ++j) squares += (a[j] - mean) * (a[j] - mean);
  const double inverse = 1.0 / std::sqrt(squares / static_cast<double>(n) + kLayerNormEpsilon);
  for (std::size_t j = 0; j < n; ++j) a[j] = static_cast<float>((a[j] - mean) * inverse) * weight[j] + shift[j];
}

void clip(float limit, std::size_t n, float* values) {
  if (limit <= 0) return;
  for (std::size_t j = 0; j < n; ++j) values[j] = std::clamp(values[j], -limit, limit);
}

constexpr std::size_t kNameLength = 16;  // "pre_i" and the like, built without allocation

}  // namespace

struct LstmRef::Buffers {
  float* gates;  // [G n_cell]
  float* input;  // [n_cell] CIFG's input gate
  float* m;      // [n_cell]
  std::size_t used;
};

LstmRef::Buffers LstmRef::lay_out(std::byte* scratch) const noexcept {
  Scratch pieces(scratch);
  Buffers buffers{};
  buffers.gates = pieces.take<float>(shape_.gate_count() * shape_.n_cell);
  buffers.input = pieces.take<float>(shape_.n_cell);
  buffers.m = pieces.take<float>(shape_.n_cell);
  buffers.used = pieces.used();
  return buffers;
}

LstmRef::LstmRef(const LstmFloatParams& params)
    : shape_(params.shape),
      W_(params.W),
      R_(params.R),
      W_projection_(params.W_projection),
      b_(params.b.begin(), params.b.end()),
      P_(params.P.begin(), params.P.end()),
      L_(params.L.begin(), params.L.end()),
      b_projection_(params.b_projection.begin(), params.b_projection.end()),
      cell_clip_(params.cell_clip),
      projection_clip_(params.projection_clip) {}

std::vector<StatePart> LstmRef::state_parts() const {
  return {{.name = "h", .type = NumberType::kF32, .count = shape_.n_out},
          {.name = "c", .type = NumberType::kF32, .count = shape_.n_cell, .offset = align_up(shape_.n_out * 4)}};
}

std::size_t LstmRef::scratch_bytes() const { return lay_out(nullptr).used; }

void LstmRef::reset(std::byte* state) const noexcept {
  std::fill_n(state, align_up(shape_.n_out * 4) + align_up(shape_.n_cell * 4), std::byte{0});
}

const float* LstmRef::step(const float* x, std::byte* state, std::byte* scratch, Observer* observer) const noexcept {
  const std::size_t n = shape_.n_cell;
  auto* h = reinterpret_cast<float*>(state);
  auto* c = reinterpret_cast<float*>(state + align_up(shape_.n_out * 4));
  const Buffers buffers = lay_out(scratch);
  const auto gate = [&](std::size_t g) { return buffers.gates + g * n; };
  const auto report = [&](const char* prefix, std::size_t g, const float* values) {
    if (observer == nullptr) return;
    char name[kNameLength];
    char* end = std::copy_n(prefix, std::char_traits<char>::length(prefix), name);
    *end++ = lstm_gate_letter(shape_, g)[0];
    observer->real({name, static_cast<std::size_t>(end - name)}, {values, n});
  };
  const auto finish = [&](std::size_t g, auto activation) {  // sum -> pre-activation -> gate
    if (shape_.layer_norm) {
      report("gate_", g, gate(g));
      layer_norm(L_.data() + g * n, b_.data() + g * n, n, gate(g));
    }
    report("pre_", g, gate(g));
    for (std::size_t j = 0; j < n; ++j) gate(g)[j] = activation(gate(g)[j]);
    report("act_", g, gate(g));
  };
  const auto peephole = [&](std::size_t g) {
    if (!shape_.peephole) return;
    const float* weight = P_.data() + g * n;
    for (std::size_t j = 0; j < n; ++j) gate(g)[j] += weight[j] * c[j];
  };
  const auto tangent = [](float v) { return std::tanh(v); };

  if (shape_.layer_norm)
    std::fill_n(buffers.gates, shape_.gate_count() * n, 0.0f);
  else
    std::copy(b_.begin(), b_.end(), buffers.gates);
  W_.add_to(x, buffers.gates);
  R_.add_to(h, buffers.gates);

  const std::size_t f = shape_.forget_gate(), z = shape_.cell_gate(), o = shape_.output_gate();
  peephole(f);
  finish(f, sigmoid);
  const float* input = buffers.input;
  if (shape_.cifg) {
    for (std::size_t j = 0; j < n; ++j) buffers.input[j] = 1.0f - gate(f)[j];
  } else {
    const std::size_t i = shape_.input_gate();
    peephole(i);
    finish(i, sigmoid);
    input = gate(i);
  }
  finish(z, tangent);
  for (std::size_t j = 0; j < n; ++j) c[j] = gate(f)[j] * c[j] + input[j] * gate(z)[j];
  clip(cell_clip_, n, c);
  if (observer != nullptr) observer->real("cell", {c, n});
  peephole(o);  // sees the new cell
  finish(o, sigmoid);
  float* m = shape_.projection ? buffers.m : h;
  for (std::size_t j = 0; j < n; ++j) m[j] = gate(o)[j] * std::tanh(c[j]);
  if (shape_.projection) {
    if (observer != nullptr) observer->real("hidden", {m, n});
    std::copy(b_projection_.begin(), b_projection_.end(), h);
    W_projection_.add_to(m, h);
    clip(projection_clip_, shape_.n_out, h);
  }
  return h;
}

}  // namespace quaver
