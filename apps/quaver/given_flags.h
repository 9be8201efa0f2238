// given_flags.h - what was typed: words that no verb knows, and flags that the work at hand has no use for.
#pragma once

#include <initializer_list>
#include <string>
#include <vector>

#include "quaver/workflow/fields.h"

namespace CLI {
class App;
}

namespace quaver {

// Error (usage) for the first word that is no verb, no flag of its verb, one argument too many or a list with an empty
// entry, in the order they were typed, with the closest flag: before anything else about the command line is judged.
void require_known_words(const CLI::App& program, int argc, const char* const* argv);

// What to say of a field that the verb's call refused: its flag as --help has it, with its short form.
std::string refusal_text(const CLI::App& program, const RefusedField& refused);

// The flags of a verb that were typed.
class GivenFlags {
 public:
  explicit GivenFlags(const CLI::App& verb) : verb_(verb) {}
  bool has(const std::string& flag) const;  // false as well for a flag that the verb does not have
  // Error (usage) "FLAG belongs to WHAT; HERE", naming the first of `flags` that was given.
  void refuse(std::initializer_list<const char*> flags, const std::string& belongs_to, const std::string& here) const;
  // The same of every flag that --help lists in this group.
  void refuse_group(const std::string& group, const std::string& belongs_to, const std::string& here) const;
  // The same of flags of attributes that none of these recurrent operations has: "belongs to cell lstm".
  void refuse_attributes_beyond(const std::vector<std::string>& cells, const std::string& here) const;

 private:
  const CLI::App& verb_;
};

}  // namespace quaver
