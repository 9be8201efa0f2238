#include "quaver/quantize/name_pattern.h"

#include "quaver/core/error.h"
#include "quaver/core/printable.h"
#include "quaver/core/text.h"

namespace quaver {

// Recursive descent, one level a bracket: kLongestPattern bounds the depth.
class PatternParser {
 public:
  using Code = NamePattern::Code;
  using Characters = NamePattern::Characters;
  using Kind = NamePattern::Kind;

  explicit PatternParser(const std::string& text) : text_(text) {
    if (text.size() > kLongestPattern)
      throw_usage(concat("pattern '", printable(text, 20), "' has ", text.size(), " characters, expected ",
                         kLongestPattern, " at most"));
  }

  Code parse() {
    Code code = alternatives();
    if (at_ < text_.size()) refuse("has a ')' without its '('");
    return code;
  }

 private:
  static std::ptrdiff_t size_of(const Code& code) { return static_cast<std::ptrdiff_t>(code.size()); }
  static void append(Code& code, const Code& more) { code.insert(code.end(), more.begin(), more.end()); }

  [[noreturn]] void refuse(const std::string& why) const {
    throw_usage(concat("'", printable(text_), "' is no pattern: it ", why,
                       "; it may have characters, . [a-z] (a|b) * + ? ^ $ and \\ before one of these"));
  }
  bool more() const { return at_ < text_.size(); }
  bool take(char c) {
    if (!more() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  // a|b: either this (it ends with a jump behind the other) or the other.
  Code alternatives() {
    Code code = sequence();
    while (take('|')) {
      const Code other = sequence();
      Code both{{Kind::kEither, size_of(code) + 2}};
      append(both, code);
      both.push_back({Kind::kJump, size_of(other) + 1});
      append(both, other);
      code = std::move(both);
    }
    return code;
  }

  Code sequence() {
    Code code;
    while (more() && text_[at_] != '|' && text_[at_] != ')') append(code, repeated(atom()));
    return code;
  }

  Code repeated(Code code) {
    while (more()) {
      if (text_[at_] == '{') refuse("has a count in '{}', which is not supported; write the repetition out");
      if (take('*')) {
        code.insert(code.begin(), {Kind::kEither, size_of(code) + 2});
        code.push_back({Kind::kJump, -size_of(code)});
      } else if (take('+')) {
        // Once, then either again or on.
        code.push_back({Kind::kEither, -size_of(code)});
      } else if (take('?')) {
        code.insert(code.begin(), {Kind::kEither, size_of(code) + 1});
      } else {
        break;
      }
    }
    return code;
  }

  Code atom() {
    const char c = text_[at_++];
    switch (c) {
      case '^': return {{Kind::kBegin}};
      case '$': return {{Kind::kEnd}};
      case '.': return one_of(Characters().set());
      case '[': return one_of(bracket());
      case '\\': return one_of(escaped());
      case '*':
      case '+':
      case '?': refuse(concat("has a '", c, "' with nothing to repeat before it"));
      case '{':
      case '}':
      case ']': refuse(concat("has a '", c, "' that does not stand for itself; write '\\", c, "'"));
      case '(': return group();
      default: return one_of(character(c));
    }
  }

  Code group() {
    if (more() && text_[at_] == '?') refuse("has a '(?', which is not supported");
    Code code = alternatives();
    if (!take(')')) refuse("has a '(' without its ')'");
    return code;
  }

  static Code one_of(const Characters& characters) { return {{Kind::kOneOf, 0, characters}}; }
  static std::size_t place(char c) { return static_cast<unsigned char>(c); }
  static Characters character(char c) { return Characters().set(place(c)); }
  static Characters range(char from, char to) {
    Characters characters;
    for (std::size_t c = place(from); c <= place(to); ++c) characters.set(c);
    return characters;
  }

  Characters escaped() {
    if (!more()) refuse("ends with a '\\'");
    const char c = text_[at_++];
    if (c == 'd') return range('0', '9');
    if (c == 'w') return range('0', '9') | range('a', 'z') | range('A', 'Z') | character('_');
    if (c == 's') return range('\t', '\r') | character(' ');
    const Characters letters_and_digits = range('0', '9') | range('a', 'z') | range('A', 'Z');
    if (letters_and_digits.test(place(c))) refuse(concat("has a '\\", c, "', which is not supported"));
    return character(c);
  }

  Characters bracket() {
    const bool none_of = take('^');
    Characters characters;
    for (bool first = true; first || !take(']'); first = false) {
      if (!more()) refuse("has a '[' without its ']'");
      const char c = text_[at_++];
      if (c == '[' && more() && (text_[at_] == ':' || text_[at_] == '.' || text_[at_] == '='))
        refuse(concat("has a '[", text_[at_], "' inside '[]', which is not supported"));
      if (c == '\\') {
        characters |= escaped();
      } else if (at_ + 1 < text_.size() && text_[at_] == '-' && text_[at_ + 1] != ']') {
        const char to = text_[at_ + 1];
        if (to == '\\' || place(to) < place(c)) refuse(concat("has the range '", c, "-", to, "'"));
        characters |= range(c, to);
        at_ += 2;
      } else {
        characters |= character(c);
      }
    }
    return none_of ? ~characters : characters;
  }

  const std::string& text_;
  std::size_t at_ = 0;
};

NamePattern::NamePattern(const std::string& text) : code_(PatternParser(text).parse()) {}

std::string NamePattern::of(std::string_view name) {
  std::string text;
  for (const char c : name) {
    if (std::string_view(".[](){}*+?^$|\\").find(c) != std::string_view::npos) text += '\\';
    text += c;
  }
  return text;
}

bool NamePattern::found_in(std::string_view name) const {
  std::vector<std::size_t> states, next, open;
  std::vector<bool> reached(code_.size() + 1);
  // Every state that `from` leads to without a character. True when that is the end.
  const auto reach = [&](std::size_t from, std::size_t at, std::vector<std::size_t>& into) {
    open.assign(1, from);
    while (!open.empty()) {
      const std::size_t state = open.back();
      open.pop_back();
      if (reached[state]) continue;
      reached[state] = true;
      if (state == code_.size()) return true;
      const Instruction& instruction = code_[state];
      const auto other = static_cast<std::size_t>(static_cast<std::ptrdiff_t>(state) + instruction.offset);
      switch (instruction.kind) {
        case Kind::kOneOf: into.push_back(state); break;
        case Kind::kJump: open.push_back(other); break;
        case Kind::kEither:
          open.push_back(other);
          open.push_back(state + 1);
          break;
        case Kind::kBegin:
          if (at == 0) open.push_back(state + 1);
          break;
        case Kind::kEnd:
          if (at == name.size()) open.push_back(state + 1);
          break;
      }
    }
    return false;
  };
  for (std::size_t at = 0;; ++at) {
    if (reach(0, at, states)) return true;  // what is said may begin anywhere
    if (at == name.size()) return false;
    reached.assign(reached.size(), false);
    next.clear();
    for (const std::size_t state : states)
      if (code_[state].characters.test(static_cast<unsigned char>(name[at])) && reach(state + 1, at + 1, next))
        return true;
    states.swap(next);
  }
}

}  // namespace quaver
