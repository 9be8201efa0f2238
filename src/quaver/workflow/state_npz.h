// state_npz.h - states of streams as arrays of an npz: "state/NODE.PART" [streams, elements] for every part that is not
// derived from another, as it is coded, and "fingerprint" (int64 [1]) of the model that they belong to.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "quaver/core/memory_limit.h"
#include "quaver/engine/sequence/session.h"
#include "quaver/npz/npz.h"

namespace quaver {

inline constexpr std::string_view kStatePrefix = "state/";
inline constexpr std::string_view kStateFingerprint = "fingerprint";

// As the model codes them, which restores every bit, or as float32 reals, which another program can make sense of and
// a model of other formats can read; counters stay whole numbers.
enum class StateNumbers { kCodes, kReals };

// states: of one model, at least one.
Npz state_arrays(std::span<const State> states, StateNumbers numbers = StateNumbers::kCodes);
void write_states(const std::filesystem::path& path, std::span<const State> states,
                  StateNumbers numbers = StateNumbers::kCodes);

// `count` states of the session's model; of a single one the arrays may be [elements]. A file without a fingerprint is
// taken, and float32 is taken as reals where the part has codes; warn() is told how many were cut. Error (bad input)
// that names the file: arrays that are no part of a state, missing, of another type or shape, or not finite; the
// fingerprint of another model; more than max_bytes.
std::vector<State> read_states(const std::filesystem::path& path, const Session& session, std::size_t count,
                               std::uint64_t max_bytes = kDefaultMaxMemory,
                               const std::function<void(const std::string&)>& warn = {});

}  // namespace quaver
