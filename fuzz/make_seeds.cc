// make_seeds.cc - writes the seeds of the fuzzers: the smallest files that reach every kind of node and array.
//
//   make_seeds FOLDER      (the repository's: fuzz/corpus)
//
// model_file/older_* there are of the last programs that wrote models of version 2 and memory networks of version 2.

#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "quaver/core/error.h"
#include "quaver/files/atomic_file.h"
#include "quaver/io/container/safetensors.h"
#include "quaver/io/model_file/memory_file.h"
#include "quaver/io/model_file/model_file.h"
#include "quaver/model/sample_models.h"
#include "quaver/npz/npz.h"

namespace quaver {
namespace {

constexpr Format kCodes{NumberType::kI8, 0.5f, 1};

Model started(const std::string& scheme, const Format& input) {
  Model model;
  model.scheme = scheme;
  model.inputs = {{"input", {{1}, true, input}}};
  return model;
}

Model finished(Model model) {
  samples::fill_tensors(model, 1);
  model.outputs = {model.nodes.back().name};
  return model;
}

Model float_chain() {
  Model model = started("f32", {});
  samples::append(model, "l", LstmAttributes{.input_size = 1, .hidden_size = 1}, "f32", {});
  samples::append(model, "r", RnnAttributes{.input_size = 1, .hidden_size = 1}, "f32", {});
  samples::append(model, "p", PoolAttributes{Pooling::kMax}, "f32", {});
  samples::append(model, "d", DenseAttributes{.input_size = 1, .units = 1}, "f32", {});
  samples::append(model, "s", SoftmaxAttributes{}, "f32", {});
  model = finished(std::move(model));
  const std::vector<float> one{1.0f};
  model.tensors["input.mean"] = model.tensors["input.inverse_deviation"] = Tensor::from<float>({1}, one);
  model.classes = {"a"};
  model.provenance = {{"seed", "1"}};
  return model;
}

Model integer_lstm(bool all_switches) {
  Model model = started("int8", kCodes);
  LstmAttributes lstm{.input_size = 1, .hidden_size = 2};
  if (all_switches) lstm = {1, 2, 1, true, true, true, 1.0f, 1.0f, Direction::kBidirectional};
  samples::append(model, "l", lstm, "int8", kCodes);
  return finished(std::move(model));
}

Model integer_tagger() {
  Model model = started("int8", {NumberType::kI32, 1.0f, 0});
  samples::append(model, "e", EmbeddingAttributes{.vocabulary = 2, .features = 1}, "int8", kCodes);
  samples::append(model, "g", GruAttributes{.input_size = 1, .hidden_size = 1}, "int8_per_tensor",
                  {NumberType::kI8, 0x1p-7f, 0});
  samples::append(model, "d", DenseAttributes{.input_size = 1, .units = 2}, "int8", {NumberType::kI16, 0.5f, 0});
  samples::append(model, "s", SoftmaxAttributes{}, "int8", {NumberType::kI16, 0x1p-15f, 0});
  samples::append(model, "a", ArgmaxAttributes{}, "int8", {NumberType::kI32, 1.0f, 0}, {"d"});
  return finished(std::move(model));
}

// What the other seeds lack: a table, a pool on codes, an edge that is converted.
Model integer_classifier() {
  Model model = started("int8", kCodes);
  samples::append(model, "r", RnnAttributes{.input_size = 1, .hidden_size = 1, .nonlinearity = Nonlinearity::kRelu},
                  "f32", {});
  samples::append(model, "t", ActivationAttributes{Nonlinearity::kElu}, "int8", kCodes).formats["input"] = kCodes;
  samples::append(model, "p", PoolAttributes{Pooling::kMean}, "int8", kCodes);
  return finished(std::move(model));
}

Model four_bit_gru() {
  Model model = started("int4", kCodes);
  samples::append(model, "g", GruAttributes{.input_size = 1, .hidden_size = 1}, "int4", {NumberType::kI8, 0x1p-7f, 0});
  return finished(std::move(model));
}

// Packed tables, of rows that fill their last byte up; scales a row and a gate.
Model few_bit_tagger() {
  const Format codes{NumberType::kI8, 0.5f, 0};
  Model model = started("quaternary", {NumberType::kI32, 1.0f, 0});
  samples::append(model, "e", EmbeddingAttributes{.vocabulary = 2, .features = 3}, "quaternary", codes, {"input"});
  samples::append(model, "f", EmbeddingAttributes{.vocabulary = 3, .features = 3}, "int4", codes, {"input"});
  samples::append(model, "a", ConcatAttributes{}, "int8", codes, {"e", "f"});
  samples::append(model, "r", RnnAttributes{.input_size = 6, .hidden_size = 1}, "ternary_per_tensor",
                  {NumberType::kI8, 0x1p-7f, 0});
  return finished(std::move(model));
}

// Codes of 16 bits from the table to the outputs.
Model integer_wide() {
  const Format state{NumberType::kI16, 0x1p-15f, 0};
  Model model = started("int8", {NumberType::kI32, 1.0f, 0});
  samples::append(model, "e", EmbeddingAttributes{.vocabulary = 2, .features = 1}, "int8",
                  {NumberType::kI16, 0x1p-15f, 0});
  samples::append(model, "l", LstmAttributes{.input_size = 1, .hidden_size = 1}, "int8", state).sums = Sums::kWhole;
  samples::append(model, "g", GruAttributes{.input_size = 1, .hidden_size = 1}, "int8", state).sums = Sums::kWhole;
  return finished(std::move(model));
}

// Two of the inputs that a graph can have, joins, a recoded edge, states as outputs, words.
Model integer_graph() {
  const Format sum{NumberType::kI16, 0.5f, 0};
  Model model = started("int8", kCodes);
  model.inputs.push_back({"ids", {{1}, true, {NumberType::kI32, 1.0f, 0}}});
  samples::append(model, "e", EmbeddingAttributes{.vocabulary = 2, .features = 1}, "int8", kCodes, {"ids"});
  samples::append(model, "c", ConcatAttributes{}, "int8", kCodes, {"input", "e"});
  Node& lstm = samples::append(model, "l", LstmAttributes{.input_size = 2, .hidden_size = 2}, "int4", kCodes);
  lstm.outputs.push_back({{2}, false, kCodes});
  lstm.outputs.push_back({{2}, false, lstm.formats.at("cell")});
  samples::append(model, "a", AddAttributes{}, "int8", kCodes, {"l", "c"}).formats = {{"input", sum}, {"input_1", sum}};
  model = finished(std::move(model));
  model.outputs.push_back("l.c_n");
  model.words = {"", "b"};
  return model;
}

Model float_rows() {
  Model model = started("f32", {});
  model.inputs[0].value.shape = {2, 2};
  model.inputs.push_back({"h", {{2, 1}, false, {}}});
  samples::append(model, "d", DenseAttributes{.input_size = 2, .units = 1}, "f32", {}, {"input"});
  samples::append(model, "a", AddAttributes{}, "f32", {}, {"d", "h"});
  return finished(std::move(model));
}

MemoryNetwork memory_network(const std::string& scheme, MemoryTying tying) {
  MemoryNetwork network;
  network.name = network.task = "stories";
  network.shape = {.vocabulary = 3, .memory = 2, .d = 2, .hops = 2, .sentence = 2, .tying = tying};
  network.scheme = memory_scheme_from_name(scheme);
  network.words = {"", "a", "b"};
  network.parameters.assign(parameter_count(network.shape), 0.5f);
  network.provenance = {{"seed", "1"}};
  return network;
}

// What is packed, with scales and slots.
MemoryNetwork one_bit_network() {
  MemoryNetwork network = memory_network("binary-weights-calibrated", MemoryTying::kAdjacent);
  network.shape.slots = 3;
  const std::vector<float> matrices(memory_matrices(network.shape).size(), 0.5f);
  network.scales = {.weights = matrices, .embedded = matrices, .s = {0.5f, 0.5f}, .u = {1, 1, 1}, .query = {1, 1}};
  return network;
}

// A state_dict with embedding, one layer of LSTM with projection, and a Linear.
void write_torch(const std::filesystem::path& path) {
  const std::vector<float> values(16, 0.5f);
  const auto tensor = [&values](std::vector<std::int64_t> shape) {
    std::size_t count = 1;
    for (const std::int64_t size : shape) count *= static_cast<std::size_t>(size);
    return SafetensorsEntry{NumberType::kF32, std::move(shape), std::as_bytes(std::span(values).first(count))};
  };
  const std::vector<std::byte> halves(4, std::byte{0x3c});
  const std::map<std::string, SafetensorsEntry> entries{{"emb.weight", tensor({3, 1})},
                                                        {"rnn.weight_ih_l0", tensor({8, 1})},
                                                        {"rnn.weight_hh_l0", tensor({8, 1})},
                                                        {"rnn.weight_hr_l0", tensor({1, 2})},
                                                        {"rnn.bias_ih_l0", tensor({8})},
                                                        {"rnn.bias_hh_l0", tensor({8})},
                                                        {"fc.weight", {NumberType::kF16, {2, 1}, halves}},
                                                        {"fc.bias", tensor({2})}};
  write_file_atomically(path, [&](const ByteSink& sink) { write_safetensors(entries, {}, sink); });
}

void write_seeds(const std::filesystem::path& folder) {
  std::filesystem::create_directories(folder / "model_file");
  save(float_chain(), folder / "model_file" / "float_chain");
  save(integer_lstm(false), folder / "model_file" / "integer_lstm");
  save(integer_lstm(true), folder / "model_file" / "integer_lstm_all_switches");
  save(integer_classifier(), folder / "model_file" / "integer_classifier");
  write_torch(folder / "model_file" / "torch_lstm");
  save(integer_tagger(), folder / "model_file" / "integer_tagger");
  save(few_bit_tagger(), folder / "model_file" / "few_bit_tagger");
  save(integer_wide(), folder / "model_file" / "integer_wide");
  save(four_bit_gru(), folder / "model_file" / "four_bit_gru");
  save(integer_graph(), folder / "model_file" / "integer_graph");
  save(float_rows(), folder / "model_file" / "float_rows");
  save(memory_network("f32", MemoryTying::kAdjacent), folder / "model_file" / "memory_float");
  save(memory_network("qmann8", MemoryTying::kLayerwise), folder / "model_file" / "memory_qmann8");
  save(one_bit_network(), folder / "model_file" / "memory_signs");

  const std::vector<float> reals{1.0f, -2.0f};
  const std::vector<std::int32_t> ids{1, 2, 3};
  const std::vector<double> wide{0.5};
  const Npz arrays{{"x", NpzArray::from<float>({1, 2}, reals)}, {"ids", NpzArray::from<std::int32_t>({3}, ids)}};
  std::filesystem::create_directories(folder / "npz");
  write_npz(folder / "npz" / "stored", arrays);
  write_npz(folder / "npz" / "deflated", arrays, NpzPacking::kDeflated);
  const std::string zip = npz_bytes({{"x", NpzArray::from<double>({}, wide)}});
  const std::size_t begin = zip.find("\x93NUMPY");
  write_file_atomically(folder / "npz" / "bare", zip.substr(begin, zip.find("PK", begin) - begin));
  const std::string fortran = "{'descr':'|u1','fortran_order':True,'shape':(2,2)}\n";
  write_file_atomically(
      folder / "npz" / "bare_fortran",
      std::string("\x93NUMPY\x02\0", 8) + static_cast<char>(fortran.size()) + std::string(3, '\0') + fortran + "abcd");

  const auto write_text = [&folder](const char* target, const char* name, std::string_view text) {
    std::filesystem::create_directories(folder / target);
    write_file_atomically(folder / target / name, text);
  };
  // Decisions: an LSTM, and a sum of two scales; the fuzzer finds the others.
  write_text("graph", "zeros", std::string_view("\0\0\0\0", 4));
  write_text("graph", "lstm", std::string_view("\1\0\0\0\0\0\0\0\0\0\0\0\0\1\0\3\0\7\2\0", 20));
  // Whose state it is, and its bytes: the ends of both widths; of memories 0 dropped, 2 facts, "d" and "a b".
  write_text("state", "lstm", std::string_view("\0\x7f\x80\xff\x7f\0\x80", 7));
  write_text("state", "gru_after", std::string_view("\1\x7f\x80\xff\x7f\0\x80", 7));
  write_text("state", "gru_before", std::string_view("\2\x7f\x80\xff\x7f\0\x80", 7));
  const std::string_view two_facts("\0\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0\1\0\0\0\4\0\0\0\2\0\0\0\1\0\0\0\2\0\0\0", 36);
  write_text("state", "memory_qmann8", "\3" + std::string(two_facts));
  write_text("state", "memory_int8", "\4" + std::string(two_facts));
  write_text("state", "memory_signs", "\5" + std::string(two_facts));
  write_text("stories", "two",
             "1 A went to B.\n2 Where is A?\tB\t1\n1 C got d, e.\n2 What has C?\td,e\t1\n3 Yes?\tno\n");
  // Behind the byte of options: an error or to hold for what is missing, a label.
  write_text("csv", "dates", std::string_view("\0date,a,b\n2020-01-01,1,2.5\n2020-01-02,-3,1e3\n", 45));
  write_text("csv", "label",
             "\x0d"
             "a;\"b\"\r\nx;1\r\ny;NA\r\n");
  write_text("ts", "classes", "# c\n@dimensions 2\n@classLabel true a b\n@data\n1,2:3,4:a\n5:6:b\n");
  write_text("ts", "reals", "@univariate true\n@targetLabel true\n@data\n1,2:0.5\n");
  write_text("text", "labels", "a film\tgood\nanother\tbad\n");
  write_text("text", "parts", "a film\tgood\ttrain\nanother\tbad\ttest\n");
  write_text("lm", "lines", "\xef\xbb\xbfTo be, or\r\n\n\xc3\xbc <unk>\n");
  // RIFF, its form, a format of one channel at 8000 Hz with 16 bits, two samples.
  write_text(
      "wav", "pcm16",
      std::string_view(
          "RIFF\x28\0\0\0WAVEfmt \x10\0\0\0\1\0\1\0\x40\x1f\0\0\x80\x3e\0\0\2\0\x10\0data\4\0\0\0\0\x40\0\xc0", 48));
  write_text("wav", "float32",
             std::string_view(
                 "RIFF\x28\0\0\0WAVEfmt \x10\0\0\0\3\0\1\0\x40\x1f\0\0\0\x7d\0\0\4\0\x20\0data\4\0\0\0\0\0\0\x3f", 48));
}

}  // namespace
}  // namespace quaver

int main(int count, char** arguments) {
  if (count != 2) {
    std::fprintf(stderr, "usage: make_seeds FOLDER\n");
    return 2;
  }
  try {
    quaver::write_seeds(arguments[1]);
  } catch (const quaver::Error& error) {
    std::fprintf(stderr, "make_seeds: %s\n", error.what());
    return error.exit_code();
  }
}
