#include "quaver/train/recurrent/recurrent_functions.h"

#include <torch/csrc/autograd/custom_function.h>

namespace quaver {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// One sequence run, whatever its cell: what the function below needs of it.
class Run : public torch::CustomClassHolder {
 public:
  virtual at::Tensor forward(const at::Tensor& x, const std::vector<at::Tensor>& parameters) = 0;
  // Gradients by x (undefined unless wanted) and by the parameters.
  virtual variable_list backward(const variable_list& saved, const at::Tensor& d_h, bool wants_d_x) = 0;
};

template <typename T>
struct LstmTraits {
  using Sequence = LstmSequence<T>;
  using Options = LstmSequenceOptions;
  template <typename U>
  static LstmTensors<U> tensors(const Options& options, const std::vector<U*>& data) {
    LstmTensors<U> result{.W = data[0], .R = data[1], .b = data[2]};
    std::size_t next = 3;
    if (options.shape.peephole) result.P = data[next++];
    if (options.shape.layer_norm) result.L = data[next++];
    if (options.shape.projection) {
      result.W_projection = data[next++];
      result.b_projection = data[next++];
    }
    return result;
  }
  static std::size_t outputs(const Options& options) { return options.shape.n_out; }
  static void backward(Sequence& sequence, const LstmTensors<const T>& weights, const T* x, const T* h, const T* d_h,
                       const LstmTensors<T>& gradients, T* d_x) {
    sequence.backward(weights, x, h, d_h, gradients, d_x);
  }
};

template <typename T>
struct GruTraits {
  using Sequence = GruSequence<T>;
  using Options = GruSequenceOptions;
  template <typename U>
  static GruTensors<U> tensors(const Options&, const std::vector<U*>& data) {
    return {.W = data[0], .R = data[1], .b = data[2], .b_recurrent = data[3]};
  }
  static std::size_t outputs(const Options& options) { return options.shape.n; }
  static void backward(Sequence& sequence, const GruTensors<const T>& weights, const T* x, const T*, const T* d_h,
                       const GruTensors<T>& gradients, T* d_x) {
    sequence.backward(weights, x, d_h, gradients, d_x);
  }
};

template <typename T>
struct RnnTraits {
  using Sequence = RnnSequence<T>;
  using Options = RnnSequenceOptions;
  template <typename U>
  static RnnTensors<U> tensors(const Options&, const std::vector<U*>& data) {
    return {.W = data[0], .R = data[1], .b = data[2]};
  }
  static std::size_t outputs(const Options& options) { return options.n; }
  static void backward(Sequence& sequence, const RnnTensors<const T>& weights, const T* x, const T* h, const T* d_h,
                       const RnnTensors<T>& gradients, T* d_x) {
    sequence.backward(weights, x, h, d_h, gradients, d_x);
  }
};

template <typename T, typename Traits>
class RunOf final : public Run {
 public:
  RunOf(const typename Traits::Options& options, const SharedPacking& packing)
      : options_(options), sequence_(options, packing) {}

  at::Tensor forward(const at::Tensor& x, const std::vector<at::Tensor>& parameters) override {
    at::Tensor h = at::empty({x.size(0), static_cast<std::int64_t>(Traits::outputs(options_))}, x.options());
    sequence_.forward(Traits::template tensors<const T>(options_, constant(parameters)), x.data_ptr<T>(),
                      h.data_ptr<T>());
    return h;
  }

  variable_list backward(const variable_list& saved, const at::Tensor& d_h, bool wants_d_x) override {
    const at::Tensor &x = saved[0], &h = saved[1];
    const std::vector<at::Tensor> parameters(saved.begin() + 2, saved.end());
    variable_list gradients{wants_d_x ? at::empty_like(x) : at::Tensor()};
    std::vector<T*> data;
    for (const at::Tensor& parameter : parameters) {
      gradients.push_back(at::empty_like(parameter));
      data.push_back(gradients.back().data_ptr<T>());
    }
    Traits::backward(sequence_, Traits::template tensors<const T>(options_, constant(parameters)), x.data_ptr<T>(),
                     h.data_ptr<T>(), d_h.data_ptr<T>(), Traits::template tensors<T>(options_, data),
                     wants_d_x ? gradients[0].data_ptr<T>() : nullptr);
    return gradients;
  }

 private:
  static std::vector<const T*> constant(const std::vector<at::Tensor>& tensors) {
    std::vector<const T*> data;
    for (const at::Tensor& tensor : tensors) data.push_back(tensor.data_ptr<T>());
    return data;
  }

  typename Traits::Options options_;
  typename Traits::Sequence sequence_;
};

class SequenceFunction : public torch::autograd::Function<SequenceFunction> {
 public:
  static at::Tensor forward(AutogradContext* context, const c10::intrusive_ptr<Run>& run, const at::Tensor& x,
                            at::TensorList parameters) {
    const at::Tensor h = run->forward(x, parameters.vec());
    variable_list saved{x, h};
    saved.insert(saved.end(), parameters.begin(), parameters.end());
    context->save_for_backward(saved);
    context->saved_data["run"] = c10::IValue::make_capsule(run);
    return h;
  }

  static variable_list backward(AutogradContext* context, variable_list d_outputs) {
    const auto run = c10::static_intrusive_pointer_cast<Run>(context->saved_data["run"].toCapsule());
    const variable_list saved = context->get_saved_variables();
    variable_list gradients = run->backward(saved, d_outputs[0].contiguous(), saved[0].requires_grad());
    gradients.insert(gradients.begin(), at::Tensor());  // none by the run itself
    return gradients;
  }
};

template <template <typename> typename Traits, typename Options>
at::Tensor apply(const Options& options, const SharedPacking& packing, const at::Tensor& x,
                 const std::vector<at::Tensor>& parameters) {
  c10::intrusive_ptr<Run> run;
  if (x.scalar_type() == at::kDouble)
    run = c10::make_intrusive<RunOf<double, Traits<double>>>(options, packing);
  else
    run = c10::make_intrusive<RunOf<float, Traits<float>>>(options, packing);
  return SequenceFunction::apply(run, x, at::TensorList(parameters));
}

}  // namespace

at::Tensor lstm_function(const LstmSequenceOptions& options, const SharedPacking& packing, const at::Tensor& x,
                         const std::vector<at::Tensor>& parameters) {
  return apply<LstmTraits>(options, packing, x, parameters);
}

at::Tensor gru_function(const GruSequenceOptions& options, const SharedPacking& packing, const at::Tensor& x,
                        const std::vector<at::Tensor>& parameters) {
  return apply<GruTraits>(options, packing, x, parameters);
}

at::Tensor rnn_function(const RnnSequenceOptions& options, const SharedPacking& packing, const at::Tensor& x,
                        const std::vector<at::Tensor>& parameters) {
  return apply<RnnTraits>(options, packing, x, parameters);
}

}  // namespace quaver
