#include "quaver/workflow/convert.h"

#include "quaver/files/atomic_file.h"
#include "quaver/io/container/safetensors.h"
#include "quaver/workflow/fields.h"
#include "quaver/workflow/test_networks.h"

namespace quaver {
namespace {

using io_test::contains;
using io_test::error_of;

class ConvertCall : public samples::Networks {
 protected:
  ConvertCall() {
    // nn.GRU(2, 1) and nn.Linear(1, 3).
    const std::vector<float> values(9, 0.5f);
    const auto tensor = [&](std::vector<std::int64_t> shape, std::size_t count) {
      return SafetensorsEntry{NumberType::kF32, std::move(shape), std::as_bytes(std::span(values).first(count))};
    };
    const std::map<std::string, SafetensorsEntry> tensors{{"rnn.weight_ih_l0", tensor({3, 2}, 6)},
                                                          {"rnn.weight_hh_l0", tensor({3, 1}, 3)},
                                                          {"head.weight", tensor({3, 1}, 3)},
                                                          {"head.bias", tensor({3}, 3)}};
    write_file_atomically(weights, [&](const ByteSink& sink) { write_safetensors(tensors, {}, sink); });
  }
  std::string refusal(const ConvertRequest& request) {
    return error_of([&] { convert(request, heard); }, ErrorKind::kUsage);
  }
  const std::filesystem::path weights = folder.path() / "torch.safetensors";
};

TEST_F(ConvertCall, MakesAModelOfWeights) {
  const ConvertReport report = convert({.in = weights, .out = out, .command = "a test"}, heard);
  ASSERT_TRUE(report.imported);
  EXPECT_EQ(report.imported->nodes.front().kind, "gru");
  EXPECT_EQ(report.imported->modules.size(), 2u);
  EXPECT_EQ(report.bytes, std::filesystem::file_size(out));
  EXPECT_EQ(std::get<Model>(open(out)).provenance.at("command"), "a test");
}

TEST_F(ConvertCall, RewritesFilesOfOurs) {
  for (const std::filesystem::path& ours : {model, network}) {
    const ConvertReport report = convert({.in = ours, .out = out}, heard);
    EXPECT_FALSE(report.imported);
    EXPECT_EQ(open(out), open(ours));
  }
}

TEST_F(ConvertCall, RefusesFieldsThatMeanNothing) {
  EXPECT_EQ(refusal({.in = model, .out = out, .head = "last"}),
            "--head belongs to weights of PyTorch; here " + model.string() + " is a file of Quaver");
  EXPECT_EQ(refusal({.in = weights, .out = out, .nonlinearity = "relu"}),
            "--nonlinearity belongs to nn.RNN; here there is none");
  EXPECT_TRUE(contains(refusal({.in = weights, .out = out, .maps = {"rnn"}}), "is no NAME=ROLE"));
}

TEST_F(ConvertCall, KeepsFilesApart) {
  EXPECT_TRUE(contains(refusal({.in = weights, .out = weights}), "it would be lost"));
  EXPECT_TRUE(contains(refusal({.in = weights, .out = "model.onnx"}), "not supported yet"));
  EXPECT_TRUE(contains(error_of([&] { convert({.in = folder.path() / "no.safetensors", .out = out}, heard); }), "no."));
}

}  // namespace
}  // namespace quaver
