// state_npz.h - states of streams as arrays of an npz: "state/NODE.PART" [streams, elements] for every part that is not
// derived from another, as it is coded, and "fingerprint" (int64 [1]) of the model that they belong to.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string_view>
#include <vector>

#include "quaver/core/memory_limit.h"
#include "quaver/engine/sequence/session.h"
#include "quaver/io/npz.h"

namespace quaver {

inline constexpr std::string_view kStatePrefix = "state/";
inline constexpr std::string_view kStateFingerprint = "fingerprint";

// states: of one model, at least one.
Npz state_arrays(std::span<const State> states);
void write_states(const std::filesystem::path& path, std::span<const State> states);

// `count` states of the session's model; of a single one the arrays may be [elements]. A file without a fingerprint is
// taken. Error (bad input) that names the file: arrays that are no part of a state, missing, of another type or shape,
// or not finite; the fingerprint of another model; more than max_bytes.
std::vector<State> read_states(const std::filesystem::path& path, const Session& session, std::size_t count,
                               std::uint64_t max_bytes = kDefaultMaxMemory);

}  // namespace quaver
