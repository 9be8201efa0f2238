#include "quaver/cells/gru/ref.h"

#include <algorithm>
#include <cmath>

namespace quaver {

struct GruRef::Buffers {
  float* a;      // [3n] input half
  float* u;      // [3n] recurrent half
  float* reset;  // [n] r .* h
  std::size_t used;
};

GruRef::Buffers GruRef::lay_out(std::byte* scratch) const noexcept {
  Scratch pieces(scratch);
  Buffers buffers{};
  buffers.a = pieces.take<float>(3 * shape_.n);
  buffers.u = pieces.take<float>(3 * shape_.n);
  buffers.reset = pieces.take<float>(shape_.n);
  buffers.used = pieces.used();
  return buffers;
}

GruRef::GruRef(const GruFloatParams& params)
    : shape_(params.shape),
      W_(params.W),
      R_zr_(MatrixView<const float>(params.R.data(), 2 * shape_.n, shape_.n)),
      R_h_(MatrixView<const float>(params.R.data() + 2 * shape_.n * shape_.n, shape_.n, shape_.n)),
      b_(params.b.begin(), params.b.end()),
      b_recurrent_(params.b_recurrent.begin(), params.b_recurrent.end()) {}

std::vector<StatePart> GruRef::state_parts() const {
  return {{.name = "h", .type = NumberType::kF32, .count = shape_.n}};
}

std::size_t GruRef::scratch_bytes() const { return lay_out(nullptr).used; }

void GruRef::reset(std::byte* state) const noexcept { std::fill_n(reinterpret_cast<float*>(state), shape_.n, 0.0f); }

const float* GruRef::step(const float* x, std::byte* state, std::byte* scratch, Observer* observer) const noexcept {
  const std::size_t n = shape_.n;
  auto* h = reinterpret_cast<float*>(state);
  const Buffers buffers = lay_out(scratch);
  float *z = buffers.a, *r = buffers.a + n, *candidate = buffers.a + 2 * n;
  const auto report = [&](std::string_view point, const float* values) {
    if (observer != nullptr) observer->real(point, {values, n});
  };

  std::copy(b_.begin(), b_.end(), buffers.a);
  W_.add_to(x, buffers.a);
  std::copy(b_recurrent_.begin(), b_recurrent_.end(), buffers.u);
  R_zr_.add_to(h, buffers.u);
  for (std::size_t j = 0; j < 2 * n; ++j) buffers.a[j] += buffers.u[j];
  report("pre_z", z);
  report("pre_r", r);
  for (std::size_t j = 0; j < 2 * n; ++j) buffers.a[j] = 1.0f / (1.0f + std::exp(-buffers.a[j]));
  report("act_z", z);
  report("act_r", r);

  float* recurrent = buffers.u + 2 * n;
  if (shape_.linear_before_reset) {
    R_h_.add_to(h, recurrent);
    report("recurrent_h", recurrent);
    for (std::size_t j = 0; j < n; ++j) candidate[j] += r[j] * recurrent[j];
  } else {
    for (std::size_t j = 0; j < n; ++j) buffers.reset[j] = r[j] * h[j];
    report("reset", buffers.reset);
    R_h_.add_to(buffers.reset, recurrent);
    for (std::size_t j = 0; j < n; ++j) candidate[j] += recurrent[j];
  }
  report("pre_h", candidate);
  for (std::size_t j = 0; j < n; ++j) candidate[j] = std::tanh(candidate[j]);
  report("act_h", candidate);
  for (std::size_t j = 0; j < n; ++j) h[j] = candidate[j] + z[j] * (h[j] - candidate[j]);
  report("state", h);
  return h;
}

}  // namespace quaver
