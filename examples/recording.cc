// recording.cc - names the class of a recording with a model that 'quaver train wav:FOLDER' made: the model says how it
// hears, and its steps run one frame at a time.
//
//   recording MODEL.safetensors RECORDING.wav
#include <algorithm>
#include <cstdio>

#include "quaver/quaver.h"
#include "quaver/workflow/own_input.h"

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: recording MODEL.safetensors RECORDING.wav\n");
    return 2;
  }
  try {
    const quaver::Model model = quaver::load(argv[1]);
    const std::optional<quaver::Pipeline> pipeline = quaver::pipeline_of(model, argv[1]);
    if (!pipeline) {
      std::fprintf(stderr, "%s was not trained on recordings\n", argv[1]);
      return 1;
    }
    const quaver::Sequence frames = quaver::read_recording(*pipeline, argv[2]);
    quaver::Session session(model, {.threads = 1});
    quaver::State state = session.initial_state();
    std::vector<float> scores(session.score_count());
    for (std::size_t t = 0; t < frames.steps; ++t) {
      const auto frame = std::span(frames.values).subspan(t * frames.features, frames.features);
      if (!session.step(frame, state, scores)) {  // noexcept: no allocation, no lock
        std::fprintf(stderr, "the model takes no frames of reals one by one\n");
        return 1;
      }
    }
    const auto best = static_cast<std::size_t>(std::ranges::max_element(scores) - scores.begin());
    std::printf("%s: %s after %zu frames\n", argv[2], pipeline->classes[best].c_str(), frames.steps);
    return 0;
  } catch (const quaver::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return error.exit_code();
  }
}
