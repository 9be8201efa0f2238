// format.cc - the weight format of format.patch: rows of any length, every path's product, and a model of its scheme,
// from a file too, has the bits of the one that holds the same codes a byte each.
#include <algorithm>
#include <cstdio>
#include <iterator>
#include <span>
#include <string>
#include <vector>

#include "quaver/core/error.h"
#include "quaver/core/text.h"
#include "quaver/io/model_file/model_file.h"
#include "quaver/kernels/matvec/matvec.h"
#include "quaver/quantize/quantize.h"
#include "support/random_model.h"

using namespace quaver;

namespace {

constexpr std::int64_t kRows = 19, kFeatures = 40;  // what the task chirps has

int failures = 0;
void expect(bool holds, const std::string& what) {
  if (holds) return;
  std::printf("failed: %s\n", what.c_str());
  ++failures;
}

std::vector<Isa> paths_here() {
  std::vector<Isa> paths;
  std::ranges::copy_if(all_isas(), std::back_inserter(paths), isa_supported);
  return paths;
}

void check_products(std::size_t cols) {
  Random random(cols);
  const auto draw = [&](std::size_t count, int low, int high) {
    std::vector<std::int8_t> drawn(count);
    for (std::int8_t& code : drawn) code = static_cast<std::int8_t>(random.between(low, high));
    return drawn;
  };
  const std::vector<std::int8_t> codes = draw(kRows * cols, -1, 1), x = draw(cols, -128, 127);
  const Tensor wide = Tensor::from<std::int8_t>({kRows, static_cast<std::int64_t>(cols)}, codes);
  const Tensor packed = wide.packed(NumberType::kI2);
  expect(packed.bytes.size() == kRows * ((cols + 3) / 4), concat(cols, " columns take four a byte"));
  expect(packed.unpacked() == wide, concat(cols, " columns come back"));
  std::vector<std::int32_t> bias(padded_rows(kRows), 5), plain(kRows, 5);
  for (std::size_t r = 0; r < kRows; ++r)
    for (std::size_t c = 0; c < cols; ++c) plain[r] += codes[r * cols + c] * x[c];
  for (const Isa isa : paths_here()) {
    const PackedMatrix matrix(wide.matrix<std::int8_t>(), WeightFormatId::kI2, isa);
    std::vector<std::int32_t> acc(padded_rows(kRows));
    matrix.run(x.data(), bias.data(), acc.data());
    expect(std::ranges::equal(std::span(acc).first(kRows), plain), concat(isa_name(isa), ": ", cols, " columns"));
    // Scalar has a product of its own, the others run the one for bytes.
    expect((matrix.bytes() < wide.bytes.size()) == (isa == Isa::kScalar), concat(isa_name(isa), ": product"));
  }
}

// The same codes a byte each, under the scheme that differs in nothing else.
Model bytes_of(Model model) {
  for (auto& [name, tensor] : model.tensors)
    if (tensor.kind == NumberType::kI2) tensor = tensor.unpacked();
  model.scheme = "int8";
  for (Node& node : model.nodes) node.scheme = "int8";
  return model;
}

}  // namespace

int main() {
  for (const std::size_t cols : {3u, 4u, 5u, 64u, 70u}) check_products(cols);

  const Model real = testing::ModelBuilder("growth", kFeatures, 1)
                         .add("lstm", LstmAttributes{kFeatures, kRows})
                         .add("gru", GruAttributes{kRows, kRows})
                         .add("scores", DenseAttributes{kRows, 5})
                         .finish();
  const Sequence sequence = testing::random_sequence(40, kFeatures, 2);
  const SequenceView frames = testing::view(sequence);
  save(real, "float.safetensors");
  const Model coded = quantize(real, calibrate(real, {&frames, 1}), {.scheme = "int2"}).model;
  save(coded, "int2.safetensors");
  const Model model = load("int2.safetensors"), bytes = bytes_of(model);
  expect(model == coded, "a file keeps the model");
  expect(model.tensor("lstm.R").kind == NumberType::kI2, "the scheme gives the weights the format");
  for (const int code : {-1, 0, 1})
    expect(std::ranges::count(bytes.tensor("lstm.R").as<std::int8_t>(), code) > 0, concat("some weight is ", code));
  const std::vector<Result> expected = Session(bytes, {.isa = Isa::kScalar}).run(frames);
  for (const Isa isa : paths_here())
    expect(Session(model, {.isa = isa}).run(frames) == expected, concat(isa_name(isa), ": the model's bits"));

  Model broken = model;
  broken.tensors["lstm.R"].bytes.writable()[0] = std::byte{3};
  bool refused = false;
  try {
    validate(broken);
  } catch (const Error& error) {
    refused = true;
    std::printf("%s\n", error.what());
  }
  expect(refused, "a code that the format does not hold is refused");
  return failures == 0 ? 0 : 1;
}
