#include "quaver/workflow/train.h"

#include <algorithm>

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

TrainReport train(const TrainRequest& request, Listener& listener) {
  if (!names_own_data(request.task)) require_known_task(request.task);
  require_useful(request.data, request.task);
  require_model_name(request.out);
  return is_story_task(request.task) ? train_memory_networks(request, listener)
                                     : train_recurrent_network(request, listener);
}

}  // namespace quaver
