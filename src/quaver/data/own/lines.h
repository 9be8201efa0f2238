// lines.h - text files a line at a time, however large: plain, .gz or .xz. Internal to this floor.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace quaver {

class LineReader {
 public:
  // progress: told of the file's bytes now and then. Error (bad input) naming the file when it cannot be opened.
  explicit LineReader(const std::filesystem::path& path,
                      std::function<void(std::uint64_t done, std::uint64_t total)> progress = {});
  // The same of bytes, which must outlive the object. name: for errors.
  LineReader(std::string name, std::string_view bytes);
  LineReader(LineReader&&) noexcept;
  LineReader& operator=(LineReader&&) noexcept;
  ~LineReader();

  // The next line without its end ("\n" or "\r\n") and without a byte order mark; valid until the next call. Nothing at
  // the end. Error (bad input) "FILE:LINE: ..." for a line that is longer than 64 MiB, no UTF-8, or has control
  // characters other than tabs; for a damaged file.
  std::optional<std::string_view> next();
  // The next line that is not blank. Error for a blank one between others: it is no example, and more often a mistake.
  std::optional<std::string_view> next_filled();

  std::size_t number() const;  // of the last line, from 1
  std::string where() const;   // "data.csv:12"
  const std::string& name() const;
  std::uint64_t hash() const;  // of the lines so far, whatever their ends

 private:
  struct Contents;
  std::unique_ptr<Contents> contents_;
};

// Without blanks at both ends.
std::string_view trimmed(std::string_view text);
// The finite number that all of the text is.
std::optional<double> number_of(std::string_view text);

}  // namespace quaver
