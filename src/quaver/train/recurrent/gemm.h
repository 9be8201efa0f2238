// gemm.h - matrix products on row-major blocks, by the BLAS that libtorch uses. Internal to this floor.
#pragma once

#include <cstddef>

namespace quaver {

// A row-major matrix whose rows lie `stride` elements apart.
template <typename T>
struct Block {
  T* data;
  std::size_t rows;
  std::size_t cols;
  std::size_t stride;
  Block(T* first, std::size_t row_count, std::size_t col_count) : Block(first, row_count, col_count, col_count) {}
  Block(T* first, std::size_t row_count, std::size_t col_count, std::size_t row_stride)
      : data(first), rows(row_count), cols(col_count), stride(row_stride) {}
};

enum class Product {
  kSet,  // c = a b
  kAdd,  // c += a b
};

// c = a b,  a b^T,  a^T b. T: float or double. Runs on the caller's thread while a SingleThreadedBlas lives.
template <typename T>
void multiply(const Block<T>& c, const Block<const T>& a, const Block<const T>& b, Product product);
template <typename T>
void multiply_transposed(const Block<T>& c, const Block<const T>& a, const Block<const T>& b, Product product);
template <typename T>
void transposed_multiply(const Block<T>& c, const Block<const T>& a, const Block<const T>& b, Product product);

// While it lives, libtorch and its BLAS use one thread a call: we run several calls side by side instead, whose results
// do not depend on the number of threads.
class SingleThreadedBlas {
 public:
  SingleThreadedBlas();
  ~SingleThreadedBlas();
  SingleThreadedBlas(const SingleThreadedBlas&) = delete;
  SingleThreadedBlas& operator=(const SingleThreadedBlas&) = delete;

 private:
  int torch_threads_;
  int blas_threads_;
};

}  // namespace quaver
