// test_fixed.h - Q-MANN's fixed point written down plainly, number by number, to hold MemN2NFixed against where there
// is no golden: rows wider than a vector, every scheme, sentences that come again. The goldens hold this one too.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "quaver/cells/memn2n/params.h"
#include "quaver/cells/memn2n/scheme.h"

namespace quaver::testing_support {

class PlainFixed {
 public:
  using Codes = std::vector<std::int32_t>;
  struct Hop {
    Codes m, c;            // [facts, d], the hop's format
    Codes s, p_codes;      // [facts]
    std::vector<float> p;  // [facts], real units
    Codes u, o;            // [d]
  };

  PlainFixed(const MemN2NShape& shape, const MemoryScheme& scheme);
  void set_parameters(std::span<const float> parameters);
  void run(const MemoryQuestion& question, bool linear);

  const Hop& hop(std::size_t hop) const { return hops_[hop]; }
  const Codes& output() const { return u_; }  // [d]
  std::vector<std::int64_t> scores() const;   // integer_only

 private:
  struct Matrix {
    Codes codes, l;
    double mean = 0;  // one-bit weights
    SignMagnitudeFormat format;
  };
  Matrix coded(std::span<const float> parameters, std::size_t place, SignMagnitudeFormat format, bool one_bit) const;
  std::int32_t product(const Matrix& matrix, std::int32_t code, std::int32_t x, int fraction) const;
  std::int32_t limited(const Matrix& matrix, std::int64_t sum, int x_fraction) const;
  void embed(const Matrix& matrix, WordNumbers words, const std::size_t* age, std::int32_t* out) const;
  void compare(std::size_t hop, SignMagnitudeFormat u_format);
  void attend(Hop& hop, std::size_t empty, bool linear) const;
  void next_u(std::size_t hop, SignMagnitudeFormat u_format);

  MemN2NShape shape_;
  MemoryScheme scheme_;
  MemoryRoles roles_;
  std::vector<Matrix> A_, C_, H_;  // a hop
  Matrix B_, W_;
  std::vector<Hop> hops_;
  Codes u_;
};

}  // namespace quaver::testing_support
