#include "support/lstm_golden.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <string_view>

#include "support/goldens.h"

namespace quaver::testing_support {
namespace {

using Json = nlohmann::json;

std::size_t size_of(const Json& meta, const char* key) {
  const auto value = meta.at(key).get<std::int64_t>();
  if (value < 1 || value > 65536) throw_bad_input(concat("meta: ", key, " is ", value, ", expected 1..65536"));
  return static_cast<std::size_t>(value);
}

float scale_of(const Json& meta, const char* key) {
  const auto value = meta.at(key).get<float>();
  if (!std::isfinite(value) || value <= 0) throw_bad_input(concat("meta: ", key, " is ", value, ", expected > 0"));
  return value;
}

float clip_of(const Json& meta, const char* key) {
  const auto value = meta.at(key).get<float>();
  if (!std::isfinite(value) || value < 0) throw_bad_input(concat("meta: ", key, " is ", value, ", expected >= 0"));
  return value;
}

std::int32_t zero_point_of(const Json& meta, const char* key) {
  const auto value = meta.at(key).get<std::int32_t>();
  if (value < -128 || value > 127) throw_bad_input(concat("meta: ", key, " is ", value, ", expected an int8 code"));
  return value;
}

std::int64_t extent(std::size_t n) { return static_cast<std::int64_t>(n); }

// [batch, steps, n] as [steps, batch, n].
std::vector<std::int8_t> time_first(const std::vector<std::int8_t>& values, std::size_t batch, std::size_t steps,
                                    std::size_t n) {
  std::vector<std::int8_t> turned(values.size());
  for (std::size_t b = 0; b < batch; ++b)
    for (std::size_t t = 0; t < steps; ++t)
      for (std::size_t j = 0; j < n; ++j) turned[(t * batch + b) * n + j] = values[(b * steps + t) * n + j];
  return turned;
}

}  // namespace

std::size_t LstmGolden::output_bytes() const {
  std::size_t bytes = 0;
  for (const Run& run : runs) bytes += run.y.size() + run.h.size() + run.c.size() * sizeof(std::int16_t);
  return bytes;
}

LstmGolden LstmGolden::load(const std::filesystem::path& file) { return from(read_npz(file)); }

LstmGolden LstmGolden::from(const Npz& arrays) {
  const NpzArray& text = npz_array(arrays, "meta");
  if (text.type != NumberType::kU8) throw_bad_input("array 'meta' is not uint8 text");
  Json meta;
  LstmGolden golden;
  try {
    meta = Json::parse(std::string_view(reinterpret_cast<const char*>(text.bytes.data()), text.bytes.size()));
    golden.cifg = meta.at("cifg").get<bool>();
    golden.peephole = meta.at("peephole").get<bool>();
    golden.layer_norm = meta.at("layer_norm").get<bool>();
    golden.projection = meta.at("projection").get<bool>();
    golden.time_major = meta.at("time_major").get<bool>();
    golden.peephole_stride_differs = meta.value("peephole_stride_differs", false);
    golden.n_in = size_of(meta, "n_in");
    golden.n_cell = size_of(meta, "n_cell");
    golden.n_out = size_of(meta, "n_out");
    golden.batch = size_of(meta, "batch");
    golden.cell_clip = clip_of(meta, "cell_clip");
    golden.projection_clip = clip_of(meta, "proj_clip");
    golden.s_x = scale_of(meta, "s_x");
    golden.s_h = scale_of(meta, "s_h");
    golden.s_m = scale_of(meta, "s_m");
    golden.s_c = scale_of(meta, "s_c");
    golden.z_x = zero_point_of(meta, "z_x");
    golden.z_h = zero_point_of(meta, "z_h");
    golden.z_m = zero_point_of(meta, "z_m");
    if (golden.projection) golden.s_projection = scale_of(meta, "s_proj");
    for (const char* name : {"input", "forget", "cell", "output"}) {
      if (golden.cifg && name == std::string_view("input")) continue;
      const Json& scales = meta.at("gates").at(name);
      Gate& gate = golden.gates[name];
      gate.s_W = scale_of(scales, "s_W");
      gate.s_R = scale_of(scales, "s_R");
      gate.s_gate = scale_of(scales, "s_gate");
      if (golden.peephole && name != std::string_view("cell")) gate.s_P = scale_of(scales, "s_P");
      if (golden.layer_norm) gate.s_L = scale_of(scales, "s_L");
    }
  } catch (const Json::exception& error) {
    throw_bad_input(concat("meta: ", error.what()));
  }
  int exponent = 0;
  if (std::frexp(golden.s_c, &exponent) != 0.5f || exponent < -14 || exponent > -8)
    throw_bad_input(concat("meta: s_c is ", golden.s_c, ", expected 2^-15 .. 2^-9"));
  if (!golden.projection && golden.n_out != golden.n_cell)
    throw_bad_input(concat("meta: n_out is ", golden.n_out, " without projection, expected n_cell = ", golden.n_cell));

  const std::int64_t n_in = extent(golden.n_in), n_cell = extent(golden.n_cell), n_out = extent(golden.n_out);
  const std::int64_t batch = extent(golden.batch);
  for (auto& [name, gate] : golden.gates) {
    gate.W = golden_array<std::int8_t>(arrays, "W_" + name, {n_cell, n_in});
    gate.R = golden_array<std::int8_t>(arrays, "R_" + name, {n_cell, n_out});
    gate.b = golden_array<std::int32_t>(arrays, "b_" + name, {n_cell});
    if (gate.s_P > 0) gate.P = golden_array<std::int16_t>(arrays, "P_" + name, {n_cell});
    if (gate.s_L > 0) gate.L = golden_array<std::int16_t>(arrays, "L_" + name, {n_cell});
  }
  if (golden.projection) {
    golden.W_projection = golden_array<std::int8_t>(arrays, "W_proj", {n_out, n_cell});
    golden.b_projection = golden_array<std::int32_t>(arrays, "b_proj", {n_out});
  }
  for (std::size_t k = 0; k < golden.runs.size(); ++k) {
    Run& run = golden.runs[k];
    const std::string number = std::to_string(k + 1);
    const auto& x_shape = npz_array(arrays, "x" + number).shape;
    if (x_shape.size() != 3)
      throw_bad_input(concat("array 'x", number, "' is ", shape_text(x_shape), ", expected 3-D"));
    const std::int64_t steps = x_shape[golden.time_major ? 0 : 1];
    run.steps = static_cast<std::size_t>(steps);
    const auto sequence = [&](const std::string& name, std::int64_t n) {
      if (golden.time_major) return golden_array<std::int8_t>(arrays, name, {steps, batch, n});
      return time_first(golden_array<std::int8_t>(arrays, name, {batch, steps, n}), golden.batch, run.steps,
                        static_cast<std::size_t>(n));
    };
    run.x = sequence("x" + number, n_in);
    run.y = sequence("y" + number, n_out);
    run.h = golden_array<std::int8_t>(arrays, "h" + number, {batch, n_out});
    run.c = golden_array<std::int16_t>(arrays, "c" + number, {batch, n_cell});
  }
  return golden;
}

}  // namespace quaver::testing_support
