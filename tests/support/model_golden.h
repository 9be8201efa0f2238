// model_golden.h - an integer model of one version of the file, run by the program of that time: its input, its outputs
// and its state half-way, as codes.
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "quaver/engine/sequence/session.h"
#include "quaver/npz/npz.h"

namespace quaver::testing_support {

// Arrays of CASE.npz beside CASE.safetensors: "x" int8 codes [steps, features] or "ids" int32 [steps]; "y/NODE" the
// codes of each output, a row a step (one row after pooling); for models that stream "state/NODE.PART" after half the
// steps and "fingerprint", as `quaver run --save-state` writes them.
class ModelGolden {
 public:
  ModelGolden(const Model& model, Npz arrays);

  std::size_t steps() const { return steps_; }
  std::size_t features() const { return steps_ == 0 ? 0 : codes_.size() / steps_; }  // 0 for ids
  SequenceView sequence(std::size_t first, std::size_t end) const;
  SequenceView sequence() const { return sequence(0, steps_); }
  const Npz& arrays() const { return arrays_; }
  std::vector<std::pair<std::string, std::span<const std::byte>>> state_parts() const;

  // Runs the input from the start and puts what comes out into the arrays.
  void record(const Model& model);

 private:
  Npz arrays_;
  std::size_t steps_ = 0;
  std::vector<std::int8_t> codes_;
  std::vector<std::int32_t> ids_;
};

// One result as an array of its codes.
NpzArray codes_of(const Result& result);

}  // namespace quaver::testing_support
