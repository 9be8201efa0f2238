#include "quaver/io/torch_names.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <functional>
#include <map>
#include <span>
#include <utility>
#include <vector>

#include "quaver/core/error.h"
#include "quaver/core/text.h"
#include "quaver/io/printable.h"

namespace quaver {
namespace {

// PyTorch's blocks of rows in our order: i,f,g,o -> i,o,f,c and r,z,n -> z,r,h.
constexpr std::array<std::size_t, 4> kLstmOrder{0, 3, 1, 2};
constexpr std::array<std::size_t, 3> kGruOrder{1, 0, 2};
constexpr std::array<std::size_t, 1> kRnnOrder{0};
constexpr std::size_t kMaxLayers = 1000;

enum class Kind { kLstm, kGru, kRnn };

// "weight_ih_l0_reverse" taken apart.
struct ParameterName {
  std::string role;  // weight_ih, weight_hh, weight_hr, bias_ih, bias_hh
  std::size_t layer = 0;
  bool reverse = false;
};

std::optional<ParameterName> parameter_name(std::string_view leaf) {
  for (const std::string_view role : {"weight_ih", "weight_hh", "weight_hr", "bias_ih", "bias_hh"}) {
    if (!leaf.starts_with(role)) continue;
    std::string_view rest = leaf.substr(role.size());
    if (!rest.starts_with("_l")) return std::nullopt;
    rest.remove_prefix(2);
    ParameterName name;
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), name.layer);
    if (error != std::errc() || name.layer >= kMaxLayers) return std::nullopt;
    rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
    if (!rest.empty() && rest != "_reverse") return std::nullopt;
    name.role = role;
    name.reverse = !rest.empty();
    return name;
  }
  return std::nullopt;
}

// The tensors of one torch module, by the last part of their names.
struct Group {
  std::string prefix;
  std::map<std::string, std::string> tensors;  // leaf -> full name

  bool has(const std::string& leaf) const { return tensors.contains(leaf); }
};

enum class GroupKind { kRecurrent, kMatrix, kUnknown };

class Converter {
 public:
  Converter(const SafetensorsFile& file, const TorchOptions& options) : file_(file), options_(options) {}

  Model convert() {
    if (options_.nonlinearity && *options_.nonlinearity != Nonlinearity::kTanh &&
        *options_.nonlinearity != Nonlinearity::kRelu)
      throw_usage(concat("nn.RNN has nonlinearity tanh or relu, not ", nonlinearity_name(*options_.nonlinearity)));
    const std::vector<Group> groups = find_groups();
    const Group* recurrent = nullptr;
    std::vector<const Group*> matrices;
    for (const Group& group : groups) {
      const GroupKind kind = kind_of(group);
      if (kind == GroupKind::kUnknown)
        refuse_groups(groups, concat("'", shown(group), "' is not a part that can be converted"));
      if (kind == GroupKind::kMatrix) matrices.push_back(&group);
      if (kind != GroupKind::kRecurrent) continue;
      if (recurrent != nullptr) refuse_groups(groups, "it holds more than one recurrent module");
      recurrent = &group;
    }
    if (recurrent == nullptr) refuse_groups(groups, "it holds no recurrent module (weight_ih_l0, weight_hh_l0, ...)");

    model_.name = options_.name;
    const std::int64_t inputs = shape(*recurrent, "weight_ih_l0", 2)[1];
    const Group* embedding = nullptr;
    const Group* linear = nullptr;
    for (const Group* matrix : matrices) {
      const bool first = embeds(*matrix, inputs);
      const Group*& place = first ? embedding : linear;
      if (place != nullptr)
        refuse_groups(groups, concat("it holds more than one ", first ? "Embedding" : "Linear",
                                     ", and the file does not say what lies between them"));
      place = matrix;
    }
    if (embedding != nullptr)
      add_embedding(*embedding);
    else
      model_.input = {true, inputs, {}};
    add_recurrent(*recurrent);
    if (linear != nullptr) add_head(*linear, groups);
    model_.outputs = {model_.nodes.back().name};
    model_.provenance["source"] = "PyTorch weights";
    validate(model_);
    return std::move(model_);
  }

 private:
  std::vector<Group> find_groups() const {
    std::map<std::string, Group> groups;
    for (const auto& [name, entry] : file_.tensors()) {
      const std::size_t dot = name.rfind('.');
      const std::string prefix = dot == std::string::npos ? "" : name.substr(0, dot);
      // A prefix chooses whole modules: "rnn" is not the beginning of "rnn2.weight_ih_l0".
      if (!options_.prefix.empty() && !concat(prefix, ".").starts_with(with_dot(options_.prefix))) continue;
      Group& group = groups[prefix];
      group.prefix = prefix;
      group.tensors[dot == std::string::npos ? name : name.substr(dot + 1)] = name;
    }
    std::vector<Group> list;
    for (auto& [prefix, group] : groups) list.push_back(std::move(group));
    if (list.empty()) {
      const std::string all = list_text(TorchOptions{});
      throw_bad_input(concat("no tensor lies below the prefix '", printable(options_.prefix), "'",
                             all.empty() ? "" : "; the file has: ", all));
    }
    return list;
  }

  static std::string with_dot(const std::string& prefix) { return prefix.ends_with('.') ? prefix : prefix + "."; }
  static std::string shown(const Group& group) {
    return group.prefix.empty() ? "(no prefix)" : printable(group.prefix);
  }

  std::string list_text(const TorchOptions& options) const {
    if (file_.tensors().empty()) return "";
    std::vector<std::string> lines;
    for (const Group& group : Converter(file_, options).find_groups()) lines.push_back(describe(group));
    return join(lines, ", ");
  }

  std::string describe(const Group& group) const {
    switch (kind_of(group)) {
      case GroupKind::kRecurrent: return concat("'", shown(group), "' (recurrent)");
      case GroupKind::kMatrix:
        return concat("'", shown(group), "' (", shape_text(entry(group, "weight").shape),
                      group.has("bias") ? " Linear)" : " Embedding or Linear)");
      case GroupKind::kUnknown: break;
    }
    return concat("'", shown(group), "' (", printable(group.tensors.begin()->first), ")");
  }

  [[noreturn]] void refuse_groups(const std::vector<Group>& groups, const std::string& reason) const {
    const auto choice = std::find_if(groups.begin(), groups.end(), [this](const Group& group) {
      return kind_of(group) == GroupKind::kRecurrent && !group.prefix.empty();
    });
    std::vector<std::string> lines;
    for (const Group& group : groups) lines.push_back(describe(group));
    throw_bad_input(concat("the file is not one network: ", reason, "; it has ", join(lines, ", "),
                           choice == groups.end()
                               ? ""
                               : concat("; choose a part by its prefix, e.g. --prefix ", printable(choice->prefix))));
  }

  GroupKind kind_of(const Group& group) const {
    const auto all = [&group](const std::function<bool(const std::string&)>& known) {
      return std::all_of(group.tensors.begin(), group.tensors.end(),
                         [&](const auto& tensor) { return known(tensor.first); });
    };
    if (all([](const std::string& leaf) { return parameter_name(leaf).has_value(); })) return GroupKind::kRecurrent;
    const bool matrix = group.has("weight") && entry(group, "weight").shape.size() == 2 &&
                        all([](const std::string& leaf) { return leaf == "weight" || leaf == "bias"; }) &&
                        (!group.has("bias") || entry(group, "bias").shape.size() == 1);
    return matrix ? GroupKind::kMatrix : GroupKind::kUnknown;
  }

  const SafetensorsTensor& entry(const Group& group, const std::string& leaf) const {
    const auto found = group.tensors.find(leaf);
    if (found == group.tensors.end())
      throw_bad_input(concat("tensor '", printable(leaf), "' is missing from the module '", shown(group), "'"));
    return file_.tensor(found->second);
  }

  const std::vector<std::int64_t>& shape(const Group& group, const std::string& leaf, std::size_t dimensions) const {
    const SafetensorsTensor& found = entry(group, leaf);
    if (found.shape.size() != dimensions || std::count(found.shape.begin(), found.shape.end(), 0) > 0)
      throw_bad_input(concat("tensor '", printable(group.tensors.at(leaf)), "' has shape ", shape_text(found.shape),
                             ", expected ", dimensions, " sizes above 0"));
    return found.shape;
  }

  void expect_shape(const Group& group, const std::string& leaf, const std::vector<std::int64_t>& expected) const {
    const std::vector<std::int64_t>& found = shape(group, leaf, expected.size());
    if (found != expected)
      throw_bad_input(concat("tensor '", printable(group.tensors.at(leaf)), "' is ", shape_text(found), ", expected ",
                             shape_text(expected)));
  }

  std::vector<float> values(const Group& group, const std::string& leaf) const {
    return file_.as_f32(group.tensors.at(leaf));
  }

  // A weight without bias is an embedding when its rows are what the recurrent module reads and its name says so.
  bool embeds(const Group& matrix, std::int64_t inputs) const {
    if (matrix.has("bias") || shape(matrix, "weight", 2)[1] != inputs) return false;
    const std::size_t dot = matrix.prefix.rfind('.');
    return matrix.prefix.substr(dot == std::string::npos ? 0 : dot + 1).starts_with("emb");
  }

  Node& append(const std::string& name, Operation operation) {
    Node node;
    node.name = name;
    node.input = model_.nodes.empty() ? "input" : model_.nodes.back().name;
    node.output = output_value(operation, model_.value(node.input));
    node.operation = std::move(operation);
    model_.nodes.push_back(std::move(node));
    return model_.nodes.back();
  }

  void put(const std::string& name, std::vector<std::int64_t> tensor_shape, const std::vector<float>& tensor_values) {
    model_.tensors[name] = Tensor::from<float>(std::move(tensor_shape), tensor_values);
  }

  void add_embedding(const Group& group) {
    const std::vector<std::int64_t>& size = shape(group, "weight", 2);
    model_.input = {true, 1, {FormatKind::kI32, 1.0f, 0}};
    append("embedding", EmbeddingAttributes{.vocabulary = size[0], .features = size[1]});
    put("embedding.W", size, values(group, "weight"));
  }

  void add_recurrent(const Group& group) {
    std::size_t layers = 0;
    bool bidirectional = false;
    for (const auto& tensor : group.tensors) {
      const ParameterName name = *parameter_name(tensor.first);
      layers = std::max(layers, name.layer + 1);
      bidirectional = bidirectional || name.reverse;
    }
    std::size_t used = 0;
    for (std::size_t layer = 0; layer < layers; ++layer) used += add_layer(group, layer, bidirectional);
    if (used != group.tensors.size())  // e.g. a bias of one kind, or weight_hr in one layer only
      throw_bad_input(concat("the module '", shown(group), "' has ", group.tensors.size(), " tensors, but its ", layers,
                             " ", bidirectional ? "bidirectional " : "", "layers use ", used));
  }

  static std::string leaf_name(std::string_view role, std::size_t layer, bool reverse) {
    return concat(role, "_l", layer, reverse ? "_reverse" : "");
  }

  // Returns how many of the group's tensors it used.
  std::size_t add_layer(const Group& group, std::size_t layer, bool bidirectional) {
    const std::string recurrent_leaf = leaf_name("weight_hh", layer, false);
    const std::vector<std::int64_t>& recurrent = shape(group, recurrent_leaf, 2);
    const bool projected = group.has(leaf_name("weight_hr", layer, false));
    const std::int64_t gates = projected ? 4 : recurrent[0] / recurrent[1];
    if (recurrent[0] % (projected ? 4 : recurrent[1]) != 0 || (gates != 4 && gates != 3 && gates != 1))
      throw_bad_input(concat("tensor '", printable(group.tensors.at(recurrent_leaf)), "' is ", shape_text(recurrent),
                             ", expected 4 (LSTM), 3 (GRU) or 1 (RNN) rows a column"));
    const Kind kind = gates == 4 ? Kind::kLstm : gates == 3 ? Kind::kGru : Kind::kRnn;
    const std::int64_t hidden = recurrent[0] / gates, outputs = recurrent[1];
    const std::int64_t inputs = shape(group, leaf_name("weight_ih", layer, false), 2)[1];
    const std::string before = model_.nodes.empty() ? "input" : model_.nodes.back().name;
    if (inputs != model_.value(before).features)
      throw_bad_input(concat("tensor '", printable(group.tensors.at(leaf_name("weight_ih", layer, false))), "' reads ",
                             inputs, " features, but what comes before gives ", model_.value(before).features));
    const Direction direction = bidirectional ? Direction::kBidirectional : Direction::kForward;
    std::string name;
    switch (kind) {
      case Kind::kLstm:
        name = append(concat("lstm", layer), LstmAttributes{.input_size = inputs,
                                                            .hidden_size = hidden,
                                                            .projection_size = projected ? outputs : 0,
                                                            .direction = direction})
                   .name;
        break;
      case Kind::kGru:
        name = append(concat("gru", layer),
                      GruAttributes{.input_size = inputs, .hidden_size = hidden, .direction = direction})
                   .name;
        break;
      case Kind::kRnn:
        if (!options_.nonlinearity)
          throw_usage(concat("the module '", shown(group),
                             "' is an nn.RNN, and its file does not say which nonlinearity it was trained with; say "
                             "--nonlinearity tanh (torch's default) or relu"));
        name = append(concat("rnn", layer), RnnAttributes{.input_size = inputs,
                                                          .hidden_size = hidden,
                                                          .nonlinearity = *options_.nonlinearity,
                                                          .direction = direction})
                   .name;
        break;
    }
    std::size_t used = 0;
    for (const bool reverse : {false, true}) {
      if (!reverse || bidirectional)
        used += add_direction(group, {name, kind, layer, reverse, inputs, hidden, outputs, projected});
    }
    return used;
  }

  struct LayerDirection {
    std::string node;
    Kind kind;
    std::size_t layer;
    bool reverse;
    std::int64_t inputs, hidden, outputs;
    bool projected;
  };

  std::size_t add_direction(const Group& group, const LayerDirection& at) {
    const auto leaf = [&at](std::string_view role) { return leaf_name(role, at.layer, at.reverse); };
    const auto tensor = [&at](std::string_view role) {
      return concat(at.node, ".", role, at.reverse ? "_reverse" : "");
    };
    const std::span<const std::size_t> order = at.kind == Kind::kLstm  ? std::span<const std::size_t>(kLstmOrder)
                                               : at.kind == Kind::kGru ? std::span<const std::size_t>(kGruOrder)
                                                                       : std::span<const std::size_t>(kRnnOrder);
    const std::int64_t rows = static_cast<std::int64_t>(order.size()) * at.hidden;
    expect_shape(group, leaf("weight_ih"), {rows, at.inputs});
    expect_shape(group, leaf("weight_hh"), {rows, at.outputs});
    put(tensor("W"), {rows, at.inputs}, reordered(values(group, leaf("weight_ih")), order));
    put(tensor("R"), {rows, at.outputs}, reordered(values(group, leaf("weight_hh")), order));
    std::size_t used = 2;

    std::vector<float> input_bias(static_cast<std::size_t>(rows)), recurrent_bias(static_cast<std::size_t>(rows));
    if (group.has(leaf("bias_ih")) || group.has(leaf("bias_hh"))) {
      expect_shape(group, leaf("bias_ih"), {rows});
      expect_shape(group, leaf("bias_hh"), {rows});
      input_bias = reordered(values(group, leaf("bias_ih")), order);
      recurrent_bias = reordered(values(group, leaf("bias_hh")), order);
      used += 2;
    }
    if (at.kind == Kind::kGru) {
      put(tensor("b_recurrent"), {rows}, recurrent_bias);
    } else {
      std::transform(input_bias.begin(), input_bias.end(), recurrent_bias.begin(), input_bias.begin(), std::plus<>());
    }
    put(tensor("b"), {rows}, input_bias);

    if (!at.projected) return used;
    expect_shape(group, leaf("weight_hr"), {at.outputs, at.hidden});
    put(tensor("W_projection"), {at.outputs, at.hidden}, values(group, leaf("weight_hr")));
    put(tensor("b_projection"), {at.outputs}, std::vector<float>(static_cast<std::size_t>(at.outputs)));
    return used + 1;
  }

  static std::vector<float> reordered(const std::vector<float>& source, std::span<const std::size_t> order) {
    const std::size_t block = source.size() / order.size();
    std::vector<float> result;
    result.reserve(source.size());
    for (const std::size_t from : order)
      result.insert(result.end(), source.begin() + static_cast<std::ptrdiff_t>(from * block),
                    source.begin() + static_cast<std::ptrdiff_t>((from + 1) * block));
    return result;
  }

  void add_head(const Group& group, const std::vector<Group>& groups) {
    const std::vector<std::int64_t>& size = shape(group, "weight", 2);
    const std::int64_t features = model_.nodes.back().output.features;
    if (size[1] != features)
      refuse_groups(groups, concat("'", shown(group), "' reads ", size[1], " features, but the recurrent module gives ",
                                   features));
    if (options_.head == TorchHead::kClassifier)
      append(std::string(pooling_name(options_.pooling)), PoolAttributes{options_.pooling});
    append("scores", DenseAttributes{.input_size = size[1], .units = size[0]});
    put("scores.W", size, values(group, "weight"));
    std::vector<float> bias(static_cast<std::size_t>(size[0]));
    if (group.has("bias")) {
      expect_shape(group, "bias", {size[0]});
      bias = values(group, "bias");
    }
    put("scores.b", {size[0]}, bias);
  }

  const SafetensorsFile& file_;
  const TorchOptions& options_;
  Model model_;
};

}  // namespace

Model model_from_torch(const SafetensorsFile& file, const TorchOptions& options) {
  return Converter(file, options).convert();
}

}  // namespace quaver
