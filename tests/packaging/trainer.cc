#include <cstdio>

#include "quaver/core/error.h"
#include "quaver/train/recurrent/train.h"

int main() {
  try {
    quaver::check_train_options({.cell = "none"});
  } catch (const quaver::Error& error) {
    std::printf("%s\n", error.what());
    return error.exit_code() == 2 ? 0 : 1;
  }
  return 1;
}
