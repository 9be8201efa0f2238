#include "quaver/workflow/state_npz.h"

#include <bit>
#include <map>
#include <string>
#include <utility>

#include "quaver/core/error.h"
#include "quaver/core/printable.h"
#include "quaver/core/text.h"

namespace quaver {
namespace {

bool is_of(const State& fresh, const NpzArray& array) {
  if (array.type != NumberType::kI64 || array.element_count() != 1)
    throw_bad_input(concat("array '", kStateFingerprint, "' is not one int64"));
  return std::bit_cast<std::uint64_t>(array.as<std::int64_t>()[0]) == fresh.fingerprint();
}

void check_part(const StatePart& part, const NpzArray& array, std::size_t count) {
  const std::string name = concat(kStatePrefix, part.name);
  const std::vector<std::int64_t> expected{static_cast<std::int64_t>(count), static_cast<std::int64_t>(part.count)};
  const bool single = count == 1 && array.shape == std::vector{expected[1]};
  const bool reals = array.type == NumberType::kF32;  // of a part in codes too
  if ((array.type != part.type && !reals) || (array.shape != expected && !single))
    throw_bad_input(concat("array '", name, "' is ", npy_type_name(array.type), " ", shape_text(array.shape),
                           ", expected ", npy_type_name(part.type),
                           part.type == NumberType::kF32 ? "" : " (codes) or float32 (reals)", " ",
                           shape_text(expected), " (sequences of the input x elements of the state)"));
  if (array.type == NumberType::kF32) check_finite(array.as<float>(), array.shape, name);
}

std::vector<State> states_of(NpzFile& file, const Session& session, std::size_t count, std::uint64_t max_bytes,
                             const std::function<void(const std::string&)>& warn) {
  for (const std::string& name : file.names()) {
    if (name != kStateFingerprint && !name.starts_with(kStatePrefix))
      throw_bad_input(concat("array '", printable(name), "' is no part of a state ('", kStatePrefix, "NODE.PART')"));
  }
  const Npz arrays = file.read_all(max_bytes);
  const State fresh = session.initial_state();
  std::map<std::string, const NpzArray*> named;
  bool own = true;
  for (const auto& [name, array] : arrays) {
    if (name == kStateFingerprint) {
      own = is_of(fresh, array);
    } else {
      named[name.substr(kStatePrefix.size())] = &array;
    }
  }
  std::map<std::string, const StatePart*> wanted;
  for (const StatePart& part : fresh.layout().parts) {
    const auto found = named.find(part.name);
    if (part.derived() || found == named.end()) continue;  // what is missing, restore_state() names
    if (!own && found->second->type != NumberType::kF32 && !part.counts)
      throw_bad_input(concat("the state was saved by another model, '", kStatePrefix, part.name,
                             "' in its codes; run the model that saved it, save it as reals (--state-reals), or start "
                             "without --state"));
    check_part(part, *found->second, count);
    wanted[part.name] = &part;
  }
  for (const auto& [name, array] : named)
    if (!wanted.contains(name))
      throw_bad_input(concat("array '", kStatePrefix, printable(name), "' is no part of this model's state"));
  if (!own && warn)
    warn("the state was saved by another model: its real numbers are taken where names and sizes agree");
  std::map<std::string, std::size_t> cut;
  std::vector<State> states;
  for (std::size_t i = 0; i < count; ++i) {
    State coded = fresh;  // takes the reals
    std::vector<std::pair<std::string, std::span<const std::byte>>> parts;
    for (const auto& [name, array] : named) {
      const StatePart& part = *wanted.at(name);
      if (array->type == part.type) {
        const std::size_t bytes = part.count * type_bytes(part.type);
        parts.emplace_back(name, std::span<const std::byte>(array->bytes).subspan(i * bytes, bytes));
      } else {
        cut[name] += coded.set(name, array->as<float>().subspan(i * part.count, part.count));
        parts.emplace_back(name, std::as_const(coded).part(name));
      }
    }
    states.push_back(session.restore_state(parts));
  }
  for (const auto& [name, values] : cut)
    if (values > 0 && warn)
      warn(concat("state part '", name, "': ", values, " of ", count * wanted.at(name)->count,
                  " reals lie beyond its codes and were cut to their ends"));
  return states;
}

}  // namespace

Npz state_arrays(std::span<const State> states, StateNumbers numbers) {
  Npz arrays;
  for (const StatePart& part : states[0].layout().parts) {
    if (part.derived()) continue;
    NpzArray& array = arrays[concat(kStatePrefix, part.name)];
    const bool reals = numbers == StateNumbers::kReals && !part.counts;
    array.type = reals ? NumberType::kF32 : part.type;
    array.shape = {static_cast<std::int64_t>(states.size()), static_cast<std::int64_t>(part.count)};
    for (const State& state : states) {
      const std::vector<float> values = reals ? state.reals(part.name) : std::vector<float>{};
      const auto bytes = reals ? std::as_bytes(std::span(values)) : state.part(part.name);
      array.bytes.insert(array.bytes.end(), bytes.begin(), bytes.end());
    }
  }
  const std::vector<std::int64_t> mark{std::bit_cast<std::int64_t>(states[0].fingerprint())};
  arrays[std::string(kStateFingerprint)] = NpzArray::from<std::int64_t>({1}, mark);
  return arrays;
}

void write_states(const std::filesystem::path& path, std::span<const State> states, StateNumbers numbers) {
  write_npz(path, state_arrays(states, numbers));
}

std::vector<State> read_states(const std::filesystem::path& path, const Session& session, std::size_t count,
                               std::uint64_t max_bytes, const std::function<void(const std::string&)>& warn) {
  NpzFile file = NpzFile::open(path);
  try {
    return states_of(file, session, count, max_bytes, warn);
  } catch (const Error& error) {
    throw Error(error.kind(), concat(path.string(), ": ", error.what()));
  }
}

}  // namespace quaver
