#include "quaver/io/torch/torch_names.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <functional>
#include <map>
#include <span>
#include <utility>
#include <vector>

#include "quaver/core/error.h"
#include "quaver/core/printable.h"
#include "quaver/core/text.h"
#include "quaver/io/torch/torch_roles.h"

namespace quaver {
namespace {

// PyTorch's blocks of rows in our order: i,f,g,o -> i,o,f,c and r,z,n -> z,r,h.
constexpr std::array<std::size_t, 4> kLstmOrder{0, 3, 1, 2};
constexpr std::array<std::size_t, 3> kGruOrder{1, 0, 2};
constexpr std::array<std::size_t, 1> kRnnOrder{0};
constexpr std::size_t kMaxLayers = 1000;

constexpr std::array<std::pair<TorchRole, std::string_view>, 4> kRoles{{{TorchRole::kEmbedding, "embedding"},
                                                                        {TorchRole::kRecurrent, "rnn"},
                                                                        {TorchRole::kHead, "head"},
                                                                        {TorchRole::kIgnored, "ignore"}}};

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
  std::optional<TorchRole> said = {};          // by the user

  bool has(const std::string& leaf) const { return tensors.contains(leaf); }
};

enum class GroupKind { kRecurrent, kMatrix, kUnknown };

// nn.LSTMCell, GRUCell and RNNCell name their one layer without a number.
bool names_a_cell(const std::string& leaf) {
  return leaf == "weight_ih" || leaf == "weight_hh" || leaf == "bias_ih" || leaf == "bias_hh";
}

constexpr std::size_t kMostListed = 12;  // modules in a message

class Converter {
 public:
  Converter(const SafetensorsFile& file, const TorchOptions& options) : file_(file), options_(options) {}

  TorchImport convert() {
    if (options_.nonlinearity && *options_.nonlinearity != Nonlinearity::kTanh &&
        *options_.nonlinearity != Nonlinearity::kRelu)
      throw_usage(concat("nn.RNN has nonlinearity tanh or relu, not ", nonlinearity_name(*options_.nonlinearity)));
    find_groups();
    check_memory();
    const Group& recurrent = the_recurrent();
    const std::int64_t inputs = shape(recurrent, "weight_ih_l0", 2)[1];
    const Group *embedding = nullptr, *head = nullptr;
    for (const Group& group : groups_) {
      if (&group == &recurrent) continue;
      const TorchRole role = place(group, recurrent);
      const Group*& taken = role == TorchRole::kEmbedding ? embedding : head;
      if (taken != nullptr)
        refuse(concat("it holds more than one ", role == TorchRole::kEmbedding ? "Embedding" : "Linear", ", '",
                      shown(*taken), "' and '", shown(group), "', and the file does not say what lies between them"),
               &group);
      taken = &group;
      modules_.push_back({group.prefix, role});
    }

    model_.name = options_.name;
    if (embedding != nullptr)
      add_embedding(*embedding);
    else
      model_.inputs = {{"input", {{inputs}, true, {}}}};
    add_recurrent(recurrent);
    if (head != nullptr) add_head(*head);
    model_.outputs = {model_.nodes.back().name};
    model_.provenance["source"] = "PyTorch weights";
    validate(model_);
    modules_.push_back({recurrent.prefix, TorchRole::kRecurrent});
    std::ranges::sort(modules_, {}, &TorchPlacement::name);
    return {std::move(model_), std::move(modules_)};
  }

 private:
  // ---- what the file holds -----------------------------------------------------------------------------------------

  // What the user said of the tensor: the longest name that is its own, or a module's that it lies in.
  const std::pair<const std::string, TorchRole>* said_of(const std::string& tensor) const {
    const std::pair<const std::string, TorchRole>* longest = nullptr;
    for (const auto& said : options_.roles) {
      const bool fits = tensor == said.first || tensor.starts_with(with_dot(said.first));
      if (fits && (longest == nullptr || said.first.size() > longest->first.size())) longest = &said;
    }
    return longest;
  }

  void find_groups() {
    if (file_.tensors().empty()) throw_bad_input("the file holds no tensor");
    std::map<std::string, Group> groups;
    std::map<std::string, std::size_t> uses;  // of what the user said
    for (const auto& [name, tensor] : file_.tensors()) {
      const std::size_t dot = name.rfind('.');
      std::string prefix = dot == std::string::npos ? "" : name.substr(0, dot);
      std::string leaf = dot == std::string::npos ? name : name.substr(dot + 1);
      // A prefix chooses whole modules: "rnn" is not the beginning of "rnn2.weight_ih_l0".
      if (!options_.prefix.empty() && !concat(prefix, ".").starts_with(with_dot(options_.prefix))) continue;
      const auto* said = said_of(name);
      if (said != nullptr) ++uses[said->first];
      if (said != nullptr && said->second == TorchRole::kIgnored) {
        modules_.push_back({name, TorchRole::kIgnored});
        continue;
      }
      // A matrix that is told by its own name and not called "weight" is a module of its own.
      if (said != nullptr && said->first == name && said->second != TorchRole::kRecurrent && leaf != "weight") {
        prefix = name;
        leaf = "weight";
      }
      Group& group = groups[prefix];
      group.prefix = prefix;
      if (said != nullptr) group.said = said->second;
      if (group.said == TorchRole::kRecurrent && names_a_cell(leaf)) leaf += "_l0";
      group.tensors[leaf] = name;
    }
    for (auto& [prefix, group] : groups) groups_.push_back(std::move(group));
    for (const auto& [name, role] : options_.roles) {
      if (!uses.contains(name))
        throw_usage(concat("--map ", printable(name), "=", torch_role_name(role),
                           ": no tensor that is left has this "
                           "name or lies in a module of this name; the file has ",
                           list_text()));
    }
    if (groups_.empty()) {
      const std::string prefix = options_.prefix;
      throw_bad_input(concat("no tensor lies below the prefix '", printable(prefix),
                             "'; the file has: ", Converter(file_, {}).whole_list()));
    }
  }

  std::string whole_list() {
    find_groups();
    return list_text();
  }

  void check_memory() const {
    std::uint64_t elements = 0;
    for (const Group& group : groups_) {
      for (const auto& [leaf, name] : group.tensors) {
        const SafetensorsTensor& tensor = file_.tensor(name);
        elements += tensor.byte_count / type_bytes(tensor.dtype);
      }
    }
    require_memory("the weights have", elements * sizeof(float), options_.max_memory);
  }

  static std::string with_dot(const std::string& prefix) { return prefix.ends_with('.') ? prefix : prefix + "."; }
  static std::string shown(const Group& group) {
    return group.prefix.empty() ? "(no prefix)" : printable(group.prefix);
  }

  std::string list_text() const {
    std::vector<std::string> lines;
    for (const Group& group : groups_) {
      if (lines.size() == kMostListed) {
        lines.push_back(concat(groups_.size() - kMostListed, " more"));
        break;
      }
      lines.push_back(describe(group));
    }
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
    return concat("'", shown(group), "' (", printable(odd_leaf(group)), ")");
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

  // ---- what cannot be placed ---------------------------------------------------------------------------------------

  // Of a module that is unknown: the first tensor that makes it so.
  static const std::string& odd_leaf(const Group& group) {
    const auto is_parameter = [](const auto& tensor) { return parameter_name(tensor.first).has_value(); };
    const bool recurrent = std::ranges::any_of(group.tensors, is_parameter);
    for (const auto& tensor : group.tensors) {
      if (recurrent ? !is_parameter(tensor) : tensor.first != "weight" && tensor.first != "bias") return tensor.first;
    }
    return group.has("weight") ? group.tensors.find("weight")->first : group.tensors.begin()->first;
  }

  // What a tensor of no known module looks like, and what to do about it.
  std::string looks_like(const Group& group, const std::string& leaf) const {
    const SafetensorsTensor& tensor = entry(group, leaf);
    const auto has = [&group](const char* name) { return group.has(name); };
    if (has("running_mean") || has("running_var") || has("num_batches_tracked"))
      return "part of a BatchNorm, which is not supported yet";
    if (names_a_cell(leaf))
      return concat("part of an nn.LSTMCell, GRUCell or RNNCell; --map ", printable(group.prefix),
                    "=rnn takes it as one layer");
    if (leaf.starts_with("weight_ih") || leaf.starts_with("weight_hh"))
      return leaf.ends_with("_g") || leaf.ends_with("_v")
                 ? "half of a weight under weight_norm; fold it with torch.nn.utils.remove_weight_norm before saving"
                 : "a parameter of recurrent layers in a form that is not known";
    if (leaf.starts_with("in_proj") || has("in_proj_weight")) return "part of an attention, which is not supported yet";
    if (leaf.ends_with("kernel") || leaf == "recurrent_kernel") return "named by Keras, whose files are not read yet";
    if (leaf == "weight" && tensor.shape.size() > 2) return "a convolution, which is not supported yet";
    if (leaf == "weight" && tensor.shape.size() == 1 && has("bias"))
      return "a norm over features (LayerNorm, GroupNorm), which is not supported yet";
    if (tensor.shape.size() == 2 && leaf != "weight" && leaf != "bias")
      return "a matrix; an Embedding or a Linear without bias is called NAME.weight";
    return "no part of recurrent layers, an Embedding or a Linear";
  }

  [[noreturn]] void refuse_tensor(const Group& group, const std::string& leaf, const std::string& reason) const {
    const std::string name = group.tensors.at(leaf);
    refuse(concat("tensor '", printable(name), "' (", shape_text(entry(group, leaf).shape),
                  ") cannot be placed: ", reason),
           &group);
  }

  // stray: what a --map could speak of, or null.
  [[noreturn]] void refuse(const std::string& reason, const Group* stray) const {
    std::string advice;
    if (stray != nullptr)
      advice = concat("; --map ", printable(stray->prefix.empty() ? stray->tensors.begin()->second : stray->prefix),
                      "=ignore leaves it out",
                      kind_of(*stray) == GroupKind::kMatrix ? ", =head or =embedding says what it is" : "");
    const auto choice = std::find_if(groups_.begin(), groups_.end(), [this](const Group& group) {
      return kind_of(group) == GroupKind::kRecurrent && !group.prefix.empty() && group.prefix != options_.prefix;
    });
    if (choice != groups_.end() && groups_.size() > 1)
      advice += concat("; --prefix ", printable(choice->prefix), " takes that part alone");
    throw_bad_input(concat("the file is not one network: ", reason, "; it has ", list_text(), advice));
  }

  // ---- what each module is -----------------------------------------------------------------------------------------

  const Group& the_recurrent() const {
    const Group* found = nullptr;
    for (const Group& group : groups_) {
      const bool recurrent = kind_of(group) == GroupKind::kRecurrent;
      if (group.said == TorchRole::kRecurrent && !recurrent)
        refuse_tensor(group, odd_leaf(group),
                      concat("it is said to be recurrent (--map), but is ", looks_like(group, odd_leaf(group))));
      if (!recurrent || (group.said && group.said != TorchRole::kRecurrent)) continue;
      if (found != nullptr)
        refuse(concat("it holds more than one recurrent module, '", shown(*found), "' and '", shown(group), "'"),
               &group);
      found = &group;
    }
    if (found != nullptr) return *found;
    for (const Group& group : groups_) {
      if (kind_of(group) == GroupKind::kUnknown) refuse_unknown(group);
    }
    refuse("it holds no recurrent module (weight_ih_l0, weight_hh_l0, ...)", nullptr);
  }

  [[noreturn]] void refuse_unknown(const Group& group) const {
    const std::string& leaf = odd_leaf(group);
    refuse_tensor(group, leaf, concat("it looks like ", looks_like(group, leaf)));
  }

  struct LayerShape {
    Kind kind;
    std::int64_t inputs, hidden, outputs;  // outputs: of one direction
    bool projected;
  };

  LayerShape layer_shape(const Group& group, std::size_t layer) const {
    const std::string recurrent_leaf = leaf_name("weight_hh", layer, false);
    const std::vector<std::int64_t>& recurrent = shape(group, recurrent_leaf, 2);
    const bool projected = group.has(leaf_name("weight_hr", layer, false));
    const std::int64_t gates = projected ? 4 : recurrent[0] / recurrent[1];
    if (recurrent[0] % (projected ? 4 : recurrent[1]) != 0 || (gates != 4 && gates != 3 && gates != 1))
      throw_bad_input(concat("tensor '", printable(group.tensors.at(recurrent_leaf)), "' is ", shape_text(recurrent),
                             ", expected 4 (LSTM), 3 (GRU) or 1 (RNN) rows a column"));
    return {.kind = gates == 4   ? Kind::kLstm
                    : gates == 3 ? Kind::kGru
                                 : Kind::kRnn,
            .inputs = shape(group, leaf_name("weight_ih", layer, false), 2)[1],
            .hidden = recurrent[0] / gates,
            .outputs = recurrent[1],
            .projected = projected};
  }

  struct Extent {
    std::size_t layers = 0;
    bool bidirectional = false;
  };

  static Extent extent_of(const Group& recurrent) {
    Extent extent;
    for (const auto& tensor : recurrent.tensors) {
      const ParameterName name = *parameter_name(tensor.first);
      extent.layers = std::max(extent.layers, name.layer + 1);
      extent.bidirectional = extent.bidirectional || name.reverse;
    }
    return extent;
  }

  // Features that the recurrent layers give at each step.
  std::int64_t outputs_of(const Group& recurrent) const {
    const Extent extent = extent_of(recurrent);
    std::int64_t outputs = 0;
    for (std::size_t layer = 0; layer < extent.layers; ++layer) outputs = layer_shape(recurrent, layer).outputs;
    return outputs * (extent.bidirectional ? 2 : 1);
  }

  // Places in one Sequential: "1" and "net.4" lie behind "0" and "net.3".
  static bool lies_behind(const Group& group, const Group& recurrent) {
    const auto place = [](const std::string& prefix) -> std::optional<std::pair<std::string, std::size_t>> {
      const std::size_t begin = prefix.rfind('.') == std::string::npos ? 0 : prefix.rfind('.') + 1;
      std::size_t number = 0;
      const char* end = prefix.data() + prefix.size();
      const auto [read, error] = std::from_chars(prefix.data() + begin, end, number);
      if (error != std::errc() || read != end) return std::nullopt;
      return std::pair(prefix.substr(0, begin), number);
    };
    const auto own = place(group.prefix), other = place(recurrent.prefix);
    return own && other && own->first == other->first && own->second > other->second;
  }

  TorchRole place(const Group& group, const Group& recurrent) const {
    if (kind_of(group) == GroupKind::kUnknown) refuse_unknown(group);
    if (kind_of(group) == GroupKind::kRecurrent)
      refuse_tensor(group, group.tensors.begin()->first, "recurrent layers are no Embedding and no Linear");
    const std::int64_t inputs = shape(recurrent, "weight_ih_l0", 2)[1], outputs = outputs_of(recurrent);
    const std::vector<std::int64_t>& size = shape(group, "weight", 2);
    const bool bias = group.has("bias");
    const bool may_embed = !bias && size[1] == inputs, may_head = size[1] == outputs;
    const bool may_precede = size[0] == inputs;  // a Linear before the recurrent layers
    NameSays says = name_says(group.prefix);
    if (group.said == TorchRole::kEmbedding) says = NameSays::kEmbedding;
    if (group.said == TorchRole::kHead) says = NameSays::kHead;
    if (says == NameSays::kNothing && lies_behind(group, recurrent)) says = NameSays::kLinear;
    switch (says) {
      case NameSays::kEmbedding:
        if (may_embed) return TorchRole::kEmbedding;
        refuse_tensor(
            group, "weight",
            bias ? concat("an Embedding has no bias, but there is '", printable(group.tensors.at("bias")), "'")
                 : concat("as an Embedding it gives ", size[1], " features, but the recurrent module reads ", inputs));
      case NameSays::kEncoder:
        if (may_embed && !may_precede) return TorchRole::kEmbedding;
        break;
      case NameSays::kHead:
        if (may_head) return TorchRole::kHead;
        refuse_tensor(group, "weight",
                      concat("'", shown(group), "' reads ", size[1], " features, but the recurrent module gives ",
                             outputs, behind_another(group, size[1])));
      case NameSays::kLinear:
        // Only a square one is as likely to stand before: the head of a forecast or a mask gives what the layers read.
        if (may_head && (!may_precede || size[0] != size[1])) return TorchRole::kHead;
        if (!may_head && !may_precede)
          refuse_tensor(group, "weight",
                        concat("'", shown(group), "' reads ", size[1], " features, but the recurrent module gives ",
                               outputs, behind_another(group, size[1])));
        break;
      case NameSays::kNothing: break;
    }
    std::vector<std::string> fits;
    if (may_embed) fits.push_back("an Embedding that the recurrent module reads");
    if (may_precede) fits.push_back("a Linear before the recurrent module (not supported yet)");
    if (may_head) fits.push_back("a Linear behind it");
    refuse_tensor(group, "weight",
                  fits.empty() ? concat("it fits neither before nor behind the recurrent module, which reads ", inputs,
                                        " features and gives ", outputs)
                               : concat("by its shape it may be ", join(fits, " or "),
                                        fits.size() > 1 ? ", and its name does not say which"
                                                        : ", and its name does not say so"));
  }

  // " (...)" when another Linear gives what this one reads.
  std::string behind_another(const Group& group, std::int64_t features) const {
    for (const Group& other : groups_) {
      if (&other == &group || kind_of(other) != GroupKind::kMatrix || entry(other, "weight").shape[0] != features)
        continue;
      return concat(" ('", shown(other), "' gives ", features, "; one Linear behind another is not supported yet)");
    }
    return "";
  }

  // ---- tensors -----------------------------------------------------------------------------------------------------

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

  Node& append(const std::string& name, Operation operation) {
    Node node;
    node.name = name;
    node.inputs = {model_.nodes.empty() ? "input" : model_.nodes.back().name};
    node.outputs = {output_value(operation, model_.value(node.inputs[0]))};
    node.operation = std::move(operation);
    model_.nodes.push_back(std::move(node));
    return model_.nodes.back();
  }

  void put(const std::string& name, std::vector<std::int64_t> tensor_shape, const std::vector<float>& tensor_values) {
    model_.tensors[name] = Tensor::from<float>(std::move(tensor_shape), tensor_values);
  }

  void add_embedding(const Group& group) {
    const std::vector<std::int64_t>& size = shape(group, "weight", 2);
    model_.inputs = {{"input", {{1}, true, {NumberType::kI32, 1.0f, 0}}}};
    append("embedding", EmbeddingAttributes{.vocabulary = size[0], .features = size[1]});
    put("embedding.W", size, values(group, "weight"));
  }

  void add_recurrent(const Group& group) {
    const auto [layers, bidirectional] = extent_of(group);
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
    const auto [kind, inputs, hidden, outputs, projected] = layer_shape(group, layer);
    const std::string before = model_.nodes.empty() ? "input" : model_.nodes.back().name;
    if (inputs != model_.value(before).size())
      throw_bad_input(concat("tensor '", printable(group.tensors.at(leaf_name("weight_ih", layer, false))), "' reads ",
                             inputs, " features, but what comes before gives ", model_.value(before).size()));
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

  void add_head(const Group& group) {
    const std::vector<std::int64_t>& size = shape(group, "weight", 2);
    if (options_.head == TorchHead::kClassifier) {
      // After the last step a forward direction is in its final state.
      const bool forward = direction_of(model_.nodes.back().operation) == Direction::kForward;
      const Pooling pooling = options_.pooling == Pooling::kFinal && forward ? Pooling::kLast : options_.pooling;
      append(std::string(pooling_name(pooling)), PoolAttributes{pooling});
    }
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
  TorchOptions options_;
  std::vector<Group> groups_;  // by prefix
  std::vector<TorchPlacement> modules_;
  Model model_;
};

}  // namespace

TorchRole torch_role_from_name(std::string_view name) {
  for (const auto& [role, known] : kRoles) {
    if (known == name) return role;
  }
  throw_usage(concat("unknown role '", printable(name), "' of a tensor (there are embedding, rnn, head, ignore)"));
}

std::string_view torch_role_name(TorchRole role) {
  return std::ranges::find(kRoles, role, &std::pair<TorchRole, std::string_view>::first)->second;
}

TorchImport import_torch(const SafetensorsFile& file, const TorchOptions& options) {
  return Converter(file, options).convert();
}

Model model_from_torch(const SafetensorsFile& file, const TorchOptions& options) {
  return import_torch(file, options).model;
}

}  // namespace quaver
