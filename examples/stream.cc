// stream.cc - runs a model frame by frame; its state is a value that can be copied, compared and taken back.
//
//   stream MODEL.safetensors
#include <cstdio>

#include "quaver/quaver.h"

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: stream MODEL.safetensors\n");
    return 2;
  }
  try {
    const quaver::Model model = quaver::load(argv[1]);
    quaver::Session session(model, {.threads = 1});
    quaver::State state = session.initial_state();

    std::vector<float> frame(session.input_features()), scores(session.score_count());
    quaver::State checkpoint = state;
    std::vector<float> first_scores;
    for (int pass = 0; pass < 2; ++pass) {  // the second pass starts from the checkpoint and must end in the same bits
      state = checkpoint;
      for (std::size_t t = 0; t < 100; ++t) {
        for (std::size_t j = 0; j < frame.size(); ++j)
          frame[j] = static_cast<float>((t * 7 + j * 3) % 11) / 5.5f - 1.0f;
        if (!session.step(frame, state, scores)) {  // noexcept: no allocation, no lock
          std::fprintf(stderr, "the model takes no frames of reals one by one\n");
          return 1;
        }
      }
      if (pass == 0) first_scores = scores;
    }
    for (std::size_t j = 0; j < scores.size(); ++j)
      std::printf("score %zu after 100 frames: %9.5f\n", j, static_cast<double>(scores[j]));
    return scores == first_scores ? 0 : 1;
  } catch (const quaver::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return error.exit_code();
  }
}
