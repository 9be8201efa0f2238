#include "quaver/data/own/pipeline.h"

#include <algorithm>
#include <array>
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

// Entries that came later: pipelines without them are those of before, and false or 0.
constexpr std::array<std::string_view, 4> kLater{"drawn_from", "drawn_hash", "sound.same_level", "table.distances"};

// Every field with its name: what is written is what is read.
template <typename AnyPipeline, typename Visit>
void visit_fields(AnyPipeline& pipeline, const Visit& visit) {
  visit("kind", pipeline.kind);
  visit("seed", pipeline.seed);
  visit("group", pipeline.group);
  visit("drawn_from", pipeline.drawn_from);
  visit("drawn_hash", pipeline.drawn_hash);
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
    visit("sound.same_level", pipeline.same_level);
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
    visit("table.distances", pipeline.table->distances);
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
  else if constexpr (std::is_same_v<Field, bool>)
    return field ? "true" : "false";
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
  else if constexpr (std::is_same_v<Field, bool>) {
    if (text != "true" && text != "false")
      throw_bad_input(concat("pipeline: '", name, "' is '", printable(text), "', expected true or false"));
    field = text == "true";
  } else if constexpr (std::is_same_v<Field, Target>)
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

void require(bool good, const std::string& text) {
  if (!good) throw_bad_input("pipeline: " + text);
}

void require_deviations(const char* name, const std::vector<double>& mean, const std::vector<double>& deviation,
                        std::size_t count) {
  require(mean.size() == count && deviation.size() == count,
          concat("mean and deviation of '", name, "' have ", mean.size(), " and ", deviation.size(),
                 " numbers, expected ", count));
  require(std::ranges::all_of(deviation, [](double value) { return value > 0; }),
          concat("the deviation of '", name, "' has a number that is not above 0"));
}

void check_table(const Pipeline& pipeline) {
  constexpr std::size_t kMostRows = 1'000'000;
  const TableSettings& table = *pipeline.table;
  require(
      table.window >= 1 && table.window <= kMostRows && table.horizon <= kMostRows,
      concat("a window of ", table.window, " and a horizon of ", table.horizon, " rows, expected 1 to ", kMostRows));
  require(pipeline.features == table.inputs.size(), concat("'features' is ", pipeline.features, ", 'table.inputs' has ",
                                                           table.inputs.size(), " columns, expected as many"));
  require_deviations("table", table.mean, table.deviation, table.inputs.size());
  const bool forecast = table.label.empty();
  require(forecast || !table.distances, "'table.distances' is true, but the table is no forecast");
  require(pipeline.target == (forecast ? Target::kReals : Target::kTags),
          concat("'target' of a table is '", target_names().name(pipeline.target), "'"));
  for (const std::string& target : table.targets)
    require(std::ranges::find(table.inputs, target) != table.inputs.end(),
            concat("'table.targets' has '", printable(target), "', which is none of 'table.inputs'"));
  if (forecast)
    require_deviations("target", pipeline.target_mean, pipeline.target_deviation, table.horizon * table.targets.size());
}

void check_tokens(const Pipeline& pipeline) {
  const TokenSettings& settings = *pipeline.tokens;
  require(!settings.tokens.empty() && settings.tokens[0].empty() && settings.tokens.size() == pipeline.vocabulary,
          concat("'tokens.tokens' has ", settings.tokens.size(), " tokens, expected the ", pipeline.vocabulary,
                 " of 'vocabulary', of which the first is empty"));
  if (pipeline.kind == "lm")
    require(settings.window >= 1 && pipeline.classes.size() == pipeline.vocabulary,
            concat("'tokens.window' is ", settings.window, " and 'classes' has ", pipeline.classes.size(),
                   " names, expected 1 or more, and a name for each of ", pipeline.vocabulary, " tokens"));
}

void check_sound(const Pipeline& pipeline) {
  const LogMelOptions& sound = *pipeline.sound;
  require(
      sound.sample_rate >= 1000 && sound.sample_rate <= 192000 && sound.sample_rate == std::floor(sound.sample_rate),
      concat("'sound.sample_rate' is ", sound.sample_rate, " Hz, expected a whole number from 1000 to 192000"));
  require(pipeline.features == sound.bands,
          concat("'features' is ", pipeline.features, ", 'sound.bands' ", sound.bands, ", expected the same"));
  try {
    LogMel{sound};
  } catch (const Error& error) {
    require(false, error.what());
  }
}

// What comes from a file may be anything; behind this door it is what a kind expects.
void check(const Pipeline& pipeline) {
  struct Expected {
    const char* kind;
    bool sound, table, tokens;
    std::vector<Target> targets;
  };
  const std::vector<Expected> kinds{
      {"csv", false, true, false, {Target::kTags, Target::kReals}},
      {"lm", false, false, true, {Target::kTags}},
      {"npz",
       false,
       false,
       false,
       {Target::kClass, Target::kTags, Target::kLabels, Target::kReals, Target::kRealSteps}},
      {"text", false, false, true, {Target::kClass}},
      {"ts", false, false, false, {Target::kClass, Target::kReals}},
      {"wav", true, false, false, {Target::kClass}}};
  const auto kind = std::ranges::find(kinds, pipeline.kind, &Expected::kind);
  require(kind != kinds.end(), concat("unknown kind '", printable(pipeline.kind), "'"));
  require(pipeline.sound.has_value() == kind->sound && pipeline.table.has_value() == kind->table &&
              pipeline.tokens.has_value() == kind->tokens,
          concat("kind ", kind->kind, " has ",
                 kind->sound    ? "'sound.' entries"
                 : kind->table  ? "'table.' entries"
                 : kind->tokens ? "'tokens.' entries"
                                : "no 'sound.', 'table.' or 'tokens.' entries",
                 ", and no others"));
  require(std::ranges::find(kind->targets, pipeline.target) != kind->targets.end(),
          concat("kind ", kind->kind, " has no target '", target_names().name(pipeline.target), "'"));
  const bool reals = pipeline.target == Target::kReals || pipeline.target == Target::kRealSteps;
  require(reals == pipeline.classes.empty() && reals == !pipeline.target_mean.empty(),
          concat("target '", target_names().name(pipeline.target), "' has ", reals ? "'target_mean'" : "'classes'",
                 " and no ", reals ? "'classes'" : "'target_mean'"));
  require_deviations("target", pipeline.target_mean, pipeline.target_deviation, pipeline.target_mean.size());
  require((pipeline.features == 0) != (pipeline.vocabulary == 0),
          concat("'features' is ", pipeline.features, " and 'vocabulary' ", pipeline.vocabulary,
                 ", expected exactly one of the two above 0"));
  if (pipeline.sound) check_sound(pipeline);
  if (pipeline.table) check_table(pipeline);
  if (pipeline.tokens) check_tokens(pipeline);
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
    if (entry == map.end() && std::ranges::find(kLater, std::string_view(name)) != kLater.end()) return;
    if (entry == map.end())
      throw_bad_input(concat("pipeline: there is no '", name, "'; was it written by an older version?"));
    read_field(name, entry->second, field);
    ++known;
  });
  check(pipeline);
  if (known == map.size()) return pipeline;
  const std::map<std::string, std::string> expected = to_map(pipeline);
  const auto unknown = std::ranges::find_if(map, [&](const auto& entry) { return !expected.contains(entry.first); });
  throw_bad_input(concat("pipeline: '", printable(unknown->first), "' is unknown; was it written by a newer version?"));
}

std::vector<std::size_t> TableSettings::target_features() const {
  std::vector<std::size_t> features;
  for (const std::string& target : targets)
    features.push_back(static_cast<std::size_t>(std::ranges::find(inputs, target) - inputs.begin()));
  return features;
}

std::vector<double> in_units(const Pipeline& pipeline, std::span<const float> values, std::span<const float> origin) {
  std::vector<double> numbers;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::size_t output = i % pipeline.target_mean.size();
    const double value = origin.empty() ? double{values[i]} : double{values[i]} + origin[output];
    numbers.push_back(value * pipeline.target_deviation[output] + pipeline.target_mean[output]);
  }
  return numbers;
}

}  // namespace quaver
