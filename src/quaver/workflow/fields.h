// fields.h - fields of a request that were set and mean nothing to the work at hand: they are refused, not passed over.
//
// Messages call a field by its flag of the command line, "--save-state" for `save_state`, on this floor as below.
#pragma once

#include <filesystem>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "quaver/core/error.h"

namespace quaver {

// "FLAG belongs to WHAT; HERE". A door whose flag has other names too can say them instead: FLAGS + reason().
class RefusedField : public Error {
 public:
  RefusedField(std::string flag, std::string reason);
  const std::string& flag() const { return flag_; }
  const std::string& reason() const { return reason_; }

 private:
  std::string flag_, reason_;
};

struct Field {
  const char* flag;
  bool set;
};
// RefusedField for the first that was set.
void refuse(std::initializer_list<Field> fields, const std::string& belongs_to, const std::string& here);

// RefusedField where it was set and is of an attribute of recurrent operations that none of these cells has: "belongs
// to cell lstm". attribute: "projection_size".
void refuse_attribute(const Field& field, std::string_view attribute, const std::vector<std::string>& cells,
                      const std::string& here);

// Error (usage) unless the file that --output names ends in .safetensors.
void require_model_name(const std::filesystem::path& path);

}  // namespace quaver
