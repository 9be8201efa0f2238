#include "quaver/bench/presets.h"

#include <algorithm>

#include "quaver/core/text.h"

namespace quaver {
namespace {

using Shapes = std::vector<BenchShape>;

constexpr std::size_t kSequenceSteps = 200;  // of the presets whose source names no length

struct Preset {
  std::string name;
  Shapes (*shapes)();
};

// Each shape as a stream (one step a call) and as a sequence.
Shapes streamed_and_whole(const Shapes& layers, std::size_t steps = kSequenceSteps) {
  Shapes shapes;
  for (BenchShape shape : layers) {
    for (const std::size_t count : {std::size_t{1}, steps}) {
      shape.steps = count;
      shapes.push_back(shape);
    }
  }
  return shapes;
}

BenchShape lstm(std::size_t input, std::size_t hidden) { return {.input = input, .hidden = hidden}; }
BenchShape gru(std::size_t input, std::size_t hidden, const std::string& reset = "after") {
  return {.cell = "gru", .reset = reset, .input = input, .hidden = hidden};
}

Shapes grid() {
  Shapes layers;
  for (const std::size_t hidden : {64u, 128u, 256u, 512u, 1024u, 2048u}) {
    layers.push_back(lstm(hidden, hidden));
    layers.push_back(gru(hidden, hidden));
    layers.push_back(gru(hidden, hidden, "before"));
  }
  return streamed_and_whole(layers);
}

BenchShape rnn(std::size_t input, std::size_t hidden) { return {.cell = "rnn", .input = input, .hidden = hidden}; }

BenchShape deepbench(BenchShape layer, std::size_t batch, std::size_t steps) {
  layer.batch = batch;
  layer.steps = steps;
  return layer;
}

Shapes deepbench_device() {
  return {deepbench(rnn(32, 32), 1, 672), deepbench(rnn(64, 64), 1, 96), deepbench(lstm(256, 256), 1, 150)};
}

Shapes deepbench_server() {
  Shapes shapes;
  for (const std::size_t batch : {1u, 2u, 4u}) {
    for (const std::size_t hidden : {512u, 1024u, 2048u}) shapes.push_back(deepbench(lstm(hidden, hidden), batch, 25));
    shapes.push_back(deepbench(lstm(1536, 1536), batch, 50));
    shapes.push_back(deepbench(lstm(256, 256), batch, 150));
    for (const std::size_t hidden : {1536u, 2048u, 2560u, 2816u})
      shapes.push_back(deepbench(gru(hidden, hidden), batch, 187));
    shapes.push_back(deepbench(gru(512, 512), batch, 1));
    shapes.push_back(deepbench(gru(1024, 1024), batch, 1500));
  }
  return shapes;
}

Shapes rnnt() { return streamed_and_whole({lstm(240, 1024), lstm(1024, 1024), lstm(2048, 1024), lstm(320, 320)}); }
Shapes dtln() { return {lstm(257, 128), lstm(256, 128), lstm(128, 128)}; }
Shapes silero() { return {lstm(128, 128)}; }
Shapes kws() {
  return streamed_and_whole({lstm(10, 118), lstm(10, 214), lstm(10, 344), gru(10, 154), gru(10, 250), gru(10, 400)},
                            49);
}

const std::vector<Preset>& presets() {
  static const std::vector<Preset> all{{"grid", grid},
                                       {"deepbench-device", deepbench_device},
                                       {"deepbench-server", deepbench_server},
                                       {"rnnt", rnnt},
                                       {"dtln", dtln},
                                       {"silero", silero},
                                       {"kws", kws}};
  return all;
}

}  // namespace

std::vector<std::string> preset_names() {
  std::vector<std::string> names;
  for (const Preset& preset : presets()) names.push_back(preset.name);
  return names;
}

std::vector<BenchShape> preset_shapes(const std::string& name) {
  require_known("preset", name, preset_names());
  return std::ranges::find(presets(), name, &Preset::name)->shapes();
}

}  // namespace quaver
