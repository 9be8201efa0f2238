#include "training.h"

#include <dlfcn.h>
#include <string_view>

#include "quaver/core/error.h"
#include "quaver/core/text.h"
#include "quaver/core/version.h"

namespace quaver {
namespace {

#ifdef QUAVER_HAVE_TORCH
constexpr bool kBuiltWithTraining = true;
#else
constexpr bool kBuiltWithTraining = false;
#endif

constexpr const char* kHowToGetIt =
    "'make build' installs libtorch-dev and libopenblas0-pthread and builds the program with them";

// Stays loaded to the end of the program: what it made may point into it.
const TrainingModule& load_module() {
  void* library = dlopen(kTrainingModuleName, RTLD_NOW | RTLD_LOCAL);
  const void* symbol = library == nullptr ? nullptr : dlsym(library, kTrainingModuleSymbol);
  if (symbol == nullptr)
    throw_failed(concat("training needs libtorch, which could not be loaded: ", dlerror(), "; ", kHowToGetIt));
  const auto& module = *static_cast<const TrainingModule*>(symbol);
  if (std::string_view(module.version) != version())
    throw_failed(concat(kTrainingModuleName, " is of quaver ", module.version, ", this program is quaver ", version(),
                        "; install both from one build"));
  return module;
}

}  // namespace

const RecurrentTrainer& require_training() {
  if (!kBuiltWithTraining)
    throw_failed(concat("this program was built without libtorch, which training needs; ", kHowToGetIt));
  static const TrainingModule& module = load_module();
  return module.trainer;
}

}  // namespace quaver
