// option_text.h - options of a training from text, by name. Internal to this floor.
#pragma once

#include <charconv>
#include <cmath>
#include <map>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "quaver/core/error.h"
#include "quaver/core/printable.h"
#include "quaver/core/text.h"
#include "quaver/train/memory/train.h"
#include "quaver/train/options/options.h"

namespace quaver {

inline void set_from_text(const OptionField&, const std::string& text, std::string& value) { value = text; }

inline void set_from_text(const OptionField& field, const std::string& text, bool& value) {
  if (text != "true" && text != "false")
    throw_usage(concat(field.name, " is '", printable(text), "', expected true or false"));
  value = text == "true";
}

// Digits alone for whole numbers, finite for reals, within the field's range.
template <typename Number>
requires std::is_arithmetic_v<Number>
void set_from_text(const OptionField& field, const std::string& text, Number& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool ranged = field.low < field.high;
  const auto number = static_cast<double>(value);
  const bool fits = error == std::errc{} && end == text.data() + text.size() && std::isfinite(number) &&
                    (!ranged || (number >= field.low && number <= field.high));
  if (!fits)
    throw_usage(concat(field.name, " is '", printable(text), "', expected a ",
                       std::is_integral_v<Number> ? "whole number" : "number",
                       ranged ? concat(" from ", number_text(field.low), " to ", number_text(field.high)) : ""));
}

inline void set_from_text(const OptionField&, const std::string& text, Nonlinearity& value) {
  set_by_name(value, text);
}
inline void set_from_text(const OptionField&, const std::string& text, Direction& value) { set_by_name(value, text); }
inline void set_from_text(const OptionField&, const std::string& text, MemoryTying& value) {
  value = memory_tying_from_name(text);
}
inline void set_from_text(const OptionField&, const std::string& text, SentenceEncoding& value) {
  value = sentence_encoding_from_name(text);
}
inline void set_from_text(const OptionField&, const std::string& text, SampleOrder& value) {
  value = sample_order_names().value(text);
}
inline void set_from_text(const OptionField&, const std::string& text, KeptWeights& value) {
  value = kept_weights_names().value(text);
}
template <typename Value>
void set_from_text(const OptionField& field, const std::string& text, std::optional<Value>& value) {
  set_from_text(field, text, value.emplace());
}
inline void set_from_text(const OptionField&, const std::string& text, std::optional<Pooling>& value) {
  set_by_name(value.emplace(), text);
}

template <typename Options>
std::vector<std::string> option_names(Options options) {
  std::vector<std::string> names;
  fields(options, [&](const OptionField& field, const auto&) { names.emplace_back(field.name); });
  return names;
}

// Error (usage) for an unknown name, with the closest, and for text that is no such value.
template <typename Options>
void set_options(const std::map<std::string, std::string>& texts, Options& options) {
  for (const auto& [name, text] : texts) require_known("option", name, option_names(options));
  fields(options, [&](const OptionField& field, auto& value) {
    if (const auto text = texts.find(field.name); text != texts.end()) set_from_text(field, text->second, value);
  });
}

}  // namespace quaver
