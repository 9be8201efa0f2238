// make_model_goldens FOLDER - writes small integer models of every kind, with what they compute, as this build makes
// them: the golden of a version of the model file, made before the version changes (tests/golden/integer_v<N>).
#include <cstdio>
#include <filesystem>
#include <string>

#include "quaver/core/error.h"
#include "quaver/io/model_file/model_file.h"
#include "quaver/quantize/quantize.h"
#include "support/model_golden.h"
#include "support/random_model.h"

namespace quaver::testing {
namespace {

constexpr std::int64_t kFeatures = 3, kUnits = 6, kWords = 9;
constexpr std::size_t kSteps = 24;
// Of the matrices of recurrent nodes: sums leave 16 bits now and then, so that a golden shows where they are cut off.
constexpr float kGain = 5;

class Maker {
 public:
  explicit Maker(std::filesystem::path folder) : folder_(std::move(folder)) {}

  void add(const std::string& name, Model model, const QuantizeOptions& options) {
    for (auto& [tensor, values] : model.tensors) {
      if (!tensor.starts_with("cell.W") && !tensor.starts_with("cell.R")) continue;
      if (tensor.find("projection") != std::string::npos) continue;
      for (float& value : values.as_mutable<float>()) value *= kGain;
    }
    model.name = name;
    const std::uint64_t seed = 1000 + count_++;
    const bool ids = model.inputs[0].value.format.kind == NumberType::kI32;
    const Sequence calibration =
        ids ? random_ids(kSteps, kWords, seed) : random_sequence(kSteps, static_cast<std::size_t>(kFeatures), seed);
    const std::vector<SequenceView> views{view(calibration)};
    const Model integer = quantize(model, calibrate(model, views), options).model;

    Random random(seed);
    Npz arrays;
    if (ids) {
      arrays["ids"] = NpzArray::from<std::int32_t>({kSteps}, calibration.ids);
    } else {
      std::vector<std::int8_t> codes(kSteps * static_cast<std::size_t>(kFeatures));
      for (std::int8_t& code : codes) code = static_cast<std::int8_t>(random.between(-128, 127));
      arrays["x"] = NpzArray::from<std::int8_t>({kSteps, kFeatures}, codes);
    }
    testing_support::ModelGolden golden(integer, arrays);
    golden.record(integer);
    save(integer, folder_ / (name + ".safetensors"));
    write_npz(folder_ / (name + ".npz"), golden.arrays(), NpzPacking::kDeflated);
    std::printf("%s\n", name.c_str());
  }

 private:
  std::filesystem::path folder_;
  std::uint64_t count_ = 0;
};

Model cell(const Operation& operation) { return ModelBuilder("", kFeatures, 7).add("cell", operation).finish(); }

void make_all(const std::filesystem::path& folder) {
  Maker maker(folder);
  for (unsigned variant = 0; variant < 16; ++variant) {
    LstmAttributes a{.input_size = kFeatures, .hidden_size = kUnits};
    a.input_forget = (variant & 1) != 0;
    a.peephole = (variant & 2) != 0;
    a.layer_norm = (variant & 4) != 0;
    a.projection_size = (variant & 8) != 0 ? kUnits / 2 : 0;
    maker.add(std::string("lstm") + (a.input_forget ? "_cifg" : "") + (a.peephole ? "_peephole" : "") +
                  (a.layer_norm ? "_norm" : "") + (a.projection_size > 0 ? "_projection" : ""),
              cell(a), {.scheme = "int8"});
  }
  maker.add(
      "lstm_clips",
      cell(LstmAttributes{
          .input_size = kFeatures, .hidden_size = kUnits, .projection_size = 3, .clip = 0.7f, .projection_clip = 0.3f}),
      {.scheme = "int8"});
  const LstmAttributes both{
      .input_size = kFeatures, .hidden_size = kUnits, .peephole = true, .direction = Direction::kBidirectional};
  maker.add("lstm_bidirectional", cell(both), {.scheme = "int8"});
  for (const char* scheme : {"int8_per_tensor", "int4"})
    maker.add(std::string("lstm_") + scheme, cell(LstmAttributes{.input_size = kFeatures, .hidden_size = kUnits}),
              {.scheme = scheme});
  for (const bool after : {true, false}) {
    const std::string name = std::string("gru_") + (after ? "after" : "before");
    for (const char* scheme : {"int8", "int8_per_tensor", "int4"})
      maker.add(name + "_" + scheme, cell(GruAttributes{kFeatures, kUnits, after, Direction::kForward}),
                {.scheme = scheme});
    maker.add(name + "_bidirectional", cell(GruAttributes{kFeatures, kUnits, after, Direction::kBidirectional}),
              {.scheme = "int8"});
  }
  for (const char* scheme : {"int8", "int8_per_tensor", "int4"})
    maker.add(std::string("rnn_") + scheme,
              cell(RnnAttributes{kFeatures, kUnits, Nonlinearity::kTanh, Direction::kForward}), {.scheme = scheme});
  maker.add("rnn_reverse", cell(RnnAttributes{kFeatures, kUnits, Nonlinearity::kTanh, Direction::kReverse}),
            {.scheme = "int8"});

  for (const Pooling pooling : {Pooling::kLast, Pooling::kMean, Pooling::kMax})
    maker.add("pool_" + std::string(pooling_name(pooling)),
              ModelBuilder("", kFeatures, 8)
                  .add("cell", GruAttributes{kFeatures, kUnits, true, Direction::kForward})
                  .add("pool", PoolAttributes{pooling})
                  .add("hidden", DenseAttributes{kUnits, 5})
                  .add("elu", ActivationAttributes{Nonlinearity::kElu})
                  .add("scores", DenseAttributes{5, 4})
                  .add("probabilities", SoftmaxAttributes{})
                  .finish({"scores", "probabilities"}),
              {.scheme = "int8"});
  maker.add("tagger",
            ModelBuilder::of_ids("", 9)
                .add("words", EmbeddingAttributes{kWords, kFeatures})
                .add("cell", LstmAttributes{.input_size = kFeatures, .hidden_size = kUnits})
                .add("second", GruAttributes{kUnits, 5, false, Direction::kForward})
                .add("scores", DenseAttributes{5, kWords})
                .add("class", ArgmaxAttributes{})
                .finish({"scores", "class"}),
            {.scheme = "int4"});
}

}  // namespace
}  // namespace quaver::testing

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: make_model_goldens FOLDER\n");
    return 2;
  }
  try {
    std::filesystem::create_directories(argv[1]);
    quaver::testing::make_all(argv[1]);
  } catch (const quaver::Error& error) {
    std::fprintf(stderr, "make_model_goldens: %s\n", error.what());
    return 1;
  }
  return 0;
}
