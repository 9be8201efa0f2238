#include "quaver/train/recurrent/gemm.h"

#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/addmm.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/mm.h>
#include <dlfcn.h>

namespace quaver {
namespace {

template <typename T>
at::Tensor view(const Block<T>& block) {
  using Element = std::remove_const_t<T>;
  return at::from_blob(const_cast<Element*>(block.data),
                       {static_cast<std::int64_t>(block.rows), static_cast<std::int64_t>(block.cols)},
                       {static_cast<std::int64_t>(block.stride), 1}, c10::CppTypeToScalarType<Element>::value);
}

void run(at::Tensor c, const at::Tensor& a, const at::Tensor& b, Product product) {
  if (product == Product::kSet)
    at::mm_out(c, a, b);
  else
    at::addmm_out(c, c, a, b);
}

// OpenBLAS has threads of its own that libtorch does not govern. Other libraries (MKL) follow libtorch's number; then
// these functions do not exist and there is nothing to do.
template <typename Function>
Function* openblas_function(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_DEFAULT, name));
}

void set_blas_threads(int threads) {
  static auto* const set = openblas_function<void(int)>("openblas_set_num_threads");
  if (set != nullptr) set(threads);
}

int blas_threads() {
  static auto* const get = openblas_function<int()>("openblas_get_num_threads");
  return get == nullptr ? 1 : get();
}

}  // namespace

template <typename T>
void multiply(const Block<T>& c, const Block<const T>& a, const Block<const T>& b, Product product) {
  run(view(c), view(a), view(b), product);
}

template <typename T>
void multiply_transposed(const Block<T>& c, const Block<const T>& a, const Block<const T>& b, Product product) {
  run(view(c), view(a), view(b).t(), product);
}

template <typename T>
void transposed_multiply(const Block<T>& c, const Block<const T>& a, const Block<const T>& b, Product product) {
  run(view(c), view(a).t(), view(b), product);
}

template void multiply(const Block<float>&, const Block<const float>&, const Block<const float>&, Product);
template void multiply(const Block<double>&, const Block<const double>&, const Block<const double>&, Product);
template void multiply_transposed(const Block<float>&, const Block<const float>&, const Block<const float>&, Product);
template void multiply_transposed(const Block<double>&, const Block<const double>&, const Block<const double>&,
                                  Product);
template void transposed_multiply(const Block<float>&, const Block<const float>&, const Block<const float>&, Product);
template void transposed_multiply(const Block<double>&, const Block<const double>&, const Block<const double>&,
                                  Product);

SingleThreadedBlas::SingleThreadedBlas() : torch_threads_(at::get_num_threads()), blas_threads_(blas_threads()) {
  at::set_num_threads(1);
  set_blas_threads(1);
}

SingleThreadedBlas::~SingleThreadedBlas() {
  at::set_num_threads(torch_threads_);
  set_blas_threads(blas_threads_);
}

}  // namespace quaver
