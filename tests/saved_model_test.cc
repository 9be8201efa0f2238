// saved_model_test.cc - a model of any scheme, saved and loaded, is the same and gives the same bits on every path.
#include <gtest/gtest.h>

#include "quaver/engine/sequence/session.h"
#include "quaver/io/model_file/model_file.h"
#include "quaver/kernels/dispatch/dispatch.h"
#include "quaver/model/formats/scheme.h"
#include "quaver/quantize/quantize.h"
#include "support/random_model.h"

namespace quaver::testing {
namespace {

TEST(SavedModel, GivesTheBitsOfTheOneThatWasSaved) {
  const Model real = ModelBuilder::of_ids("m", 146)
                         .add("embedding", EmbeddingAttributes{50, 11})
                         .add("lstm0", LstmAttributes{.input_size = 11, .hidden_size = 20})
                         .add("gru0", GruAttributes{.input_size = 20, .hidden_size = 17})
                         .add("scores", DenseAttributes{17, 9})
                         .finish({"scores", "embedding"});
  const std::vector<Sequence> sequences{random_ids(60, 50, 1), random_ids(33, 50, 2)};
  const Calibration calibration = calibrate(real, views(sequences));
  for (const std::string& scheme : scheme_names()) {
    // By its name, so that the embedding too has the scheme's weights.
    const Model model = quantize(real, calibration, {.scheme = scheme, .overrides = {{"embedding", scheme}}}).model;
    const std::string bytes = save_bytes(model);
    const Model loaded = load_bytes(std::as_bytes(std::span(bytes)));
    EXPECT_EQ(loaded, model) << scheme;
    for (const Isa isa : all_isas()) {
      if (!isa_supported(isa)) continue;
      Session saved(model, {.threads = 1, .isa = isa}), again(loaded, {.threads = 1, .isa = isa});
      EXPECT_EQ(again.run(views(sequences)), saved.run(views(sequences))) << scheme << " " << isa_name(isa);
    }
  }
}

}  // namespace
}  // namespace quaver::testing
