#include "quaver/workflow/train.h"

#include <algorithm>
#include <optional>

#include "quaver/core/error.h"
#include "quaver/core/text.h"
#include "quaver/train/common/checkpoint.h"
#include "quaver/workflow/fields.h"
#include "quaver/workflow/memory/calls.h"
#include "quaver/workflow/own_input.h"
#include "quaver/workflow/sequence/calls.h"

namespace quaver {

std::string flag_of_option(std::string_view name) {
  if (name == "linear_before_reset") return "--reset";  // "after" or "before"
  std::string flag = "--" + std::string(name);
  std::ranges::replace(flag, '_', '-');
  return flag;
}

void require_no_checkpoint(const std::filesystem::path& path) {
  if (!std::filesystem::exists(path)) return;
  const std::optional<std::size_t> epochs = checkpoint_epochs(path);
  if (!epochs)
    throw_usage(concat(path.string(),
                       ": there is a file of this name, which is no checkpoint of a training and would be replaced by "
                       "one; remove it, or name another with --checkpoint"));
  throw_usage(concat(path.string(), ": this is the checkpoint of a training after ", *epochs,
                     *epochs == 1 ? " epoch" : " epochs",
                     ", which would be lost: go on from it with --resume, or remove it to start anew"));
}

TrainReport train(const TrainRequest& request, Listener& listener) {
  if (!names_own_data(request.task)) require_known_task(request.task);
  require_useful(request.data, request.task);
  require_model_name(request.out);
  return is_story_task(request.task) ? train_memory_networks(request, listener)
                                     : train_recurrent_network(request, listener);
}

}  // namespace quaver
