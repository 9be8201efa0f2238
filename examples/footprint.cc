// footprint.cc - what a program pays that does nothing but run a model: time until it is ready, memory at its peak.
//
//   footprint MODEL.safetensors [STEPS]
#include <sys/resource.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "quaver/quaver.h"

int main(int argc, char** argv) {
  if (argc != 2 && argc != 3) {
    std::fprintf(stderr, "usage: footprint MODEL.safetensors [STEPS]\n");
    return 2;
  }
  const long steps = argc == 3 ? std::strtol(argv[2], nullptr, 10) : 1000;
  try {
    const auto start = std::chrono::steady_clock::now();
    quaver::Session session(quaver::load(argv[1]));
    quaver::State state = session.initial_state();
    const std::chrono::duration<double, std::milli> loading = std::chrono::steady_clock::now() - start;

    std::vector<float> frame(session.input_features(), 0.25f), scores(session.score_count());
    for (long t = 0; t < steps; ++t) session.step(frame, state, scores);

    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    std::printf("ready_ms %.3f\npeak_kib %ld\n", loading.count(), usage.ru_maxrss);
    return 0;
  } catch (const quaver::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return error.exit_code();
  }
}
