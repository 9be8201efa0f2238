// run.h - sequences through a model, whole or step by step, with state in and out; or a story told to a memory network,
// which answers its questions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <istream>
#include <optional>
#include <string>

#include "quaver/core/memory_limit.h"
#include "quaver/report/show/run_report.h"
#include "quaver/workflow/data_source.h"
#include "quaver/workflow/listener.h"

namespace quaver {

// Of fields of raw input that are not given.
inline constexpr double kDefaultEvery = 1, kDefaultTemperature = 0.7;
inline constexpr std::size_t kDefaultGenerate = 400;
inline constexpr std::uint64_t kDefaultDrawSeed = 1;

struct RunRequest {
  std::filesystem::path model{};
  // An .npz or .npy file (sequence/input.h); raw input of the kind that the model learned from: a recording or a folder
  // of them (.wav), a table (.csv), texts (a line each) or the beginning of one, KIND:PATH, or "-", `text_in` as it
  // comes; of a memory network a story as text: sentences, of which those that end with '?' are questions, or stories
  // in bAbI's format.
  std::filesystem::path input{};
  std::filesystem::path state_in{}, state_out{};  // states of streams (state_npz.h), or a memory
  std::uint64_t max_memory = kDefaultMaxMemory;   // bytes of one input, decoded

  // Of models of sequences.
  std::filesystem::path output{};  // arrays: y, and every output under its name
  bool stream = false;             // one step a call; of a pooled model also y_stream, the scores after every step
  bool state_reals = false;        // state_out has reals instead of codes
  std::size_t threads = 1;
  std::istream* text_in =
      nullptr;               // raw samples or lines, or a story: read where `input` is "-"; a story without it too
  bool keep_answers = true;  // in the report; else they are told to the listener alone, and take no memory

  // Of raw input.
  std::optional<std::string> split{};     // of KIND:PATH; else "test"
  std::optional<double> every{};          // seconds of a stream of samples that an answer stands for
  std::optional<std::size_t> generate{};  // tokens, of models of running text
  std::optional<double> temperature{};    // of what is drawn, 0: always the likeliest token
  std::optional<std::uint64_t> seed{};    // of it
  DataSource data{};

  // Of memory networks.
  std::size_t memory = 0;    // facts that it holds; 0: as many as it was trained with
  bool explain = false;      // which facts each hop looked at
  bool keep_replies = true;  // in the report; else they are told to the listener alone, and take no memory
};

// Error (usage) for fields that do not suit the kind of network, files that would be overwritten; (bad input) for a
// model, input or state that cannot be read or does not fit.
RunReport run(const RunRequest& request, Listener& listener);

}  // namespace quaver
