// footprint.cc - what a program pays that does nothing but run a model: time until it is ready, memory at its peak.
//
//   footprint MODEL.safetensors [STEPS]
#include <sys/resource.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>

#include "quaver/quaver.h"

// A line of what Linux says of this process, in KiB: VmRSS is what it holds now, VmHWM the most that it held.
static long memory_kib(const std::string& key) {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    long kib = 0;
    if (word == key + ":" && status >> kib) return kib;
  }
  return 0;
}

int main(int argc, char** argv) {
  if (argc != 2 && argc != 3) {
    std::fprintf(stderr, "usage: footprint MODEL.safetensors [STEPS]\n");
    return 2;
  }
  const long steps = argc == 3 ? std::strtol(argv[2], nullptr, 10) : 1000;
  try {
    const long before_peak = memory_kib("VmHWM"), before_now = memory_kib("VmRSS"), before_file = memory_kib("RssFile");
    const auto start = std::chrono::steady_clock::now();
    quaver::Session session(quaver::load(argv[1]));
    quaver::State state = session.initial_state();
    const std::chrono::duration<double, std::milli> loading = std::chrono::steady_clock::now() - start;
    // The model is gone, the session has what it needs of it.
    const long peak = memory_kib("VmHWM") - before_peak, now = memory_kib("VmRSS") - before_now;
    const long program = memory_kib("RssFile") - before_file;  // pages of the program's own code that loading has run

    std::vector<float> frame(session.input_features(), 0.25f), scores(session.score_count());
    for (long t = 0; t < steps; ++t) session.step(frame, state, scores);

    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    std::printf("ready_ms %.3f\npeak_kib %ld\n", loading.count(), usage.ru_maxrss);
    std::printf("weights_kib %zu\nloading_peak_kib %ld\nloaded_kib %ld\nprogram_kib %ld\n",
                session.weight_bytes() / 1024, peak, now, program);
    return 0;
  } catch (const quaver::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return error.exit_code();
  }
}
