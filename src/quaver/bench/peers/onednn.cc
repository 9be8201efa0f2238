#include "quaver/bench/peers/onednn.h"

#include <omp.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <oneapi/dnnl/dnnl.hpp>
#include <unordered_map>
#include <utility>

#include "quaver/core/number_type.h"
#include "quaver/core/random.h"

namespace quaver {
namespace {

using Descriptor = dnnl::memory::desc;
using Tag = dnnl::memory::format_tag;
using Type = dnnl::memory::data_type;
using Dims = dnnl::memory::dims;

std::string isa_text(dnnl::cpu_isa isa) {
  switch (isa) {
    case dnnl::cpu_isa::sse41: return "sse41";
    case dnnl::cpu_isa::avx: return "avx";
    case dnnl::cpu_isa::avx2: return "avx2";
    case dnnl::cpu_isa::avx2_vnni: return "avx2vnni";
    case dnnl::cpu_isa::avx512_core: return "avx512";
    case dnnl::cpu_isa::avx512_core_vnni: return "avx512vnni";
    case dnnl::cpu_isa::avx512_core_bf16: return "avx512bf16";
    default: return "amx or later";
  }
}

class OneDnn final : public Peer {
 public:
  OneDnn(const PeerShape& shape, bool quantized)
      : shape_(shape),
        quantized_(quantized),
        engine_(dnnl::engine::kind::cpu, 0),
        stream_(engine_),
        random_(shape.seed) {
    omp_set_num_threads(static_cast<int>(shape.threads));
    if (shape.cell == "lstm") {
      make_lstm();
    } else if (shape.reset == "before") {
      make_gru<dnnl::gru_forward>(3);
    } else {
      make_gru<dnnl::lbr_gru_forward>(4);  // "linear before reset"; the new gate has a bias on either side of it
    }
  }

  std::string name() const override { return "onednn"; }
  std::string version() const override {
    const dnnl::version_t* version = dnnl::version();
    return std::to_string(version->major) + "." + std::to_string(version->minor) + "." + std::to_string(version->patch);
  }
  std::string scheme() const override {
    return quantized_ ? "int8, f32 cell" : std::string(type_name(NumberType::kF32));
  }
  std::string path() const override { return isa_text(dnnl::get_effective_cpu_isa()) + " (" + implementation_ + ")"; }
  std::size_t weight_bytes() const override { return weight_bytes_; }
  bool takes_codes() const override { return quantized_; }

  double run(std::size_t calls) override {
    const auto start = std::chrono::steady_clock::now();
    for (std::size_t call = 0; call < calls; ++call) {
      next_input_ = (next_input_ + 1) % inputs_.size();
      arguments_[DNNL_ARG_SRC_LAYER] = inputs_[next_input_];
      // What came out as the state goes back in.
      std::swap(arguments_[DNNL_ARG_SRC_ITER], arguments_[DNNL_ARG_DST_ITER]);
      if (shape_.cell == "lstm") std::swap(arguments_[DNNL_ARG_SRC_ITER_C], arguments_[DNNL_ARG_DST_ITER_C]);
      primitive_.execute(stream_, arguments_);
    }
    stream_.wait();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  }

 private:
  // Shapes of one layer, one direction: layers, directions, ...
  struct Descriptors {
    Descriptor input, state, cell, output;
    Descriptor weights_input, weights_state;  // of any format: the primitive chooses
    Descriptor weights_input_plain, weights_state_plain;
    Descriptor bias;
  };

  Descriptors describe(std::size_t gates, std::size_t biases) const {
    const auto n = [](std::size_t size) { return static_cast<dnnl::memory::dim>(size); };
    const Dims input{n(shape_.steps), n(shape_.batch), n(shape_.input)},
        output{n(shape_.steps), n(shape_.batch), n(shape_.hidden)};
    const Dims state{1, 1, n(shape_.batch), n(shape_.hidden)};
    const Dims weights_input{1, 1, n(shape_.input), n(gates), n(shape_.hidden)};
    const Dims weights_state{1, 1, n(shape_.hidden), n(gates), n(shape_.hidden)};
    const Type data = quantized_ ? Type::u8 : Type::f32, weight = quantized_ ? Type::s8 : Type::f32;
    return {{input, data, Tag::tnc},
            {state, data, Tag::ldnc},
            {state, Type::f32, Tag::ldnc},
            {output, data, Tag::tnc},
            {weights_input, weight, Tag::any},
            {weights_state, weight, Tag::any},
            {weights_input, Type::f32, Tag::ldigo},
            {weights_state, Type::f32, Tag::ldigo},
            {Dims{1, 1, n(biases), n(shape_.hidden)}, Type::f32, Tag::ldgo}};
  }

  // Codes are 128 + 127 real (the state) and weights up to 127 for the largest drawn below.
  dnnl::primitive_attr attributes() const {
    dnnl::primitive_attr attributes;
    if (!quantized_) return attributes;
    attributes.set_rnn_data_qparams(127.0f, 128.0f);
    attributes.set_rnn_weights_qparams(0, {127.0f * std::sqrt(static_cast<float>(shape_.hidden))});
    return attributes;
  }

  void make_lstm() {
    const Descriptors d = describe(4, 4);
    const dnnl::lstm_forward::desc wish(dnnl::prop_kind::forward_inference,
                                        dnnl::rnn_direction::unidirectional_left2right, d.input, d.state, d.cell,
                                        d.weights_input, d.weights_state, d.bias, d.output, d.state, d.cell);
    const dnnl::lstm_forward::primitive_desc chosen(wish, attributes(), engine_);
    adopt(chosen, d);
    primitive_ = dnnl::lstm_forward(chosen);
    for (const int argument : {DNNL_ARG_SRC_ITER_C, DNNL_ARG_DST_ITER_C}) arguments_[argument] = filled(d.cell, 0);
  }

  template <typename Gru>
  void make_gru(std::size_t biases) {
    const Descriptors d = describe(3, biases);
    const typename Gru::desc wish(dnnl::prop_kind::forward_inference, dnnl::rnn_direction::unidirectional_left2right,
                                  d.input, d.state, d.weights_input, d.weights_state, d.bias, d.output, d.state);
    const typename Gru::primitive_desc chosen(wish, attributes(), engine_);
    adopt(chosen, d);
    primitive_ = Gru(chosen);
  }

  template <typename Chosen>
  void adopt(const Chosen& chosen, const Descriptors& d) {
    implementation_ = chosen.impl_info_str();
    const float bound = 1.0f / std::sqrt(static_cast<float>(shape_.hidden));
    const auto attributes = this->attributes();
    const auto add_weights = [&](int argument, const Descriptor& plain, const Descriptor& preferred) {
      dnnl::memory real = filled(plain, bound);
      dnnl::memory packed(preferred, engine_);
      const dnnl::reorder::primitive_desc how(real, packed, attributes);
      dnnl::reorder(how).execute(stream_, real, packed);
      weight_bytes_ += plain.get_size() / (quantized_ ? sizeof(float) : 1);
      arguments_[argument] = packed;
    };
    add_weights(DNNL_ARG_WEIGHTS_LAYER, d.weights_input_plain, chosen.weights_layer_desc());
    add_weights(DNNL_ARG_WEIGHTS_ITER, d.weights_state_plain, chosen.weights_iter_desc());
    arguments_[DNNL_ARG_BIAS] = filled(chosen.bias_desc(), bound);
    for (std::size_t i = 0; i < shape_.inputs; ++i) inputs_.push_back(random_values(chosen.src_layer_desc()));
    for (const int argument : {DNNL_ARG_SRC_ITER, DNNL_ARG_DST_ITER})
      arguments_[argument] = random_values(chosen.src_iter_desc());
    arguments_[DNNL_ARG_DST_LAYER] = dnnl::memory(chosen.dst_layer_desc(), engine_);
    stream_.wait();
  }

  dnnl::memory filled(const Descriptor& descriptor, float bound) {
    dnnl::memory memory(descriptor, engine_);
    auto* values = static_cast<float*>(memory.get_data_handle());
    std::generate_n(values, descriptor.get_size() / sizeof(float),
                    [&] { return static_cast<float>(random_.uniform(-1, 1)) * bound; });
    return memory;
  }
  dnnl::memory random_values(const Descriptor& descriptor) {
    if (!quantized_) return filled(descriptor, 1);
    dnnl::memory memory(descriptor, engine_);
    auto* codes = static_cast<std::uint8_t*>(memory.get_data_handle());
    std::generate_n(codes, descriptor.get_size(), [&] { return static_cast<std::uint8_t>(random_.between(0, 255)); });
    return memory;
  }

  PeerShape shape_;
  bool quantized_;
  dnnl::engine engine_;
  dnnl::stream stream_;
  Random random_;
  dnnl::primitive primitive_;
  std::unordered_map<int, dnnl::memory> arguments_;
  std::vector<dnnl::memory> inputs_;
  std::size_t next_input_ = 0;
  std::size_t weight_bytes_ = 0;
  std::string implementation_;
};

}  // namespace

std::vector<std::unique_ptr<Peer>> make_onednn(const PeerShape& shape) {
  std::vector<std::unique_ptr<Peer>> peers;
  if (shape.cell != "lstm" && shape.cell != "gru") return peers;
  for (const bool quantized : {true, false}) {
    try {
      peers.push_back(std::make_unique<OneDnn>(shape, quantized));
    } catch (const dnnl::error& error) {
      if (error.status != dnnl_unimplemented) throw;
    }
  }
  return peers;
}

std::string onednn_isa_limit() {
  const bool limited = std::getenv("ONEDNN_MAX_CPU_ISA") != nullptr || std::getenv("DNNL_MAX_CPU_ISA") != nullptr;
  return limited ? isa_text(dnnl::get_effective_cpu_isa()) : "";
}

}  // namespace quaver
