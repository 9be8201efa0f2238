#include "quaver/io/model_file/graph_json.h"

#include <limits>
#include <nlohmann/json.hpp>
#include <type_traits>
#include <utility>

#include "quaver/core/error.h"
#include "quaver/core/printable.h"
#include "quaver/core/text.h"
#include "quaver/io/container/strict_json.h"

namespace quaver {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kGraphDepth = 6;  // graph, nodes, node, formats, format, and one to spare
constexpr int kProvenanceDepth = 1;
constexpr int kFirstVersionWithSums = 2;  // before, all nodes cut halves

// What equals its default is left out: a small model's header is a tenth of its file.
Json to_json(const Format& format) {
  Json json = {{"kind", type_name(format.kind)}};
  if (format.scale != Format{}.scale) json["scale"] = json_real(format.scale);
  if (format.zero_point != Format{}.zero_point) json["zero_point"] = format.zero_point;
  return json;
}

Json to_json(const Value& value) {
  return {{"sequence", value.has_time}, {"features", value.size()}, {"format", to_json(value.format)}};
}

Json attributes_to_json(const Operation& operation) {
  Json json = Json::object();
  visit_fields(operation, [&]<typename Attribute>(std::string_view name, const Attribute& attribute) {
    if constexpr (std::is_enum_v<Attribute>) {
      json[std::string(name)] = name_of(attribute);
    } else if constexpr (std::is_same_v<Attribute, float>) {
      json[std::string(name)] = json_real(attribute);
    } else {
      json[std::string(name)] = attribute;
    }
  });
  return json;
}

std::int32_t code_of(JsonObject& object, const std::string& key) {
  const std::int64_t value = object.integer(key);
  if (value < std::numeric_limits<std::int32_t>::min() || value > std::numeric_limits<std::int32_t>::max())
    throw_bad_input(concat(object.what(), ": '", printable(key), "' is ", value, ", beyond 32 bits"));
  return static_cast<std::int32_t>(value);
}

Format format_of(JsonObject object) {
  Format format;
  format.kind = value_type_from_name(object.text("kind"));
  if (object.find("scale") != nullptr) format.scale = object.real("scale");
  if (object.find("zero_point") != nullptr) format.zero_point = code_of(object, "zero_point");
  object.expect_no_more();
  return format;
}

Value value_of(JsonObject object) {
  Value value;
  value.has_time = object.boolean("sequence");
  value.shape = {object.integer("features")};
  value.format = format_of(object.object("format"));
  object.expect_no_more();
  return value;
}

Operation operation_of(const std::string& name, JsonObject a) {
  Operation operation = operation_from_name(name);
  visit_fields(operation, [&]<typename Attribute>(std::string_view key, Attribute& attribute) {
    const std::string text(key);
    if constexpr (std::is_enum_v<Attribute>) {
      set_by_name(attribute, a.text(text));
    } else if constexpr (std::is_same_v<Attribute, float>) {
      attribute = a.real(text);
    } else if constexpr (std::is_same_v<Attribute, bool>) {
      attribute = a.boolean(text);
    } else {
      attribute = a.integer(text);
    }
  });
  a.expect_no_more();
  return operation;
}

Node node_of(JsonObject object, int version) {
  Node node;
  node.name = object.text("name");
  node.operation = operation_of(object.text("op"), object.object("attributes"));
  node.inputs = {object.text("input")};
  node.outputs = {value_of(object.object("output"))};
  if (object.find("formats") != nullptr) {
    JsonObject formats = object.object("formats");
    for (const auto& entry : formats.value().items())
      node.formats[entry.key()] = format_of(formats.object(entry.key()));
  }
  if (object.find("codes") != nullptr) {
    JsonObject codes = object.object("codes");
    for (const auto& entry : codes.value().items()) node.codes[entry.key()] = code_of(codes, entry.key());
  }
  node.scheme = object.text("scheme");
  if (version >= kFirstVersionWithSums && is_integer_recurrent(node)) node.sums = sums_from_name(object.text("sums"));
  object.expect_no_more();
  return node;
}

std::vector<std::string> texts_of(JsonObject& object, const std::string& key) {
  std::vector<std::string> texts;
  for (const nlohmann::json& text : object.array(key)) {
    if (!text.is_string())
      throw_bad_input(concat(object.what(), ": '", key, "' holds a ", text.type_name(), ", expected texts"));
    texts.push_back(text.get<std::string>());
  }
  return texts;
}

}  // namespace

std::string graph_to_json(const Model& model, const std::map<std::string, float>& tensor_scales) {
  Json nodes = Json::array();
  for (const Node& node : model.nodes) {
    Json formats = Json::object();
    for (const auto& [name, format] : node.formats) formats[name] = to_json(format);
    Json codes = Json::object();
    for (const auto& [name, code] : node.codes) codes[name] = code;
    Json json = {{"name", node.name},
                 {"op", operation_name(node.operation)},
                 {"attributes", attributes_to_json(node.operation)},
                 {"input", node.inputs[0]},
                 {"output", to_json(node.outputs[0])},
                 {"scheme", node.scheme}};
    if (!formats.empty()) json["formats"] = std::move(formats);
    if (!codes.empty()) json["codes"] = std::move(codes);
    if (is_integer_recurrent(node)) json["sums"] = sums_name(node.sums);
    nodes.push_back(std::move(json));
  }
  Json scales = Json::object();
  for (const auto& [name, scale] : tensor_scales) scales[name] = json_real(scale);
  const Json graph = {{"name", model.name},
                      {"task", model.task},
                      {"scheme", model.scheme},
                      {"input", to_json(model.inputs[0].value)},
                      {"nodes", std::move(nodes)},
                      {"outputs", Json(model.outputs)},
                      {"classes", Json(model.classes)},
                      {"scales", std::move(scales)}};
  return dump_strict(graph, "graph");
}

void graph_from_json(std::string_view json, int version, Model& model, std::map<std::string, float>& tensor_scales) {
  const nlohmann::json parsed = parse_strict(json, "graph", kGraphDepth);
  JsonObject graph(parsed, "graph");
  model.name = graph.text("name");
  model.task = graph.text("task");
  model.scheme = graph.text("scheme");
  model.inputs = {{"input", value_of(graph.object("input"))}};
  for (const nlohmann::json& node : graph.array("nodes"))
    model.nodes.push_back(node_of({node, concat("graph: node ", model.nodes.size())}, version));
  model.outputs = texts_of(graph, "outputs");
  model.classes = texts_of(graph, "classes");
  JsonObject scales = graph.object("scales");
  for (const auto& entry : scales.value().items()) tensor_scales[entry.key()] = scales.real(entry.key());
  graph.expect_no_more();
}

std::string provenance_to_json(const std::map<std::string, std::string>& provenance) {
  Json json = Json::object();
  for (const auto& [key, text] : provenance) json[key] = text;
  return dump_strict(json, "provenance");
}

std::map<std::string, std::string> provenance_from_json(std::string_view json) {
  const nlohmann::json parsed = parse_strict(json, "provenance", kProvenanceDepth);
  JsonObject object(parsed, "provenance");
  std::map<std::string, std::string> provenance;
  for (const auto& entry : parsed.items()) provenance[entry.key()] = object.text(entry.key());
  return provenance;
}

}  // namespace quaver
