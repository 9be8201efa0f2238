// strict_json.h - JSON from a hostile file: no duplicate keys, bounded depth, every entry accounted for. Not public.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace quaver {

// `what` starts every message: "graph". Error for malformed text, a key that comes twice, nesting beyond max_depth.
nlohmann::json parse_strict(std::string_view text, std::string_view what, int max_depth);
// A list of at most `most` texts, without a tree of it; Error for anything else.
std::vector<std::string> texts_from_json(std::string_view text, std::string_view what, std::size_t most);

// Reads the entries of one JSON object; Error names the entry that is missing, of another type, or unknown.
class JsonObject {
 public:
  JsonObject(const nlohmann::json& value, std::string what);

  const nlohmann::json& at(const std::string& key);
  const nlohmann::json* find(const std::string& key);  // nullptr when absent
  bool has(const std::string& key) { return find(key) != nullptr; }
  JsonObject object(const std::string& key);
  const nlohmann::json& array(const std::string& key);
  std::string text(const std::string& key);
  bool boolean(const std::string& key);
  std::int64_t integer(const std::string& key);
  float real(const std::string& key);
  std::vector<std::string> texts(const std::string& key);
  std::vector<std::int64_t> integers(const std::string& key);
  void expect_no_more() const;  // Error for an entry that was never asked for

  const std::string& what() const { return what_; }
  const nlohmann::json& value() const { return *value_; }

 private:
  [[noreturn]] void refuse(const std::string& key, std::string_view expected) const;

  const nlohmann::json* value_;
  std::string what_;
  std::set<std::string> read_;
};

// A JSON number that reads back as the same float, in as few digits as that takes.
nlohmann::json json_real(float value);
// `value` as a float; Error that starts with `what` when it is no number or beyond float.
float real_of(const nlohmann::json& value, std::string_view what);
// One line of UTF-8; Error that starts with `what` when a string is not UTF-8.
std::string dump_strict(const nlohmann::ordered_json& value, std::string_view what);

}  // namespace quaver
