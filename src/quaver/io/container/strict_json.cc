#include "quaver/io/container/strict_json.h"

#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "quaver/core/error.h"
#include "quaver/core/printable.h"
#include "quaver/core/text.h"

namespace quaver {
namespace {

// Some twenty for each of the most nodes there are. The parser takes the square of it: seconds for ten times as many.
constexpr std::size_t kMostObjects = std::size_t{1} << 15;

bool is_integer(const nlohmann::json& value) {
  constexpr std::uint64_t kLargest = std::numeric_limits<std::int64_t>::max();
  return value.is_number_integer() && (!value.is_number_unsigned() || value.get<std::uint64_t>() <= kLargest);
}

}  // namespace

nlohmann::json parse_strict(std::string_view text, std::string_view what, int max_depth) {
  std::vector<std::set<std::string>> keys;  // of the objects that are open, outermost first
  std::size_t objects = 0;
  const auto watch = [&](int depth, nlohmann::json::parse_event_t event, nlohmann::json& parsed) {
    using Event = nlohmann::json::parse_event_t;
    if (depth > max_depth) throw_bad_input(concat(what, " is nested deeper than ", max_depth));
    if (event == Event::object_start && ++objects > kMostObjects)
      throw_bad_input(concat(what, " has more than the limit of ", kMostObjects, " objects"));
    if (event == Event::object_start) keys.emplace_back();
    if (event == Event::object_end) keys.pop_back();
    if (event == Event::key && !keys.back().insert(parsed.get<std::string>()).second)
      throw_bad_input(concat(what, " has the key '", printable(parsed.get<std::string>()), "' twice"));
    return true;
  };
  try {
    return nlohmann::json::parse(text, watch);
  } catch (const nlohmann::json::exception& error) {
    throw_bad_input(concat(what, " is not valid JSON: ", printable(error.what())));
  }
}

std::vector<std::string> texts_from_json(std::string_view text, std::string_view what, std::size_t most) {
  std::vector<std::string> texts;
  const auto take = [&](int depth, nlohmann::json::parse_event_t event, nlohmann::json& parsed) {
    using Event = nlohmann::json::parse_event_t;
    if (event == Event::array_end || (event == Event::array_start && depth == 0)) return true;
    if (depth == 0) throw_bad_input(concat(what, " is no list"));
    if (event != Event::value || !parsed.is_string())
      throw_bad_input(concat(what, ": element ", texts.size(), " is no text"));
    if (texts.size() == most) throw_bad_input(concat(what, " are more than the limit of ", most));
    texts.push_back(std::move(parsed.get_ref<std::string&>()));
    return false;  // not kept in the tree
  };
  try {
    [[maybe_unused]] const nlohmann::json empty = nlohmann::json::parse(text, take);
  } catch (const nlohmann::json::exception& error) {
    throw_bad_input(concat(what, " is not valid JSON: ", printable(error.what())));
  }
  return texts;
}

JsonObject::JsonObject(const nlohmann::json& value, std::string what) : value_(&value), what_(std::move(what)) {
  if (!value.is_object()) throw_bad_input(concat(what_, " is a JSON ", value.type_name(), ", expected an object"));
}

void JsonObject::refuse(const std::string& key, std::string_view expected) const {
  throw_bad_input(concat(what_, ": '", key, "' is a JSON ", value_->at(key).type_name(), ", expected ", expected));
}

const nlohmann::json* JsonObject::find(const std::string& key) {
  read_.insert(key);
  const auto found = value_->find(key);
  return found == value_->end() ? nullptr : &*found;
}

const nlohmann::json& JsonObject::at(const std::string& key) {
  const nlohmann::json* found = find(key);
  if (found == nullptr) throw_bad_input(concat(what_, ": '", key, "' is missing"));
  return *found;
}

JsonObject JsonObject::object(const std::string& key) { return {at(key), concat(what_, ": '", key, "'")}; }

const nlohmann::json& JsonObject::array(const std::string& key) {
  if (!at(key).is_array()) refuse(key, "a list");
  return at(key);
}

std::string JsonObject::text(const std::string& key) {
  if (!at(key).is_string()) refuse(key, "a text");
  return at(key).get<std::string>();
}

bool JsonObject::boolean(const std::string& key) {
  if (!at(key).is_boolean()) refuse(key, "true or false");
  return at(key).get<bool>();
}

std::int64_t JsonObject::integer(const std::string& key) {
  if (!is_integer(at(key))) refuse(key, "an integer");
  return at(key).get<std::int64_t>();
}

float JsonObject::real(const std::string& key) { return real_of(at(key), concat(what_, ": '", key, "'")); }

std::vector<std::string> JsonObject::texts(const std::string& key) {
  std::vector<std::string> texts;
  for (const nlohmann::json& text : array(key)) {
    if (!text.is_string())
      throw_bad_input(concat(what_, ": '", key, "' holds a ", text.type_name(), ", expected texts"));
    texts.push_back(text.get<std::string>());
  }
  return texts;
}

std::vector<std::int64_t> JsonObject::integers(const std::string& key) {
  std::vector<std::int64_t> integers;
  for (const nlohmann::json& integer : array(key)) {
    if (!is_integer(integer))
      throw_bad_input(concat(what_, ": '", key, "' holds a ", integer.type_name(), ", expected integers"));
    integers.push_back(integer.get<std::int64_t>());
  }
  return integers;
}

void JsonObject::expect_no_more() const {
  for (const auto& [key, value] : value_->items()) {
    if (!read_.contains(key)) throw_bad_input(concat(what_, " has an unknown entry '", printable(key), "'"));
  }
}

nlohmann::json json_real(float value) {
  // The shortest text of the float, read as the double that JSON libraries write and read: 0.02 instead of
  // 0.019999999552965164. Reading rounds twice (to double, then to float), which is checked here once for all.
  std::array<char, 32> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
  double shortest = 0;
  std::from_chars(text.data(), end, shortest);
  return static_cast<float>(shortest) == value ? shortest : static_cast<double>(value);
}

float real_of(const nlohmann::json& value, std::string_view what) {
  if (!value.is_number()) throw_bad_input(concat(what, " is a JSON ", value.type_name(), ", expected a number"));
  const double wide = value.get<double>();
  if (!(std::abs(wide) <= static_cast<double>(std::numeric_limits<float>::max())))
    throw_bad_input(concat(what, " is ", wide, ", beyond what a float holds"));
  return static_cast<float>(wide);
}

std::string dump_strict(const nlohmann::ordered_json& value, std::string_view what) {
  try {
    return value.dump();
  } catch (const nlohmann::json::exception& error) {
    throw_bad_input(concat(what, " cannot be written as JSON: ", printable(error.what())));
  }
}

}  // namespace quaver
