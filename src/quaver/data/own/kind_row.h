// kind_row.h - one row of the table of kinds, and what the rows share. Internal to this floor.
//
// To add a kind: a file of its own that defines a function returning its row, and a line in the table of own_data.cc.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "quaver/core/error.h"
#include "quaver/data/own/own_data.h"
#include "quaver/data/task_row.h"

namespace quaver {

class PartReader {
 public:
  virtual ~PartReader() = default;
  virtual std::size_t size(Split split) const = 0;
  virtual Example read(Split split, std::size_t index) const = 0;  // index < size(split)
  // False where examples are cut from what is held anyway, so that to hold them too would take memory and save no time.
  virtual bool worth_holding() const { return true; }
  // About how many steps it has, without reading it where that can be.
  virtual std::size_t about_steps(Split split, std::size_t index) const { return read(split, index).input.steps; }
};

// What a split was drawn from, or cut from in order.
struct Drawn {
  std::string what{};  // "recordings"
  std::size_t count = 0;
  std::uint64_t hash = 0;  // of what decides which examples are there, in their order
};

struct OpenedData {
  Pipeline pipeline{};
  std::optional<Drawn> drawn{};  // nothing where the source says what is which
  std::vector<std::string> notes{};
  std::unique_ptr<const PartReader> parts{};
};

struct KindRow {
  DataKind kind{};
  // trained: of the same kind, or null.
  OpenedData (*open)(const DataSpec& spec, const OwnDataOptions& options, const Pipeline* trained);
};

KindRow babi_row();
KindRow csv_row();
KindRow lm_row();
KindRow npz_row();
KindRow text_row();
KindRow ts_row();
KindRow wav_row();

std::uint64_t bytes_of(const Example& example);

// Decides over what cannot be read: an Error goes on, or is counted and the example left out.
class BrokenExamples {
 public:
  BrokenExamples(std::string what, bool skip) : what_(std::move(what)), skip_(skip) {}

  // Calls `read`. False when it threw an Error (bad input) and broken examples are skipped.
  template <typename Read>
  bool readable(const Read& read) {
    try {
      read();
      return true;
    } catch (const Error& error) {
      if (!skip_ || error.kind() != ErrorKind::kBadInput) throw;
      if (count_++ == 0) first_ = error.what();
      return false;
    }
  }

  std::size_t count() const { return count_; }
  // "2 of 300 recordings cannot be read, the first: ...".
  std::string text(std::size_t all) const;

 private:
  std::string what_;
  bool skip_;
  std::size_t count_ = 0;
  std::string first_{};
};

// The label of a class. Error (bad input) "WHERE: ..." that lists them when it is none of them.
std::int32_t label_of(const std::vector<std::string>& classes, const std::string& name, const std::string& where);

// Error (bad input) "WHERE: ..." unless it is UTF-8 without control characters and not empty: it goes into model files.
void require_name(const std::string& name, const std::string& where);

}  // namespace quaver
