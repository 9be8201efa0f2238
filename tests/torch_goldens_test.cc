// torch_goldens_test.cc - the float cells give torch's numbers: outputs and states within 1e-5.
//
// Runs the small set of the repository always and every case of $QUAVER_GOLDENS/torch_rnn when that folder is there.
// Weights come in through model_from_torch, so gate order, bias split and reset form of the border are proven as well.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <functional>
#include <memory>
#include <span>

#include "quaver/cells/gru/ref.h"
#include "quaver/cells/lstm/ref.h"
#include "quaver/cells/rnn/rnn.h"
#include "quaver/core/error.h"
#include "quaver/core/text.h"
#include "quaver/engine/sequence/session.h"
#include "quaver/io/torch/torch_names.h"
#include "support/goldens.h"

namespace quaver {
namespace {

using testing_support::absent_goldens;
using testing_support::golden_array;
using testing_support::golden_files;
using testing_support::large_goldens;
using testing_support::own_goldens;
using testing_support::with_commas;

constexpr float kTolerance = 1e-5f;
using Floats = std::vector<float>;

// One direction of one layer for a whole batch; every row has its own state, kept from call to call.
class Half {
 public:
  Half(const Model& model, const Node& node, const std::string& suffix, std::size_t batch)
      : reverse_(suffix == "_reverse"), states_(batch) {
    const auto tensor = [&](const char* name) -> const Tensor& {
      return model.tensor(node.name + "." + name + suffix);
    };
    const auto bind_common = [&](auto& params) {
      params.W = tensor("W").matrix<float>();
      params.R = tensor("R").matrix<float>();
      params.b = tensor("b").as<float>();
    };
    if (const auto* lstm = std::get_if<LstmAttributes>(&node.operation)) {
      LstmFloatParams params;
      bind_common(params);
      params.shape = lstm->shape();
      if (lstm->projection_size > 0) {
        params.W_projection = tensor("W_projection").matrix<float>();
        params.b_projection = tensor("b_projection").as<float>();
      }
      take(LstmRef(params));
    } else if (const auto* gru = std::get_if<GruAttributes>(&node.operation)) {
      GruFloatParams params;
      bind_common(params);
      params.shape = gru->shape();
      params.b_recurrent = tensor("b_recurrent").as<float>();
      take(GruRef(params));
    } else {
      const auto& rnn = std::get<RnnAttributes>(node.operation);
      RnnFloatParams params;
      bind_common(params);
      params.n_in = static_cast<std::size_t>(rnn.input_size);
      params.n = static_cast<std::size_t>(rnn.hidden_size);
      params.relu = rnn.nonlinearity == Nonlinearity::kRelu;
      take(RnnRef(params));
    }
  }
  std::size_t size() const { return size_; }

  // in [steps, batch, n_in]; writes columns [column, column + size()) of out [steps, batch, width].
  void run(const Floats& in, std::size_t steps, std::size_t column, std::size_t width, Floats& out) {
    const std::size_t batch = states_.size(), n_in = in.size() / (steps * batch);
    for (std::size_t i = 0; i < steps; ++i) {
      const std::size_t t = reverse_ ? steps - 1 - i : i;
      for (std::size_t row = 0; row < batch; ++row) {
        const float* y = step_(in.data() + (t * batch + row) * n_in, states_[row].data());
        std::copy_n(y, size_, out.begin() + static_cast<std::ptrdiff_t>((t * batch + row) * width + column));
      }
    }
  }
  // [batch, elements] of one part of the state.
  Floats state(const std::string& name) const {
    const auto part = std::ranges::find(parts_, name, &StatePart::name);
    Floats values;
    for (const auto& state : states_) {
      const auto* first = reinterpret_cast<const float*>(state.data() + part->offset);
      values.insert(values.end(), first, first + part->count);
    }
    return values;
  }

 private:
  template <typename Cell>
  void take(Cell&& made) {
    const auto cell = std::make_shared<const Cell>(std::move(made));
    const auto scratch = std::make_shared<AlignedVector<std::byte>>(cell->scratch_bytes());
    size_ = cell->output_size();
    parts_ = cell->state_parts();
    const std::size_t bytes = parts_.back().offset + parts_.back().count * sizeof(float);
    for (auto& state : states_) {
      state.resize(align_up(bytes));
      cell->reset(state.data());
    }
    step_ = [cell, scratch](const float* x, std::byte* state) {
      return cell->step(x, state, scratch->data(), nullptr);
    };
  }

  bool reverse_;
  std::size_t size_ = 0;
  std::vector<StatePart> parts_;
  std::vector<AlignedVector<std::byte>> states_;
  std::function<const float*(const float*, std::byte*)> step_;
};

// The largest difference; infinity for NaN or another size.
float worst(const Floats& found, const Floats& expected) {
  if (found.size() != expected.size()) return INFINITY;
  float largest = 0;
  for (std::size_t i = 0; i < found.size(); ++i) {
    const float difference = std::abs(found[i] - expected[i]);
    if (!(difference <= largest)) largest = std::isnan(difference) ? INFINITY : difference;
  }
  return largest;
}

struct Measured {
  std::size_t values = 0;
  float worst = 0;
  void add(const std::string& name, const Floats& found, const Floats& expected) {
    const float difference = quaver::worst(found, expected);
    EXPECT_LE(difference, kTolerance) << name;
    values += expected.size();
    worst = std::max(worst, difference);
  }
};

void check_case(const std::filesystem::path& weights, const Npz& arrays, Measured& measured) {
  TorchOptions options;
  const bool relu = weights.stem().string().find("relu") != std::string::npos;  // weights do not tell, the name does
  options.nonlinearity = relu ? Nonlinearity::kRelu : Nonlinearity::kTanh;
  const Model model = model_from_torch(SafetensorsFile::open(weights), options);
  const auto& x_shape = npz_array(arrays, "x1").shape;
  if (x_shape.size() != 3) throw_bad_input(concat("array 'x1' is ", shape_text(x_shape), ", expected 3-D"));
  const auto batch = static_cast<std::size_t>(x_shape[1]);

  std::vector<std::vector<Half>> layers;
  bool has_cell_state = false;
  for (const Node& node : model.nodes) {
    auto& halves = layers.emplace_back();
    Direction direction = Direction::kForward;
    if (const auto* lstm = std::get_if<LstmAttributes>(&node.operation)) direction = lstm->direction;
    if (const auto* gru = std::get_if<GruAttributes>(&node.operation)) direction = gru->direction;
    if (const auto* rnn = std::get_if<RnnAttributes>(&node.operation)) direction = rnn->direction;
    has_cell_state = std::holds_alternative<LstmAttributes>(node.operation);
    for (const std::string& suffix : direction_suffixes(direction)) halves.emplace_back(model, node, suffix, batch);
  }
  for (const std::string number : {"1", "2"}) {
    const std::int64_t steps = npz_array(arrays, "x" + number).shape.at(0);
    Floats values = golden_array<float>(arrays, "x" + number, {steps, x_shape[1], x_shape[2]});
    Floats h, c;
    for (auto& halves : layers) {
      const std::size_t width = halves.size() * halves[0].size();
      Floats out(static_cast<std::size_t>(steps) * batch * width);
      for (std::size_t d = 0; d < halves.size(); ++d) {
        halves[d].run(values, static_cast<std::size_t>(steps), d * halves[d].size(), width, out);
        for (const float value : halves[d].state("h")) h.push_back(value);
        if (!has_cell_state) continue;
        for (const float value : halves[d].state("c")) c.push_back(value);
      }
      values = std::move(out);
    }
    const std::int64_t features = model.value(model.outputs[0]).size();
    measured.add("y" + number, values, golden_array<float>(arrays, "y" + number, {steps, x_shape[1], features}));
    measured.add("h" + number, h, to_f32(npz_array(arrays, "h" + number), "h" + number));
    if (has_cell_state) measured.add("c" + number, c, to_f32(npz_array(arrays, "c" + number), "c" + number));
    if (number == "2") continue;

    // The engine's way to the same outputs, one row of the batch at a time.
    Session session(model, {.threads = 1});
    const Floats x = golden_array<float>(arrays, "x1", x_shape);
    const auto in = static_cast<std::size_t>(x_shape[2]), out = static_cast<std::size_t>(features);
    for (std::size_t row = 0; row < batch; ++row) {
      Floats mine, expected;
      for (std::size_t t = 0; t < static_cast<std::size_t>(steps); ++t) {
        for (std::size_t j = 0; j < in; ++j) mine.push_back(x[(t * batch + row) * in + j]);
        for (std::size_t j = 0; j < out; ++j) expected.push_back(values[(t * batch + row) * out + j]);
      }
      const auto results = session.run(SequenceView{static_cast<std::size_t>(steps), mine, {}, {}});
      EXPECT_EQ(results.at(0).real(), expected) << "the engine differs from the cells in row " << row;
    }
  }
}

void check_folder(const std::filesystem::path& folder) {
  const auto files = golden_files(folder, ".npz");
  EXPECT_EQ(golden_files(folder, ".safetensors").size(), files.size()) << "weights and arrays come in pairs";
  Measured total;
  std::size_t cases = 0;
  for (const std::filesystem::path& file : files) {
    SCOPED_TRACE(file.filename().string());
    try {
      check_case(std::filesystem::path(file).replace_extension(".safetensors"), read_npz(file), total);
      ++cases;
    } catch (const std::exception& error) {
      ADD_FAILURE() << error.what();
    }
  }
  std::printf("%s: %zu cases, %s values compared, worst difference %.2g (bound %.2g)\n", folder.c_str(), cases,
              with_commas(total.values).c_str(), static_cast<double>(total.worst), static_cast<double>(kTolerance));
}

TEST(TorchGoldens, SmallSetOfTheRepository) { check_folder(own_goldens("torch_rnn")); }

TEST(TorchGoldens, EveryFileOfTheLargeSet) {
  const std::filesystem::path folder = large_goldens("torch_rnn");
  if (!std::filesystem::is_directory(folder)) GTEST_SKIP() << absent_goldens(folder);
  check_folder(folder);
}

}  // namespace
}  // namespace quaver
