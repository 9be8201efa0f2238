// option_field.h - one option of a training, as identities, checks, requests and flags see it.
#pragma once

#include <string>
#include <vector>

namespace quaver {

struct OptionField {
  const char* name;     // as identities, provenance and, with '-' for '_', flags call it
  double low, high;     // of numbers: what it may be; equal ones: anything
  const char* meaning;  // one line for a reader of flags; with its cell before a colon where only that one has it
  std::vector<std::string> (*choices)() = nullptr;  // the names there are; null: not of a choice
};

}  // namespace quaver
