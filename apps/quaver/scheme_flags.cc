#include "scheme_flags.h"

#include <CLI/CLI.hpp>

#include "checks.h"

namespace quaver {

void add_scheme_flags(CLI::App& verb, std::vector<SchemeSwitch>& switches, const std::string& group) {
  const auto add = [&]<typename Field>(const std::string& name, Field MemoryScheme::*field, const std::string& help,
                                       const CLI::Validator& check) {
    verb.add_option_function<Field>(
            name,
            [&switches, name, field](const Field& value) {
              switches.push_back({name, [field, value](MemoryScheme& scheme) { scheme.*field = value; }});
            },
            help)
        ->check(check)
        ->group(group);
  };
  const auto add_switch = [&](const std::string& name, bool MemoryScheme::*field, const std::string& help) {
    add(name, field, help, true_or_false());
  };
  add("--bits", &MemoryScheme::bits, "Word length (scaled schemes: 8 at most); the sign is one of them",
      whole_number(2, 15));
  add("--integer-bits", &MemoryScheme::integer_bits, "Bits before the point", whole_number(0, 14));
  add_switch("--hop-formats", &MemoryScheme::hop_formats,
             "true or false: the first hop has an integer bit more, the last one less (MQ)");
  add_switch("--one-bit-query", &MemoryScheme::one_bit_query,
             "true or false: the dot product's query and the controller's input are one bit");
  add_switch("--one-bit-weights", &MemoryScheme::one_bit_weights,
             "true or false: embeddings and controller are one bit times a mean");
  add_switch("--integer-only", &MemoryScheme::integer_only, "true or false: softmax and answer layer in integers too");
  verb.add_option_function<std::string>(
          "--similarity",
          [&switches](const std::string& value) {
            switches.push_back({"--similarity", [value](MemoryScheme& scheme) {
                                  scheme.similarity = memory_similarity_from_name(value);
                                }});
          },
          "dot, or hamming: bounded")
      ->check(one_of({"dot", "hamming"}))
      ->group(group);
  add_switch("--power-of-two-scales", &MemoryScheme::power_of_two_scales,
             "true or false, scaled schemes: every tensor has a point instead of a scale");
  add_switch("--relative-similarity", &MemoryScheme::relative_similarity,
             "true or false, scaled schemes: similarities are coded from the largest one down");
  add_switch("--one-bit-state", &MemoryScheme::one_bit_state,
             "true or false, scaled schemes: with the query, the state that the read is added to is one bit");
  add_switch(
      "--shared-point", &MemoryScheme::shared_point,
      "true or false, scaled schemes: one point for all tensors, that of --integer-bits; to measure calibration");
  add_switch("--truncation", &MemoryScheme::truncation,
             "true or false, scaled schemes: toward zero, not to the nearest; to measure rounding");
}

}  // namespace quaver
