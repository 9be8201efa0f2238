// raw_fields.h - the fields of a run that only raw input has. Internal to this floor.
#pragma once

#include <string>

#include "quaver/workflow/fields.h"
#include "quaver/workflow/run.h"

namespace quaver {

// RefusedField for the first that was set.
inline void refuse_raw_fields(const RunRequest& request, const std::string& here) {
  refuse({{"--generate", request.generate.has_value()},
          {"--temperature", request.temperature.has_value()},
          {"--seed", request.seed.has_value()}},
         "models of running text", here);
  refuse({{"--every", request.every.has_value()}}, "samples that stream (--input -)", here);
  refuse({{"--split", request.split.has_value()}}, "KIND:PATH", here);
  refuse({{"--skip-broken", request.data.own.skip_broken}}, "folders of recordings, wav:, csv: and text:PATH", here);
}

}  // namespace quaver
