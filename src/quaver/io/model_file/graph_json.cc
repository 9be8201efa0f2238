#include "quaver/io/model_file/graph_json.h"

#include <limits>
#include <nlohmann/json.hpp>
#include <span>
#include <type_traits>
#include <utility>

#include "quaver/core/error.h"
#include "quaver/core/printable.h"
#include "quaver/core/text.h"
#include "quaver/io/container/strict_json.h"

namespace quaver {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kGraphDepth = 6;            // graph, nodes, node, outputs, value, format
constexpr int kFirstVersionWithSums = 2;  // before, all nodes cut halves
// Before, a graph was a chain: one input called "input", one input and one output a node, vectors. All entries were
// there, also those that equal their default.
constexpr int kFirstVersionOfGraphs = 4;

// ---- writing: what equals its default is left out, since a small model's header is a tenth of its file -------------

Json to_json(const Format& format) {
  const Format start{};
  Json json = Json::object();
  if (format.kind != start.kind) json["kind"] = type_name(format.kind);
  if (format.scale != start.scale) json["scale"] = json_real(format.scale);
  if (format.zero_point != start.zero_point) json["zero_point"] = format.zero_point;
  return json;
}

Json to_json(const Value& value) {
  const Value start{};
  const std::span<const std::int64_t> sizes = value.shape.sizes();
  Json json = {{"shape", std::vector(sizes.begin(), sizes.end())}};
  if (value.has_time != start.has_time) json["time"] = value.has_time;
  if (value.format != start.format) json["format"] = to_json(value.format);
  if (value.rate != start.rate) json["rate"] = value.rate;
  if (value.delay != start.delay) json["delay"] = value.delay;
  return json;
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

Json changed_attributes_to_json(const Operation& operation) {
  const Json start = attributes_to_json(operation_from_name(operation_name(operation)));
  Json json = attributes_to_json(operation);
  for (const auto& [name, attribute] : start.items())
    if (json[name] == attribute) json.erase(name);
  return json;
}

Json to_json(const Node& node, const Model& model) {
  Json json = {{"name", node.name}, {"op", operation_name(node.operation)}};
  if (Json attributes = changed_attributes_to_json(node.operation); !attributes.empty())
    json["attributes"] = std::move(attributes);
  json["inputs"] = node.inputs;
  json["outputs"] = Json::array();
  for (const Value& output : node.outputs) json["outputs"].push_back(to_json(output));
  if (node.scheme != model.scheme) json["scheme"] = node.scheme;
  for (const auto& [name, format] : node.formats) json["formats"][name] = to_json(format);
  for (const auto& [name, code] : node.codes) json["codes"][name] = code;
  if (node.sums != Node{}.sums) json["sums"] = sums_name(node.sums);
  return json;
}

// ---- reading -------------------------------------------------------------------------------------------------------

std::int32_t code_of(JsonObject& object, const std::string& key) {
  const std::int64_t value = object.integer(key);
  if (value < std::numeric_limits<std::int32_t>::min() || value > std::numeric_limits<std::int32_t>::max())
    throw_bad_input(concat(object.what(), ": '", printable(key), "' is ", value, ", beyond 32 bits"));
  return static_cast<std::int32_t>(value);
}

class GraphReader {
 public:
  GraphReader(int version, Model& model) : version_(version), model_(model) {}

  void read(JsonObject& graph) {
    if (asked(graph, "name")) model_.name = graph.text("name");
    if (asked(graph, "task")) model_.task = graph.text("task");
    if (asked(graph, "scheme")) model_.scheme = graph.text("scheme");
    if (of_chains()) {
      model_.inputs = {{"input", chain_value_of(graph.object("input"))}};
    } else {
      for (const nlohmann::json& input : graph.array("inputs"))
        model_.inputs.push_back(input_of({input, concat("graph: input ", model_.inputs.size())}));
    }
    for (const nlohmann::json& node : graph.array("nodes"))
      model_.nodes.push_back(node_of({node, concat("graph: node ", model_.nodes.size())}));
    model_.outputs = graph.texts("outputs");
    if (asked(graph, "classes")) model_.classes = graph.texts("classes");
  }

  // Whether an entry that has a default is to be read: older versions always have it.
  bool asked(JsonObject& object, const std::string& key) const { return of_chains() || object.has(key); }

 private:
  bool of_chains() const { return version_ < kFirstVersionOfGraphs; }

  static Format format_of(JsonObject object, bool has_kind) {
    Format format;
    if (has_kind || object.has("kind")) format.kind = value_type_from_name(object.text("kind"));
    if (object.has("scale")) format.scale = object.real("scale");
    if (object.has("zero_point")) format.zero_point = code_of(object, "zero_point");
    object.expect_no_more();
    return format;
  }

  static Value chain_value_of(JsonObject object) {
    Value value;
    value.has_time = object.boolean("sequence");
    value.shape = {object.integer("features")};
    value.format = format_of(object.object("format"), true);
    object.expect_no_more();
    return value;
  }

  static Value value_of(JsonObject object) {
    Value value;
    value.shape = Shape(object.integers("shape"));
    if (object.has("time")) value.has_time = object.boolean("time");
    if (object.has("format")) value.format = format_of(object.object("format"), false);
    if (object.has("rate")) value.rate = object.integer("rate");
    if (object.has("delay")) value.delay = object.integer("delay");
    object.expect_no_more();
    return value;
  }

  static ModelInput input_of(JsonObject object) {
    ModelInput input{object.text("name"), value_of(object.object("value"))};
    object.expect_no_more();
    return input;
  }

  Operation operation_of(JsonObject& node) const {
    Operation operation = operation_from_name(node.text("op"));
    if (!asked(node, "attributes")) return operation;
    JsonObject attributes = node.object("attributes");
    visit_fields(operation, [&]<typename Attribute>(std::string_view key, Attribute& attribute) {
      const std::string text(key);
      if (of_chains() ? is_attribute_of_graphs(key) : !attributes.has(text)) return;
      if constexpr (std::is_enum_v<Attribute>) {
        set_by_name(attribute, attributes.text(text));
      } else if constexpr (std::is_same_v<Attribute, float>) {
        attribute = attributes.real(text);
      } else if constexpr (std::is_same_v<Attribute, bool>) {
        attribute = attributes.boolean(text);
      } else {
        attribute = attributes.integer(text);
      }
    });
    attributes.expect_no_more();
    return operation;
  }

  Node node_of(JsonObject object) const {
    Node node;
    node.name = object.text("name");
    node.operation = operation_of(object);
    if (of_chains()) {
      node.inputs = {object.text("input")};
      node.outputs = {chain_value_of(object.object("output"))};
    } else {
      node.inputs = object.texts("inputs");
      const std::string what = concat(object.what(), ": output ");
      for (const nlohmann::json& output : object.array("outputs"))
        node.outputs.push_back(value_of({output, concat(what, node.outputs.size())}));
    }
    node.scheme = asked(object, "scheme") ? object.text("scheme") : model_.scheme;
    if (object.has("formats")) {
      JsonObject formats = object.object("formats");
      for (const auto& entry : formats.value().items())
        node.formats[entry.key()] = format_of(formats.object(entry.key()), of_chains());
    }
    if (object.has("codes")) {
      JsonObject codes = object.object("codes");
      for (const auto& entry : codes.value().items()) node.codes[entry.key()] = code_of(codes, entry.key());
    }
    if (version_ >= kFirstVersionWithSums && is_integer_recurrent(node) && asked(object, "sums"))
      node.sums = sums_from_name(object.text("sums"));
    object.expect_no_more();
    return node;
  }

  int version_;
  Model& model_;
};

}  // namespace

std::string graph_to_json(const Model& model, const std::map<std::string, float>& tensor_scales,
                          const PackedTensors& packed) {
  const Model start;
  Json graph = Json::object();
  if (model.name != start.name) graph["name"] = model.name;
  if (model.task != start.task) graph["task"] = model.task;
  if (model.scheme != start.scheme) graph["scheme"] = model.scheme;
  for (const ModelInput& input : model.inputs)
    graph["inputs"].push_back(Json{{"name", input.name}, {"value", to_json(input.value)}});
  for (const Node& node : model.nodes) graph["nodes"].push_back(to_json(node, model));
  graph["outputs"] = model.outputs;
  if (model.classes != start.classes) graph["classes"] = model.classes;
  for (const auto& [name, scale] : tensor_scales) graph["scales"][name] = json_real(scale);
  if (!packed.empty()) graph["tensors"] = to_json(packed);
  return dump_strict(graph, "graph");
}

Graph graph_from_json(std::string_view json, int version, const SafetensorsFile& file) {
  const nlohmann::json parsed = parse_strict(json, "graph", kGraphDepth);
  JsonObject object(parsed, "graph");
  Graph graph;
  GraphReader reader(version, graph.model);
  reader.read(object);
  if (reader.asked(object, "scales")) {
    JsonObject scales = object.object("scales");
    for (const auto& entry : scales.value().items()) graph.tensor_scales[entry.key()] = scales.real(entry.key());
  }
  if (version >= kFirstVersionOfGraphs) graph.packed = packed_tensors_of(object, file);
  object.expect_no_more();
  return graph;
}

}  // namespace quaver
