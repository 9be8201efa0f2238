#include "quaver/workflow/quantize.h"

#include "quaver/workflow/fields.h"
#include "quaver/workflow/test_networks.h"

namespace quaver {
namespace {

using io_test::contains;
using io_test::error_of;

class QuantizeCall : public samples::Networks {
 protected:
  std::string refusal(const QuantizeRequest& request) {
    return error_of([&] { quantize(request, heard); }, ErrorKind::kUsage);
  }
  QuantizeRequest of_model() const { return {.in = model, .out = out, .calib = "chirps", .limit = 4}; }
  QuantizeRequest of_network() const { return {.in = network, .out = out, .calib = "stories", .data = stories}; }
};

TEST_F(QuantizeCall, WritesAnIntegerModel) {
  QuantizeRequest request = of_model();
  request.report = folder.path() / "seen.json";
  request.command = "a test";
  const QuantizeReport report = quantize(request, heard);
  const auto& of_kind = std::get<SequenceQuantizeReport>(report.of_kind);
  EXPECT_EQ(of_kind.sequences, 4u);
  EXPECT_EQ(of_kind.after.float_ops, 0u);
  EXPECT_EQ(report.input, "chirps:train");
  EXPECT_EQ(heard.done, 4u);
  const Model written = std::get<Model>(open(out));
  EXPECT_EQ(written.scheme, "int8");
  EXPECT_EQ(written.provenance.at("quantize_command"), "a test");
  EXPECT_TRUE(contains(io_test::read_text(request.report), "step_max_abs"));
}

TEST_F(QuantizeCall, WritesAMemoryNetworkOfCodes) {
  const QuantizeReport report = quantize(of_network(), heard);
  const auto& of_kind = std::get<MemoryQuantizeReport>(report.of_kind);
  ASSERT_EQ(of_kind.networks.size(), 1u);
  EXPECT_EQ(of_kind.networks[0].bytes, std::filesystem::file_size(out));
  EXPECT_FALSE(of_kind.several);
  EXPECT_EQ(std::get<MemoryNetwork>(open(out)).name, "out");
}

TEST_F(QuantizeCall, QuantizesANetworkForEachTask) {
  std::filesystem::copy(network, folder.path() / "network.qa1.safetensors");
  std::filesystem::copy(network, folder.path() / "network.qa2.safetensors");
  QuantizeRequest request = of_network();
  request.data.tasks = "1,2";
  const QuantizeReport report = quantize(request, heard);
  EXPECT_EQ(std::get<MemoryQuantizeReport>(report.of_kind).networks.size(), 2u);
  EXPECT_TRUE(std::filesystem::exists(folder.path() / "out.qa2.safetensors"));
  EXPECT_FALSE(std::filesystem::exists(out));
}

TEST_F(QuantizeCall, WritesNothingWhereStrictAndWarned) {
  QuantizeRequest request = of_network();
  request.switches = {{"--bits", [](MemoryScheme& scheme) { scheme.bits = 2; }}};
  request.strict = true;
  const QuantizeReport report = quantize(request, heard);
  ASSERT_FALSE(report.warnings.empty());
  EXPECT_TRUE(contains(report.refusal, "was not written"));
  EXPECT_FALSE(heard.warnings.empty());
  EXPECT_FALSE(std::filesystem::exists(out));
}

TEST_F(QuantizeCall, RefusesFieldsThatMeanNothing) {
  QuantizeRequest request = of_model();
  request.switches = {{"--bits", [](MemoryScheme& scheme) { scheme.bits = 4; }}};
  EXPECT_EQ(refusal(request), "--bits belongs to memory networks; here IN is a model of sequences");
  request = of_model();
  request.percentile = 99;
  EXPECT_TRUE(contains(refusal(request), "--percentile belongs to --calib-method percentile; here it is minmax"));
  request = of_model();
  request.scheme = "none";
  EXPECT_TRUE(contains(refusal(request), "unknown scheme 'none'"));
  request = of_network();
  request.allow_float = true;
  EXPECT_EQ(refusal(request), "--allow-float belongs to models of sequences; here IN is a memory network");
  request = of_network();
  request.scheme = kFloatScheme;
  request.limit.reset();
  EXPECT_TRUE(contains(refusal(request), "is float already"));
}

TEST_F(QuantizeCall, KeepsFilesApart) {
  QuantizeRequest request = of_model();
  request.out = model;
  EXPECT_TRUE(contains(refusal(request), "it would be lost"));
  request = of_network();
  request.out = network;
  EXPECT_TRUE(contains(refusal(request), "it would be lost"));
  request = of_model();
  request.in = folder.path() / "none.safetensors";
  EXPECT_TRUE(contains(error_of([&] { quantize(request, heard); }), "none.safetensors"));
}

}  // namespace
}  // namespace quaver
