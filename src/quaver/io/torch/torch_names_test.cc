#include "quaver/io/torch/torch_names.h"

#include <gtest/gtest.h>

#include <cmath>
#include <deque>
#include <iostream>
#include <limits>
#include <tuple>

#include "quaver/core/random.h"
#include "quaver/io/container/test_support.h"
#include "quaver/io/torch/torch_roles.h"
#include "quaver/npz/npz.h"
#include "support/places.h"

namespace quaver {
namespace {

using io_test::bytes_of;
using io_test::contains;
using io_test::error_of;

using Vector = std::vector<double>;
using Sequence = std::vector<Vector>;  // of time steps

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

// Torch's state_dict: named tensors that own their values.
struct StateDict {
  std::map<std::string, SafetensorsEntry> entries;
  std::deque<std::vector<float>> values;

  std::vector<float>& add(const std::string& name, std::vector<std::int64_t> shape, Random& random) {
    std::size_t count = 1;
    for (const std::int64_t size : shape) count *= static_cast<std::size_t>(size);
    std::vector<float>& added = values.emplace_back(count);
    for (float& value : added) value = static_cast<float>(random.uniform(-1, 1));
    entries[name] = {NumberType::kF32, std::move(shape), std::as_bytes(std::span(added))};
    return added;
  }
  std::string text() const { return io_test::safetensors_text(entries, {}); }
  Model model(const TorchOptions& options = {}) const {
    const std::string file = text();
    return model_from_torch(SafetensorsFile::parse(bytes_of(file)), options);
  }
};

// W[first row + row] . x, with W [rows, x.size()].
double row_product(std::span<const float> matrix, std::size_t row, const Vector& x) {
  double sum = 0;
  for (std::size_t i = 0; i < x.size(); ++i) sum += static_cast<double>(matrix[row * x.size() + i]) * x[i];
  return sum;
}

// One direction of one layer of the model, in the order and with the names of model.h.
Sequence run_direction(const Model& model, const Node& node, const std::string& suffix, Sequence input) {
  const auto tensor = [&](const char* name) { return model.tensor(concat(node.name, ".", name, suffix)).as<float>(); };
  const auto W = tensor("W"), R = tensor("R"), b = tensor("b");
  const bool reverse = !suffix.empty();
  if (reverse) std::ranges::reverse(input);
  Sequence outputs;
  const auto* lstm = std::get_if<LstmAttributes>(&node.operation);
  const auto* gru = std::get_if<GruAttributes>(&node.operation);
  const auto* rnn = std::get_if<RnnAttributes>(&node.operation);
  const auto n = static_cast<std::size_t>(lstm != nullptr  ? lstm->hidden_size
                                          : gru != nullptr ? gru->hidden_size
                                                           : rnn->hidden_size);
  Vector h(lstm != nullptr ? static_cast<std::size_t>(lstm->output_size()) : n), c(n);
  for (const Vector& x : input) {
    const auto a = [&](std::size_t gate, std::size_t j) {
      return row_product(W, gate * n + j, x) + static_cast<double>(b[gate * n + j]);
    };
    const auto u = [&](std::size_t gate, std::size_t j) { return row_product(R, gate * n + j, h); };
    Vector next(n);
    for (std::size_t j = 0; j < n; ++j) {
      if (lstm != nullptr) {  // i, o, f, c
        const double i = sigmoid(a(0, j) + u(0, j)), o = sigmoid(a(1, j) + u(1, j)), f = sigmoid(a(2, j) + u(2, j));
        c[j] = f * c[j] + i * std::tanh(a(3, j) + u(3, j));
        next[j] = o * std::tanh(c[j]);
      } else if (gru != nullptr) {  // z, r, h
        const auto v = tensor("b_recurrent");
        const auto at = [&](std::size_t gate) { return static_cast<double>(v[gate * n + j]); };
        const double z = sigmoid(a(0, j) + u(0, j) + at(0)), r = sigmoid(a(1, j) + u(1, j) + at(1));
        const double candidate = std::tanh(a(2, j) + r * (u(2, j) + at(2)));
        next[j] = (1 - z) * candidate + z * h[j];
      } else {
        const double sum = a(0, j) + u(0, j);
        next[j] = rnn->nonlinearity == Nonlinearity::kTanh ? std::tanh(sum) : std::max(sum, 0.0);
      }
    }
    h = next;
    if (lstm != nullptr && lstm->projection_size > 0) {
      h.assign(static_cast<std::size_t>(lstm->projection_size), 0.0);
      for (std::size_t k = 0; k < h.size(); ++k)
        h[k] = row_product(tensor("W_projection"), k, next) + static_cast<double>(tensor("b_projection")[k]);
    }
    outputs.push_back(h);
  }
  if (reverse) std::ranges::reverse(outputs);
  return outputs;
}

// The recurrent layers of a model, in double.
Sequence run(const Model& model, Sequence sequence) {
  for (const Node& node : model.nodes) {
    Sequence outputs(sequence.size());
    for (const std::string& suffix : direction_suffixes(*direction_of(node.operation))) {
      const Sequence half = run_direction(model, node, suffix, sequence);
      for (std::size_t t = 0; t < half.size(); ++t) outputs[t].insert(outputs[t].end(), half[t].begin(), half[t].end());
    }
    sequence = std::move(outputs);
  }
  return sequence;
}

struct TorchModule {
  std::string kind;  // LSTM, GRU, RNN
  std::size_t inputs, hidden, projection, layers;
  bool bidirectional, biased;
  std::string prefix;
};
void PrintTo(const TorchModule& module, std::ostream* out) { *out << module.kind; }

StateDict make(const TorchModule& m, std::uint64_t seed) {
  StateDict state;
  Random random(seed);
  const std::size_t gates = m.kind == "LSTM" ? 4 : m.kind == "GRU" ? 3 : 1;
  const std::size_t outputs = m.projection > 0 ? m.projection : m.hidden;
  const auto size = [](std::size_t value) { return static_cast<std::int64_t>(value); };
  for (std::size_t layer = 0; layer < m.layers; ++layer) {
    const std::size_t inputs = layer == 0 ? m.inputs : outputs * (m.bidirectional ? 2 : 1);
    for (std::size_t d = 0; d < (m.bidirectional ? 2u : 1u); ++d) {
      const std::string end = concat("_l", layer, d == 1 ? "_reverse" : "");
      state.add(m.prefix + "weight_ih" + end, {size(gates * m.hidden), size(inputs)}, random);
      state.add(m.prefix + "weight_hh" + end, {size(gates * m.hidden), size(outputs)}, random);
      if (m.biased) {
        state.add(m.prefix + "bias_ih" + end, {size(gates * m.hidden)}, random);
        state.add(m.prefix + "bias_hh" + end, {size(gates * m.hidden)}, random);
      }
      if (m.projection > 0) state.add(m.prefix + "weight_hr" + end, {size(outputs), size(m.hidden)}, random);
    }
  }
  return state;
}

// torch.nn.LSTM, GRU and RNN as PyTorch's documentation defines them, from the state_dict's own names and orders.
Sequence run_torch(const TorchModule& m, const StateDict& state, Sequence sequence) {
  const std::string text = state.text();
  const SafetensorsFile file = SafetensorsFile::parse(bytes_of(text));
  const std::size_t n = m.hidden;
  for (std::size_t layer = 0; layer < m.layers; ++layer) {
    Sequence outputs(sequence.size());
    for (std::size_t d = 0; d < (m.bidirectional ? 2u : 1u); ++d) {
      const auto values = [&](const char* role) {
        const std::string name = concat(m.prefix, role, "_l", layer, d == 1 ? "_reverse" : "");
        return file.tensors().contains(name) ? file.as_f32(name) : std::vector<float>(4 * n);
      };
      const auto w_ih = values("weight_ih"), w_hh = values("weight_hh"), b_ih = values("bias_ih"),
                 b_hh = values("bias_hh");
      Vector h(m.projection > 0 ? m.projection : n), c(n);
      for (std::size_t step = 0; step < sequence.size(); ++step) {
        const std::size_t t = d == 1 ? sequence.size() - 1 - step : step;
        const auto from_x = [&](std::size_t block, std::size_t j) {
          return row_product(w_ih, block * n + j, sequence[t]) + static_cast<double>(b_ih[block * n + j]);
        };
        const auto from_h = [&](std::size_t block, std::size_t j) {
          return row_product(w_hh, block * n + j, h) + static_cast<double>(b_hh[block * n + j]);
        };
        Vector next(n);
        for (std::size_t j = 0; j < n; ++j) {
          if (m.kind == "LSTM") {  // i, f, g, o
            const double i = sigmoid(from_x(0, j) + from_h(0, j)), f = sigmoid(from_x(1, j) + from_h(1, j));
            const double g = std::tanh(from_x(2, j) + from_h(2, j)), o = sigmoid(from_x(3, j) + from_h(3, j));
            c[j] = f * c[j] + i * g;
            next[j] = o * std::tanh(c[j]);
          } else if (m.kind == "GRU") {  // r, z, n
            const double r = sigmoid(from_x(0, j) + from_h(0, j)), z = sigmoid(from_x(1, j) + from_h(1, j));
            next[j] = (1 - z) * std::tanh(from_x(2, j) + r * from_h(2, j)) + z * h[j];
          } else {
            next[j] = std::tanh(from_x(0, j) + from_h(0, j));
          }
        }
        h = next;
        if (m.projection > 0) {
          h.assign(m.projection, 0.0);
          for (std::size_t k = 0; k < h.size(); ++k) h[k] = row_product(values("weight_hr"), k, next);
        }
        outputs[t].insert(outputs[t].end(), h.begin(), h.end());
      }
    }
    sequence = std::move(outputs);
  }
  return sequence;
}

Sequence random_sequence(std::size_t steps, std::size_t features, std::uint64_t seed) {
  Random random(seed);
  Sequence sequence(steps, Vector(features));
  for (Vector& step : sequence) {
    for (double& value : step) value = random.uniform(-1, 1);
  }
  return sequence;
}

class TorchModules : public testing::TestWithParam<TorchModule> {};

TEST_P(TorchModules, RunLikeTorch) {
  const TorchModule& module = GetParam();
  const StateDict state = make(module, 5);
  TorchOptions options;
  if (module.kind == "RNN") options.nonlinearity = Nonlinearity::kTanh;
  const Model model = state.model(options);
  EXPECT_EQ(model.nodes.size(), module.layers);
  const Sequence input = random_sequence(9, module.inputs, 6);
  const Sequence expected = run_torch(module, state, input), found = run(model, input);
  for (std::size_t t = 0; t < expected.size(); ++t) {
    ASSERT_EQ(found[t].size(), expected[t].size());
    // The sum of two biases is rounded to float once: |b| < 2, so 2^-24 a gate, amplified by at most a few per step.
    for (std::size_t j = 0; j < expected[t].size(); ++j)
      EXPECT_NEAR(found[t][j], expected[t][j], 1e-5) << t << " " << j;
  }
}

const TorchModule kModules[] = {
    {"LSTM", 3, 4, 0, 1, false, true, ""},
    {"LSTM", 3, 4, 0, 2, true, true, "lstm."},
    {"LSTM", 3, 4, 2, 2, true, true, "encoder.rnn."},
    {"LSTM", 3, 4, 2, 1, false, false, ""},
    {"LSTM", 3, 1, 0, 3, false, true, ""},
    {"GRU", 3, 4, 0, 1, false, true, ""},
    {"GRU", 3, 4, 0, 2, true, true, "gru."},
    {"GRU", 3, 4, 0, 1, false, false, ""},
    {"GRU", 4, 1, 0, 2, false, true, "a.b.c."},
    {"RNN", 3, 4, 0, 1, true, true, ""},
    {"RNN", 3, 4, 0, 2, false, false, "rnn."},
};

INSTANTIATE_TEST_SUITE_P(Generated, TorchModules, testing::ValuesIn(kModules));

// x1 -> y1 of every file of one folder, made by torch itself; the number of cases.
std::size_t check_goldens(const std::filesystem::path& folder) {
  std::size_t cases = 0, values = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() != ".safetensors") continue;
    const std::string name = entry.path().stem().string();
    TorchOptions options;
    if (name.starts_with("rnn"))
      options.nonlinearity = name.find("relu") != std::string::npos ? Nonlinearity::kRelu : Nonlinearity::kTanh;
    const Model model = model_from_torch(SafetensorsFile::open(entry.path()), options);
    const Npz arrays = read_npz(std::filesystem::path(entry.path()).replace_extension(".npz"));
    const NpzArray& x = npz_array(arrays, "x1");
    const std::vector<float> inputs = to_f32(x, "x1"), outputs = to_f32(npz_array(arrays, "y1"), "y1");
    const auto steps = static_cast<std::size_t>(x.shape.at(0)), batch = static_cast<std::size_t>(x.shape.at(1)),
               features = static_cast<std::size_t>(x.shape.at(2)), width = outputs.size() / (steps * batch);
    for (std::size_t b = 0; b < batch; ++b) {
      Sequence sequence;
      for (std::size_t t = 0; t < steps; ++t) {
        const auto begin = inputs.begin() + static_cast<std::ptrdiff_t>((t * batch + b) * features);
        sequence.emplace_back(begin, begin + static_cast<std::ptrdiff_t>(features));
      }
      const Sequence found = run(model, sequence);
      for (std::size_t t = 0; t < steps; ++t) {
        EXPECT_EQ(found[t].size(), width) << name;
        for (std::size_t j = 0; j < std::min(width, found[t].size()); ++j, ++values)
          EXPECT_NEAR(found[t][j], static_cast<double>(outputs[(t * batch + b) * width + j]), 1e-5) << name;
      }
    }
    ++cases;
  }
  std::cout << folder.string() << ": " << cases << " cases, " << values << " outputs within 1e-5\n";
  return cases;
}

TEST(TorchNames, OwnGoldensOfTorch) { EXPECT_GT(check_goldens(testing_support::own_goldens("torch_rnn")), 0u); }

TEST(TorchNames, LargeGoldensOfTorch) {
  const std::filesystem::path goldens = testing_support::large_goldens("torch_rnn");
  if (!std::filesystem::is_directory(goldens))
    GTEST_SKIP() << "no folder " << goldens.string()
                 << " (QUAVER_GOLDENS): of torch_rnn only the small set of the repository was checked";
  EXPECT_GT(check_goldens(goldens), 0u);
}

StateDict classifier(Random& random) {
  StateDict state = make({"LSTM", 3, 4, 0, 1, false, true, "net.lstm."}, 1);
  state.add("net.fc.weight", {2, 4}, random);
  state.add("net.fc.bias", {2}, random);
  return state;
}

TEST(TorchNames, ALinearBecomesTheHead) {
  Random random(1);
  const StateDict state = classifier(random);
  const Model pooled = state.model({.pooling = Pooling::kMean, .name = "kws"});
  EXPECT_EQ(pooled.name, "kws");
  EXPECT_EQ(pooled.nodes.size(), 3u);
  EXPECT_EQ(std::get<PoolAttributes>(pooled.nodes[1].operation).pooling, Pooling::kMean);
  EXPECT_EQ(pooled.outputs, std::vector<std::string>{"scores"});
  EXPECT_FALSE(pooled.value("scores").has_time);
  const Model tagger = state.model({.head = TorchHead::kTagger});
  EXPECT_EQ(tagger.nodes.size(), 2u);
  EXPECT_TRUE(tagger.value("scores").has_time);
  EXPECT_EQ(tagger.tensor("scores.W"), pooled.tensor("scores.W"));
}

TEST(TorchNames, AnEmbeddingReadsIds) {
  Random random(1);
  StateDict state = make({"GRU", 3, 4, 0, 1, true, true, "rnn."}, 1);
  state.add("embedding.weight", {10, 3}, random);
  state.add("out.weight", {5, 8}, random);  // a Linear without bias
  const Model model = state.model();
  EXPECT_EQ(model.inputs[0].value.format.kind, NumberType::kI32);
  EXPECT_EQ(operation_name(model.nodes[0].operation), "embedding");
  EXPECT_EQ(model.value("scores").size(), 5);
  for (const float value : model.tensor("scores.b").as<float>()) EXPECT_EQ(value, 0.0f);
}

TEST(TorchNames, HalvesAndDoublesBecomeFloats) {
  Random random(1);
  StateDict state = classifier(random);
  const std::vector<std::uint16_t> ones(8, 0x3c00);
  state.entries["net.fc.weight"] = {NumberType::kF16, {2, 4}, std::as_bytes(std::span(ones))};
  const std::vector<double> thirds(2, 1.0 / 3.0);
  state.entries["net.fc.bias"] = {NumberType::kF64, {2}, std::as_bytes(std::span(thirds))};
  const Model model = state.model();
  EXPECT_EQ(model.tensor("scores.W").as<float>()[7], 1.0f);
  EXPECT_EQ(model.tensor("scores.b").as<float>()[0], 1.0f / 3.0f);
}

TEST(TorchNames, SeveralModulesAreListedAndOneIsChosen) {
  Random random(1);
  StateDict state = classifier(random);
  StateDict other = make({"GRU", 3, 4, 0, 1, false, true, "net.lstm2."}, 2);
  state.entries.merge(other.entries);
  const std::string error = error_of([&] { state.model(); });
  EXPECT_TRUE(contains(error, "more than one recurrent module"));
  EXPECT_TRUE(contains(error, "'net.fc' (2x4 Linear), 'net.lstm' (recurrent), 'net.lstm2' (recurrent)"));
  EXPECT_TRUE(contains(error, "--prefix net.lstm"));
  EXPECT_EQ(operation_name(state.model({.prefix = "net.lstm"}).nodes.at(0).operation), "lstm");
  EXPECT_EQ(operation_name(state.model({.prefix = "net.lstm2."}).nodes.at(0).operation), "gru");
  EXPECT_TRUE(contains(error_of([&] { state.model({.prefix = "decoder"}); }),
                       "no tensor lies below the prefix 'decoder'; the file has: 'net.fc'"));
}

TEST(TorchNames, WhatDoesNotFitIsRefusedWithItsName) {
  Random random(1);
  const auto changed = [&random](const std::function<void(StateDict&)>& change, const TorchOptions& options = {}) {
    StateDict state = classifier(random);
    change(state);
    return error_of([&] { state.model(options); });
  };
  EXPECT_TRUE(contains(changed([](StateDict& s) { s.entries.erase("net.lstm.weight_hh_l0"); }),
                       "'weight_hh_l0' is missing from the module 'net.lstm'"));
  EXPECT_TRUE(
      contains(changed([](StateDict& s) { s.entries.erase("net.lstm.bias_hh_l0"); }), "'bias_hh_l0' is missing"));
  EXPECT_TRUE(contains(changed([](StateDict& s) { s.entries.clear(); }), "the file holds no tensor"));
  EXPECT_TRUE(contains(changed([](StateDict& s) {
                         std::erase_if(s.entries, [](const auto& e) { return e.first.starts_with("net.lstm"); });
                       }),
                       "no recurrent module"));
  EXPECT_TRUE(contains(changed([&](StateDict& s) { s.add("net.norm.running_mean", {4}, random); }),
                       "tensor 'net.norm.running_mean' (4) cannot be placed: it looks like part of a BatchNorm"));
  EXPECT_TRUE(contains(changed([&](StateDict& s) {
                         s.add("net.fc2.weight", {2, 4}, random);
                       }),
                       "more than one Linear, 'net.fc' and 'net.fc2'"));
  EXPECT_TRUE(contains(changed([&](StateDict& s) {
                         s.add("net.fc2.weight", {7, 2}, random);
                       }),
                       "'net.fc2' reads 2 features, but the recurrent module gives 4 ('net.fc' gives 2; one Linear "
                       "behind another is not supported yet)"));
  EXPECT_TRUE(contains(changed([&](StateDict& s) {
                         s.add("net.fc.weight", {2, 5}, random);
                       }),
                       "'net.fc' reads 5 features, but the recurrent module gives 4"));
  EXPECT_TRUE(contains(changed([&](StateDict& s) {
                         s.add("net.lstm.weight_hh_l0", {10, 5}, random);
                       }),
                       "expected 4 (LSTM), 3 (GRU) or 1 (RNN)"));
  EXPECT_TRUE(contains(changed([&](StateDict& s) {
                         s.add("net.lstm.weight_hh_l0", {0, 4}, random);
                       }),
                       "sizes above 0"));
  EXPECT_TRUE(contains(changed([&](StateDict& s) {
                         s.add("net.lstm.weight_ih_l2", {16, 4}, random);
                       }),
                       "'weight_hh_l1' is missing"));
  EXPECT_TRUE(contains(changed([&](StateDict& s) { s.add("net.lstm.bias_ih_l0", {15}, random); }),
                       "'net.lstm.bias_ih_l0' is 15, expected 16"));
  EXPECT_TRUE(contains(changed([&](StateDict& s) { s.add("net.lstm.weight_ih_l99999999999999999999", {1}, random); }),
                       "'net.lstm.weight_ih_l99999999999999999999' (1) cannot be placed"));
  EXPECT_TRUE(contains(changed([](StateDict& s) { s.values.front()[5] = std::numeric_limits<float>::quiet_NaN(); }),
                       "nan at index"));
  EXPECT_EQ(changed([](StateDict&) {}), "");
}

// What names say, apart from shapes.
TEST(TorchNames, NamesSayWhatAMatrixIs) {
  const auto expect_all = [](NameSays says, const std::vector<std::string>& names) {
    for (const std::string& name : names) EXPECT_EQ(name_says(name), says) << name;
  };
  expect_all(NameSays::kEmbedding, {"emb", "embedding", "embed_tokens", "word_embeddings", "wordEmbedding", "wte",
                                    "transformer.wte", "encoder.embedding", "embedding.0", "token_lookup"});
  expect_all(NameSays::kEncoder, {"encoder", "model.encoder"});
  expect_all(NameSays::kHead, {"head", "_head", "lm_head", "head.3", "output.w", "out", "out_proj", "fc_out", "fcOut",
                               "decoder", "decoder.fc_out", "classifier.1", "hidden2tag", "logits", "scores", "mask"});
  expect_all(NameSays::kLinear, {"fc", "fc1", "linear", "model.linear2", "proj", "dense"});
  expect_all(NameSays::kNothing, {"",
                                  "0",
                                  "net.1",
                                  "input_proj",
                                  "fc_in",
                                  "pre_net",
                                  "attn",
                                  "attn.out_proj",
                                  "attention.fc",
                                  "norm",
                                  "layer_norm",
                                  "LayerNorm",
                                  "position_embeddings",
                                  "token_type_embeddings",
                                  "embedding_proj",
                                  "output_embedding",
                                  "decoder.bridge",
                                  "criterion",
                                  "aux_head",
                                  "joint_net.0",
                                  "tokens"});
}

// One recurrent module that reads `inputs` and gives 4, and a matrix.
std::string error_beside_lstm(std::size_t inputs, const std::string& name, std::vector<std::int64_t> shape, bool bias,
                              const TorchOptions& options = {}) {
  Random random(1);
  StateDict state = make({"LSTM", inputs, 4, 0, 1, false, true, "lstm."}, 1);
  state.add(name + ".weight", shape, random);
  if (bias) state.add(name + ".bias", {shape[0]}, random);
  return error_of([&] { state.model(options); });
}

// What may stand before and behind is placed by a name that says where, or refused by its own name.
TEST(TorchNames, AShapeThatFitsTwoPlacesNeedsAName) {
  const auto role_of = [](const std::string& name, std::vector<std::int64_t> shape, bool bias) {
    Random random(1);
    StateDict state = make({"LSTM", 4, 4, 0, 1, false, true, "lstm."}, 1);
    state.add(name + ".weight", shape, random);
    if (bias) state.add(name + ".bias", {shape[0]}, random);
    const std::string file = state.text();
    const TorchImport imported = import_torch(SafetensorsFile::parse(bytes_of(file)));
    for (const TorchPlacement& module : imported.modules)
      if (module.name == name) return std::string(torch_role_name(module.role));
    return std::string();
  };
  for (const char* name : {"word_embeddings", "wte", "embed", "encoder"})
    EXPECT_EQ(role_of(name, {9, 4}, false), "embedding");
  for (const char* name : {"head", "out", "decoder", "fc", "linear"}) EXPECT_EQ(role_of(name, {9, 4}, false), "head");
  for (const char* name : {"head", "out", "decoder", "mask"}) EXPECT_EQ(role_of(name, {4, 4}, true), "head");
  EXPECT_EQ(error_beside_lstm(9, "fc", {9, 4}, true), "") << "it gives what the LSTM reads: a forecast";
  for (const char* name : {"input_proj", "fc", "linear", "proj", "pre", "encoder", "mixer"}) {
    const std::string error = error_beside_lstm(4, name, {4, 4}, true);
    EXPECT_TRUE(contains(error, concat("tensor '", name,
                                       ".weight' (4x4) cannot be placed: by its shape it may be a "
                                       "Linear before the recurrent module (not supported yet) or a "
                                       "Linear behind it, and its name does not say which")));
    EXPECT_TRUE(contains(error, concat("--map ", name, "=ignore")));
  }
  EXPECT_TRUE(
      contains(error_beside_lstm(4, "tokens", {9, 4}, false), "an Embedding that the recurrent module reads or"));
  EXPECT_TRUE(contains(error_beside_lstm(3, "attn", {1, 4}, true), "'attn.weight' (1x4) cannot be placed"));
  EXPECT_TRUE(contains(error_beside_lstm(3, "embedding", {9, 5}, false), "gives 5 features, but the recurrent module"));
  EXPECT_TRUE(contains(error_beside_lstm(3, "embedding", {9, 3}, true), "an Embedding has no bias"));
  EXPECT_TRUE(contains(error_beside_lstm(3, "mixer", {9, 7}, true), "it fits neither before nor behind"));
}

TEST(TorchNames, APlaceInASequentialIsBehindTheOneBefore) {
  Random random(1);
  StateDict state = make({"GRU", 3, 4, 0, 1, false, true, "net.0."}, 1);
  state.add("net.1.weight", {2, 4}, random);
  state.add("net.1.bias", {2}, random);
  EXPECT_EQ(state.model().value("scores").size(), 2);
  StateDict before = make({"GRU", 3, 4, 0, 1, false, true, "net.1."}, 1);
  before.add("net.0.weight", {2, 4}, random);
  EXPECT_TRUE(contains(error_of([&] { before.model(); }), "'net.0.weight' (2x4) cannot be placed"));
}

// The odd tensor is named, not an innocent one before it.
TEST(TorchNames, AStrayTensorIsNamedWithWhatItLooksLike) {
  Random random(1);
  const auto stray = [&](const std::vector<std::pair<std::string, std::vector<std::int64_t>>>& tensors) {
    StateDict state = classifier(random);
    for (const auto& [name, shape] : tensors) state.add(name, shape, random);
    return error_of([&] { state.model(); });
  };
  EXPECT_TRUE(contains(stray({{"net.lstm.weight_hh_l0_g", {16, 1}}}), "'net.lstm.weight_hh_l0_g' (16x1) cannot be"));
  EXPECT_TRUE(contains(stray({{"net.lstm.weight_hh_l0_g", {16, 1}}}), "weight_norm"));
  EXPECT_TRUE(
      contains(stray({{"net.bn.bias", {4}}, {"net.bn.weight", {4}}, {"net.bn.running_var", {4}}}), "BatchNorm"));
  EXPECT_TRUE(contains(stray({{"net.norm.bias", {4}}, {"net.norm.weight", {4}}}), "LayerNorm"));
  EXPECT_TRUE(contains(stray({{"conv.bias", {4}}, {"conv.weight", {4, 3, 5}}}), "'conv.weight' (4x3x5)"));
  EXPECT_TRUE(contains(stray({{"conv.bias", {4}}, {"conv.weight", {4, 3, 5}}}), "a convolution"));
  EXPECT_TRUE(contains(stray({{"attn.in_proj_weight", {12, 4}}}), "an attention"));
  EXPECT_TRUE(contains(stray({{"_initial_state", {2, 4}}}), "'_initial_state' (2x4)"));
  EXPECT_TRUE(contains(stray({{"_initial_state", {2, 4}}}), "--map _initial_state=ignore"));
}

TEST(TorchNames, TheUserSaysWhatNamesDoNot) {
  Random random(1);
  const auto imported = [&](StateDict& state, std::map<std::string, TorchRole> roles) {
    const std::string file = state.text();
    return import_torch(SafetensorsFile::parse(bytes_of(file)), {.roles = std::move(roles)});
  };
  StateDict square = make({"LSTM", 4, 4, 0, 1, false, true, "lstm."}, 1);
  square.add("mixer.weight", {4, 4}, random);
  EXPECT_EQ(imported(square, {{"mixer", TorchRole::kHead}}).model.nodes.size(), 3u);
  EXPECT_EQ(operation_name(imported(square, {{"mixer.weight", TorchRole::kEmbedding}}).model.nodes[0].operation),
            "embedding");
  const TorchImport without = imported(square, {{"mixer", TorchRole::kIgnored}});
  EXPECT_EQ(without.model.nodes.size(), 1u);
  EXPECT_EQ(without.modules,
            (std::vector<TorchPlacement>{{"lstm", TorchRole::kRecurrent}, {"mixer.weight", TorchRole::kIgnored}}));

  // A matrix with a name of its own, a cell, and one of two recurrent modules.
  StateDict bare = make({"GRU", 4, 4, 0, 1, false, true, "gru."}, 1);
  bare.add("E", {9, 4}, random);
  EXPECT_EQ(imported(bare, {{"E", TorchRole::kEmbedding}}).model.nodes.size(), 2u);
  StateDict cell;
  for (const auto& [name, shape] : std::map<std::string, std::vector<std::int64_t>>{
           {"cell.weight_ih", {16, 3}}, {"cell.weight_hh", {16, 4}}, {"cell.bias_ih", {16}}, {"cell.bias_hh", {16}}})
    cell.add(name, shape, random);
  EXPECT_TRUE(contains(error_of([&] { cell.model(); }), "--map cell=rnn"));
  EXPECT_EQ(operation_name(imported(cell, {{"cell", TorchRole::kRecurrent}}).model.nodes.at(0).operation), "lstm");
  StateDict two = make({"GRU", 3, 4, 0, 1, false, true, "a.one."}, 1);
  StateDict other = make({"LSTM", 3, 5, 0, 1, false, true, "a.two."}, 2);
  two.entries.merge(other.entries);
  EXPECT_EQ(operation_name(imported(two, {{"a.one", TorchRole::kIgnored}}).model.nodes.at(0).operation), "lstm");
  // The longer name decides.
  EXPECT_EQ(
      operation_name(
          imported(two, {{"a", TorchRole::kIgnored}, {"a.one", TorchRole::kRecurrent}}).model.nodes.at(0).operation),
      "gru");

  EXPECT_TRUE(contains(error_of(
                           [&] {
                             imported(two, {{"a.three", TorchRole::kIgnored}});
                           },
                           ErrorKind::kUsage),
                       "--map a.three=ignore: no tensor"));
  EXPECT_TRUE(contains(error_of([&] {
                         imported(square, {{"mixer", TorchRole::kRecurrent}});
                       }),
                       "'mixer.weight' (4x4)"));
  EXPECT_TRUE(contains(error_of([&] { imported(two, {{"a.one", TorchRole::kHead}}); }), "no Embedding and no Linear"));
}

TEST(TorchNames, WeightsBeyondTheMemoryAreNotRead) {
  Random random(1);
  const StateDict state = classifier(random);  // 16 x (3 + 4) + 2 x 16 + 2 x 4 + 2 numbers
  EXPECT_EQ(state.model({.max_memory = 4 * 154}).nodes.size(), 3u);
  EXPECT_TRUE(contains(error_of([&] { state.model({.max_memory = 4 * 154 - 1}); }), "616 bytes once decoded"));
}

TEST(TorchNames, AnRnnNeedsItsNonlinearity) {
  const StateDict state = make({"RNN", 3, 4, 0, 1, false, true, ""}, 1);
  EXPECT_TRUE(
      contains(error_of([&] { state.model(); }, ErrorKind::kUsage), "--nonlinearity tanh (torch's default) or relu"));
  EXPECT_EQ(std::get<RnnAttributes>(state.model({.nonlinearity = Nonlinearity::kRelu}).nodes[0].operation).nonlinearity,
            Nonlinearity::kRelu);
  EXPECT_NE(error_of([&] { state.model({.nonlinearity = Nonlinearity::kElu}); }, ErrorKind::kUsage), "");
}

}  // namespace
}  // namespace quaver
