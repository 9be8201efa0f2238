#include <cstdio>

#include "quaver/quaver.h"

int main() {
  try {
    quaver::load("no-such-model.safetensors");
  } catch (const quaver::Error& error) {
    std::printf("%s\n", error.what());
    return error.exit_code() == 3 ? 0 : 1;
  }
  return 1;
}
