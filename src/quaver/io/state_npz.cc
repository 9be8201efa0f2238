#include "quaver/io/state_npz.h"

#include <bit>
#include <map>
#include <string>
#include <utility>

#include "quaver/core/error.h"
#include "quaver/core/printable.h"
#include "quaver/core/text.h"

namespace quaver {
namespace {

void check_fingerprint(const NpzArray& array, const State& fresh) {
  if (array.type != NumberType::kI64 || array.element_count() != 1)
    throw_bad_input(concat("array '", kStateFingerprint, "' is not one int64"));
  if (std::bit_cast<std::uint64_t>(array.as<std::int64_t>()[0]) != fresh.fingerprint())
    throw_bad_input("the state was saved by another model; run the model that saved it, or start without --state");
}

void check_part(const StatePart& part, const NpzArray& array, std::size_t count) {
  const std::string name = concat(kStatePrefix, part.name);
  const std::vector<std::int64_t> expected{static_cast<std::int64_t>(count), static_cast<std::int64_t>(part.count)};
  const bool single = count == 1 && array.shape == std::vector{expected[1]};
  if (array.type != part.type || (array.shape != expected && !single))
    throw_bad_input(concat("array '", name, "' is ", npy_type_name(array.type), " ", shape_text(array.shape),
                           ", expected ", npy_type_name(part.type), " ", shape_text(expected),
                           " (sequences of the input x elements of the state)"));
  if (array.type == NumberType::kF32) check_finite(array.as<float>(), array.shape, name);
}

std::vector<State> states_of(NpzFile& file, const Session& session, std::size_t count, std::uint64_t max_bytes) {
  for (const std::string& name : file.names()) {
    if (name != kStateFingerprint && !name.starts_with(kStatePrefix))
      throw_bad_input(concat("array '", printable(name), "' is no part of a state ('", kStatePrefix, "NODE.PART')"));
  }
  const Npz arrays = file.read_all(max_bytes);
  const State fresh = session.initial_state();
  std::map<std::string, const NpzArray*> named;
  for (const auto& [name, array] : arrays) {
    if (name == kStateFingerprint)
      check_fingerprint(array, fresh);
    else
      named[name.substr(kStatePrefix.size())] = &array;
  }
  std::map<std::string, std::size_t> bytes;  // of one state, by part
  for (const StatePart& part : fresh.layout().parts) {
    const auto found = named.find(part.name);
    if (part.derived || found == named.end()) continue;  // what is missing, restore_state() names
    check_part(part, *found->second, count);
    bytes[part.name] = part.count * type_bytes(part.type);
  }
  for (const auto& [name, array] : named)
    if (!bytes.contains(name))
      throw_bad_input(concat("array '", kStatePrefix, printable(name), "' is no part of this model's state"));
  std::vector<State> states;
  for (std::size_t i = 0; i < count; ++i) {
    std::vector<std::pair<std::string, std::span<const std::byte>>> parts;
    for (const auto& [name, array] : named) {
      const std::span<const std::byte> all = array->bytes;
      parts.emplace_back(name, all.subspan(i * bytes.at(name), bytes.at(name)));
    }
    states.push_back(session.restore_state(parts));
  }
  return states;
}

}  // namespace

Npz state_arrays(std::span<const State> states) {
  Npz arrays;
  for (const StatePart& part : states[0].layout().parts) {
    if (part.derived) continue;
    NpzArray& array = arrays[concat(kStatePrefix, part.name)];
    array.type = part.type;
    array.shape = {static_cast<std::int64_t>(states.size()), static_cast<std::int64_t>(part.count)};
    for (const State& state : states) {
      const auto bytes = state.part(part.name);
      array.bytes.insert(array.bytes.end(), bytes.begin(), bytes.end());
    }
  }
  const std::vector<std::int64_t> mark{std::bit_cast<std::int64_t>(states[0].fingerprint())};
  arrays[std::string(kStateFingerprint)] = NpzArray::from<std::int64_t>({1}, mark);
  return arrays;
}

void write_states(const std::filesystem::path& path, std::span<const State> states) {
  write_npz(path, state_arrays(states));
}

std::vector<State> read_states(const std::filesystem::path& path, const Session& session, std::size_t count,
                               std::uint64_t max_bytes) {
  NpzFile file = NpzFile::open(path);
  try {
    return states_of(file, session, count, max_bytes);
  } catch (const Error& error) {
    throw Error(error.kind(), concat(path.string(), ": ", error.what()));
  }
}

}  // namespace quaver
