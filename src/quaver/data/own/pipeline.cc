#include "quaver/data/own/pipeline.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <string_view>
#include <type_traits>

#include "quaver/core/error.h"
#include "quaver/core/printable.h"
#include "quaver/core/text.h"

namespace quaver {
namespace {

// Every field with its name: what is written is what is read.
template <typename AnyPipeline, typename Visit>
void visit_fields(AnyPipeline& pipeline, const Visit& visit) {
  visit("kind", pipeline.kind);
  visit("seed", pipeline.seed);
  visit("group", pipeline.group);
  visit("target", pipeline.target);
  visit("features", pipeline.features);
  visit("vocabulary", pipeline.vocabulary);
  visit("classes", pipeline.classes);
  visit("target_mean", pipeline.target_mean);
  visit("target_deviation", pipeline.target_deviation);
  if (pipeline.sound) {
    visit("sound.sample_rate", pipeline.sound->sample_rate);
    visit("sound.window", pipeline.sound->window);
    visit("sound.hop", pipeline.sound->hop);
    visit("sound.fft", pipeline.sound->fft);
    visit("sound.bands", pipeline.sound->bands);
    visit("sound.low", pipeline.sound->low);
    visit("sound.high", pipeline.sound->high);
    visit("sound.floor", pipeline.sound->floor);
  }
  if (pipeline.table) {
    visit("table.inputs", pipeline.table->inputs);
    visit("table.label", pipeline.table->label);
    visit("table.targets", pipeline.table->targets);
    visit("table.window", pipeline.table->window);
    visit("table.horizon", pipeline.table->horizon);
    visit("table.missing", pipeline.table->missing);
    visit("table.mean", pipeline.table->mean);
    visit("table.deviation", pipeline.table->deviation);
  }
  if (pipeline.tokens) {
    visit("tokens.unit", pipeline.tokens->unit);
    visit("tokens.tokens", pipeline.tokens->tokens);
    visit("tokens.window", pipeline.tokens->window);
  }
}

// A list is a line for each element; in an element a line's end is "\n" and a backslash "\\".
std::string list_text(const std::vector<std::string>& elements) {
  std::string text;
  for (const std::string& element : elements) {
    for (const char character : element) {
      if (character == '\n')
        text += "\\n";
      else if (character == '\\')
        text += "\\\\";
      else
        text += character;
    }
    text += '\n';
  }
  return text;
}

std::vector<std::string> parse_list(std::string_view text) {
  std::vector<std::string> elements;
  std::string element;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\n') {
      elements.push_back(std::move(element));
      element.clear();
    } else if (text[i] == '\\' && i + 1 < text.size()) {
      element += text[++i] == 'n' ? '\n' : text[i];
    } else {
      element += text[i];
    }
  }
  return elements;
}

template <typename Field>
std::string text_of(const Field& field) {
  if constexpr (std::is_same_v<Field, std::string>)
    return field;
  else if constexpr (std::is_same_v<Field, Target>)
    return std::string(target_names().name(field));
  else if constexpr (std::is_same_v<Field, MissingValues>)
    return std::string(missing_values_names().name(field));
  else if constexpr (std::is_same_v<Field, TokenUnit>)
    return std::string(token_unit_names().name(field));
  else if constexpr (std::is_same_v<Field, std::vector<std::string>>)
    return list_text(field);
  else if constexpr (std::is_same_v<Field, std::vector<double>>) {
    std::string text;
    for (const double number : field) {
      if (!text.empty()) text += ' ';
      text += number_text(number);
    }
    return text;
  } else
    return number_text(field);
}

template <typename Number>
void parse_into(std::string_view name, std::string_view text, Number& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  bool good = error == std::errc{} && end == text.data() + text.size();
  if constexpr (std::is_floating_point_v<Number>) good = good && std::isfinite(number);
  if (!good)
    throw_bad_input(concat("pipeline: '", name, "' is '", printable(text), "', expected a ",
                           std::is_integral_v<Number> ? "whole" : "finite", " number"));
}

template <typename Field>
void read_field(std::string_view name, const std::string& text, Field& field) {
  if constexpr (std::is_same_v<Field, std::string>)
    field = text;
  else if constexpr (std::is_same_v<Field, Target>)
    field = target_names().value(text);
  else if constexpr (std::is_same_v<Field, MissingValues>)
    field = missing_values_names().value(text);
  else if constexpr (std::is_same_v<Field, TokenUnit>)
    field = token_unit_names().value(text);
  else if constexpr (std::is_same_v<Field, std::vector<std::string>>)
    field = parse_list(text);
  else if constexpr (std::is_same_v<Field, std::vector<double>>) {
    for (std::string_view rest = text; !rest.empty();) {
      const std::size_t length = std::min(rest.find(' '), rest.size());
      parse_into(name, rest.substr(0, length), field.emplace_back());
      rest.remove_prefix(std::min(length + 1, rest.size()));
    }
  } else
    parse_into(name, text, field);
}

}  // namespace

const NameTable<MissingValues, 3>& missing_values_names() {
  static constexpr NameTable<MissingValues, 3> kNames("treatment of missing values", {"error", "hold", "drop"});
  return kNames;
}

std::map<std::string, std::string> to_map(const Pipeline& pipeline) {
  std::map<std::string, std::string> map;
  visit_fields(pipeline, [&map](const char* name, const auto& field) { map[name] = text_of(field); });
  return map;
}

Pipeline pipeline_from_map(const std::map<std::string, std::string>& map) {
  const auto has_group = [&map](const std::string& prefix) {
    const auto first = map.lower_bound(prefix);
    return first != map.end() && first->first.starts_with(prefix);
  };
  Pipeline pipeline;
  if (has_group("sound.")) pipeline.sound.emplace();
  if (has_group("table.")) pipeline.table.emplace();
  if (has_group("tokens.")) pipeline.tokens.emplace();
  std::size_t known = 0;
  visit_fields(pipeline, [&](const char* name, auto& field) {
    const auto entry = map.find(name);
    if (entry == map.end())
      throw_bad_input(concat("pipeline: there is no '", name, "'; was it written by an older version?"));
    read_field(name, entry->second, field);
    ++known;
  });
  if (pipeline.target_mean.size() != pipeline.target_deviation.size())
    throw_bad_input(concat("pipeline: 'target_mean' has ", pipeline.target_mean.size(), " numbers, 'target_deviation' ",
                           pipeline.target_deviation.size(), ", expected as many"));
  if (pipeline.tokens && pipeline.tokens->tokens.size() != pipeline.vocabulary)
    throw_bad_input(concat("pipeline: 'tokens.tokens' has ", pipeline.tokens->tokens.size(),
                           " tokens, 'vocabulary' is ", pipeline.vocabulary, ", expected as many"));
  if (pipeline.table && (pipeline.table->mean.size() != pipeline.table->inputs.size() ||
                         pipeline.table->deviation.size() != pipeline.table->inputs.size()))
    throw_bad_input(concat("pipeline: 'table.inputs' has ", pipeline.table->inputs.size(),
                           " columns, 'table.mean' and 'table.deviation' have ", pipeline.table->mean.size(), " and ",
                           pipeline.table->deviation.size(), " numbers, expected as many"));
  if (known == map.size()) return pipeline;
  const std::map<std::string, std::string> expected = to_map(pipeline);
  const auto unknown = std::ranges::find_if(map, [&](const auto& entry) { return !expected.contains(entry.first); });
  throw_bad_input(concat("pipeline: '", printable(unknown->first), "' is unknown; was it written by a newer version?"));
}

std::vector<double> in_units(const Pipeline& pipeline, std::span<const float> values) {
  std::vector<double> numbers;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::size_t output = i % pipeline.target_mean.size();
    numbers.push_back(values[i] * pipeline.target_deviation[output] + pipeline.target_mean[output]);
  }
  return numbers;
}

}  // namespace quaver
