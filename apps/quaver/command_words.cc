#include "command_words.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <string_view>
#include <vector>

#include "quaver/core/error.h"
#include "quaver/core/printable.h"
#include "quaver/core/text.h"

namespace quaver {
namespace {

std::vector<std::string> long_flags(const CLI::App& app) {
  std::vector<std::string> flags;
  for (const CLI::Option* option : app.get_options())
    for (const std::string& name : option->get_lnames()) flags.push_back("--" + name);
  return flags;
}

// The shortest flag that begins with what was typed, else the closest by letters.
std::string nearest(const std::string& flag, const std::vector<std::string>& known) {
  std::string longer;
  for (const std::string& name : known)
    if (name.starts_with(flag) && (longer.empty() || name.size() < longer.size())) longer = name;
  return longer.empty() ? closest(flag, known) : longer;
}

std::string advice(const std::string& near) { return near.empty() ? "" : concat(": did you mean '", near, "'?"); }

// Reads the words of one verb as CLI11 will, without their values.
class Words {
 public:
  Words(const CLI::App& verb, const std::string& name) : verb_(verb), name_(name) {
    for (const CLI::Option* option : verb.get_options())
      if (option->get_positional()) arguments_.push_back(option->get_name(true));
  }

  void read(int argc, const char* const* argv) {
    bool flags_end = false;
    for (int i = 0; i < argc; ++i) {
      const std::string word = argv[i];
      if (!flags_end && word == "--") {
        flags_end = true;
      } else if (!flags_end && looks_like_a_flag(word)) {
        const CLI::Option& flag = flag_of(word);
        const bool has_value = word[1] == '-' ? word.find('=') != std::string::npos : word.size() > 2;
        if (word.ends_with('=')) throw_usage(concat(printable(word), ": there is no value behind the '='"));
        if (has_value)
          check_value(flag, word.substr(word[1] == '-' ? word.find('=') + 1 : 2));
        else if (flag.get_items_expected_min() > 0 && i + 1 < argc)
          check_value(flag, argv[i + 1]);
        if (!has_value) i += flag.get_items_expected_min();
        if (flag.get_allow_extra_args())
          while (i + 1 < argc && !looks_like_a_flag(argv[i + 1])) ++i;
      } else if (++found_ > arguments_.size()) {
        throw_usage(concat("unexpected argument '", printable(word), "': quaver ", name_, " takes ",
                           arguments_.empty() ? "flags alone" : join(arguments_, " and ")));
      }
    }
  }

 private:
  static bool looks_like_a_flag(const std::string& word) {
    return word.size() > 1 && word[0] == '-' && (word[1] < '0' || word[1] > '9');
  }
  const CLI::Option& flag_of(const std::string& word) const {
    const bool is_long = word[1] == '-';
    const std::string flag = is_long ? word.substr(0, word.find('=')) : word.substr(0, 2);
    const CLI::Option* option = verb_.get_option_no_throw(flag);
    // "-output" would be -o with the value "utput".
    const bool misses_a_dash = !is_long && word.size() > 2 && verb_.get_option_no_throw("-" + word) != nullptr;
    if (option == nullptr || misses_a_dash) refuse(is_long ? flag : word);
    return *option;
  }
  // A name that a script left empty would be taken for a flag that was not given. CLI11 would leave out what is empty
  // between two commas, and run less than was asked for.
  static void check_value(const CLI::Option& flag, const std::string& value) {
    if (flag.get_delimiter() == '\0') {
      if (value.empty() && flag.get_type_name().starts_with("TEXT"))
        throw_usage(concat(flag.get_name(), " '': the value is empty"));
      return;
    }
    const char comma = flag.get_delimiter();
    for (std::size_t begin = 0, entry = 1; begin <= value.size(); ++entry) {
      const std::size_t end = std::min(value.find(comma, begin), value.size());
      if (CLI::detail::trim_copy(value.substr(begin, end - begin)).empty())
        throw_usage(concat(flag.get_name(), " '", printable(value), "': entry ", entry,
                           " of the list is empty; expected ", "a value, or several with one comma between them"));
      begin = end + 1;
    }
  }
  [[noreturn]] void refuse(const std::string& flag) const {
    const std::string dashes = flag.starts_with("--") ? "" : "-";
    throw_usage(concat("unknown flag '", printable(flag), "' of quaver ", name_,
                       advice(nearest(dashes + flag, long_flags(verb_)))));
  }

  const CLI::App& verb_;
  const std::string& name_;
  std::vector<std::string> arguments_;
  std::size_t found_ = 0;
};

}  // namespace

void require_known_words(const CLI::App& program, int argc, const char* const* argv) {
  if (argc < 2) return;
  const std::string first = argv[1];
  if (first.starts_with("-")) {
    if (program.get_option_no_throw(first) == nullptr)
      throw_usage(concat("unknown flag '", printable(first), "' before a verb",
                         advice(nearest(first, long_flags(program))), "; flags of a verb follow it"));
    return;
  }
  std::vector<std::string> verbs;
  for (const CLI::App* verb : program.get_subcommands({})) verbs.push_back(verb->get_name());
  require_known("verb", first, verbs);
  Words(*program.get_subcommand(first), first).read(argc - 2, argv + 2);
}

std::string refusal_text(const CLI::App& program, const RefusedField& refused) {
  return program.get_subcommands().front()->get_option(refused.flag())->get_name(false, true) + refused.reason();
}

}  // namespace quaver
