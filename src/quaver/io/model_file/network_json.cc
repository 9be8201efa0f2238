#include "quaver/io/model_file/network_json.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "quaver/core/error.h"
#include "quaver/core/text.h"
#include "quaver/io/container/strict_json.h"

namespace quaver {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kNetworkDepth = 4;  // network, tensors, tensor, shape
constexpr int kFirstVersionWithScales = 2, kFirstVersionWithSlots = 3;
constexpr int kFirstVersionWithDefaults = 4;  // before, all entries were there but what later versions brought

// ---- the lists of entries, once for writing and reading ------------------------------------------------------------

struct Switch {
  std::string_view name;
  bool MemoryScheme::*place;
  int first_version = 1;
  bool older_may_lack = false;
};
constexpr std::array<Switch, 9> kSwitches{{{"hop_formats", &MemoryScheme::hop_formats},
                                           {"one_bit_query", &MemoryScheme::one_bit_query},
                                           {"one_bit_weights", &MemoryScheme::one_bit_weights},
                                           {"integer_only", &MemoryScheme::integer_only},
                                           {"power_of_two_scales", &MemoryScheme::power_of_two_scales, 2},
                                           {"relative_similarity", &MemoryScheme::relative_similarity, 2},
                                           {"one_bit_state", &MemoryScheme::one_bit_state, 2},
                                           {"truncation", &MemoryScheme::truncation, 2, true},
                                           {"shared_point", &MemoryScheme::shared_point, 2, true}}};

struct ScaleList {
  std::string_view name;
  std::vector<float> MemoryScales::*place;
};
constexpr std::array<ScaleList, 5> kScaleLists{{{"weights", &MemoryScales::weights},
                                                {"embedded", &MemoryScales::embedded},
                                                {"s", &MemoryScales::s},
                                                {"u", &MemoryScales::u},
                                                {"query", &MemoryScales::query}}};

struct Size {
  std::string_view name;
  std::size_t MemN2NShape::*place;
};
constexpr std::array<Size, 5> kSizes{{{"vocabulary", &MemN2NShape::vocabulary},
                                      {"memory", &MemN2NShape::memory},
                                      {"embedding", &MemN2NShape::d},
                                      {"hops", &MemN2NShape::hops},
                                      {"sentence", &MemN2NShape::sentence}}};

// ---- writing: what equals its default is left out ------------------------------------------------------------------

Json scheme_to_json(const MemoryScheme& scheme) {
  const MemoryScheme start;
  Json json = Json::object();
  if (scheme.arithmetic != start.arithmetic) json["arithmetic"] = memory_arithmetic_name(scheme.arithmetic);
  if (scheme.bits != start.bits) json["bits"] = scheme.bits;
  if (scheme.integer_bits != start.integer_bits) json["integer_bits"] = scheme.integer_bits;
  if (scheme.similarity != start.similarity) json["similarity"] = memory_similarity_name(scheme.similarity);
  for (const Switch& one : kSwitches)
    if (scheme.*one.place != start.*one.place) json[std::string(one.name)] = scheme.*one.place;
  return json;
}

Json scales_to_json(const MemoryScales& scales) {
  Json json = Json::object();
  for (const ScaleList& list : kScaleLists)
    for (const float value : scales.*list.place) json[std::string(list.name)].emplace_back(json_real(value));
  return json;
}

// ---- reading -------------------------------------------------------------------------------------------------------

class NetworkReader {
 public:
  explicit NetworkReader(int version) : version_(version) {}

  MemoryNetwork read(JsonObject& object) const {
    MemoryNetwork network;
    MemN2NShape& shape = network.shape;
    if (asked(object, "name")) network.name = object.text("name");
    if (asked(object, "task")) network.task = object.text("task");
    for (const Size& size : kSizes)
      if (asked(object, size.name)) shape.*size.place = size_of(object, std::string(size.name));
    if (asked(object, "tying")) shape.tying = memory_tying_from_name(object.text("tying"));
    if (asked(object, "encoding")) shape.encoding = sentence_encoding_from_name(object.text("encoding"));
    if (asked(object, "temporal")) shape.temporal = object.boolean("temporal");
    if (version_ >= kFirstVersionWithSlots && asked(object, "slots")) {
      shape.slots = size_of(object, "slots");
      if (shape.slots == 0) throw_bad_input("network: 'slots' is 0, expected 1 or more: without slots it is left out");
    }
    if (asked(object, "scheme")) network.scheme = scheme_of(object.object("scheme"));
    if (version_ >= kFirstVersionWithScales && asked(object, "scales"))
      network.scales = scales_of(object.object("scales"));
    return network;
  }

 private:
  // Whether an entry that has a default is to be read: older versions always have it.
  bool asked(JsonObject& object, std::string_view key) const {
    return version_ < kFirstVersionWithDefaults || object.has(std::string(key));
  }

  static std::size_t size_of(JsonObject& object, const std::string& key) {
    const std::int64_t value = object.integer(key);
    if (value < 0) throw_bad_input(concat(object.what(), ": '", key, "' is ", value, ", expected a size"));
    return static_cast<std::size_t>(value);
  }

  static int bits_of(JsonObject& object, const std::string& key) {
    const std::int64_t value = object.integer(key);
    if (value < 0 || value > 32)
      throw_bad_input(concat(object.what(), ": '", key, "' is ", value, ", expected a number of bits"));
    return static_cast<int>(value);
  }

  MemoryScheme scheme_of(JsonObject object) const {
    MemoryScheme scheme;
    if (version_ == 1) {  // it knew no scaled arithmetic: a switch told fixed point from float
      scheme.arithmetic = object.boolean("fixed") ? MemoryArithmetic::kFixed : MemoryArithmetic::kFloat;
    } else if (asked(object, "arithmetic")) {
      scheme.arithmetic = memory_arithmetic_from_name(object.text("arithmetic"));
    }
    if (asked(object, "bits")) scheme.bits = bits_of(object, "bits");
    if (asked(object, "integer_bits")) scheme.integer_bits = bits_of(object, "integer_bits");
    if (asked(object, "similarity")) scheme.similarity = memory_similarity_from_name(object.text("similarity"));
    for (const Switch& one : kSwitches) {
      const std::string name(one.name);
      if (version_ < one.first_version) continue;
      if (one.older_may_lack ? object.has(name) : asked(object, name)) scheme.*one.place = object.boolean(name);
    }
    object.expect_no_more();
    return scheme;
  }

  MemoryScales scales_of(JsonObject object) const {
    MemoryScales scales;
    for (const ScaleList& list : kScaleLists) {
      const std::string name(list.name);
      if (!asked(object, name)) continue;
      for (const nlohmann::json& number : object.array(name))
        (scales.*list.place).push_back(real_of(number, concat(object.what(), ": '", name, "'")));
    }
    object.expect_no_more();
    return scales;
  }

  int version_;
};

}  // namespace

std::string network_to_json(const MemoryNetwork& network, const PackedTensors& packed) {
  const MemN2NShape& shape = network.shape;
  const MemN2NShape start;
  Json json = Json::object();
  if (!network.name.empty()) json["name"] = network.name;
  if (!network.task.empty()) json["task"] = network.task;
  for (const Size& size : kSizes)
    if (shape.*size.place != start.*size.place) json[std::string(size.name)] = shape.*size.place;
  if (shape.tying != start.tying) json["tying"] = memory_tying_name(shape.tying);
  if (shape.encoding != start.encoding) json["encoding"] = sentence_encoding_name(shape.encoding);
  if (shape.temporal != start.temporal) json["temporal"] = shape.temporal;
  if (shape.slots != start.slots) json["slots"] = shape.slots;
  if (network.scheme != MemoryScheme{}) json["scheme"] = scheme_to_json(network.scheme);
  if (network.scales != MemoryScales{}) json["scales"] = scales_to_json(network.scales);
  if (!packed.empty()) json["tensors"] = to_json(packed);
  return dump_strict(json, "network");
}

NetworkDescription network_from_json(std::string_view json, int version, const SafetensorsFile& file) {
  const nlohmann::json parsed = parse_strict(json, "network", kNetworkDepth);
  JsonObject object(parsed, "network");
  NetworkDescription description{NetworkReader(version).read(object)};
  if (version >= kFirstVersionWithDefaults) description.packed = packed_tensors_of(object, file);
  object.expect_no_more();
  const MemoryNetwork& network = description.network;
  validate(network.shape);
  validate(network.scheme);
  validate(network.scales, network.shape, network.scheme);
  return description;
}

}  // namespace quaver
