#include "quaver/npz/npy_header.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <optional>
#include <string_view>

#include "quaver/core/error.h"
#include "quaver/core/printable.h"
#include "quaver/core/text.h"

namespace quaver {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr std::size_t kMaxDimensions = 32;  // NumPy's own limit

struct TypeRow {
  NumberType type;
  std::string_view name;
  std::string_view code;  // of 'descr', after the byte order
};
constexpr std::array<TypeRow, 8> kTypes{{{NumberType::kF32, "float32", "f4"},
                                         {NumberType::kF64, "float64", "f8"},
                                         {NumberType::kI8, "int8", "i1"},
                                         {NumberType::kI16, "int16", "i2"},
                                         {NumberType::kI32, "int32", "i4"},
                                         {NumberType::kI64, "int64", "i8"},
                                         {NumberType::kU8, "uint8", "u1"},
                                         {NumberType::kBool, "bool", "b1"}}};

const TypeRow& row_of(NumberType type) {
  return *std::find_if(kTypes.begin(), kTypes.end(), [type](const TypeRow& row) { return row.type == type; });
}

std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

NumberType type_from(std::string_view descr) {
  for (const TypeRow& row : kTypes) {
    if (descr.size() < 2 || descr.substr(1) != row.code) continue;
    if (descr[0] == '<' || (type_bytes(row.type) == 1 && descr[0] == '|')) return row.type;
    if (descr[0] == '>')
      throw_bad_input(
          concat("its type '", descr, "' is big-endian, expected little-endian: astype('<", row.code, "')"));
  }
  throw_bad_input(concat("its type '", printable(descr),
                         "' is not supported, expected float32, float64, int8, int16, int32, int64, uint8 or bool"));
}

// A strict reader of the one dictionary; anything else that Python could evaluate is refused.
class DictReader {
 public:
  explicit DictReader(std::string_view text) : text_(text) {}

  NpyHeader read() {
    std::optional<NumberType> type;
    std::optional<bool> fortran_order;
    std::optional<std::vector<std::int64_t>> shape;
    expect('{');
    while (!take('}')) {
      const std::string_view key = quoted();
      expect(':');
      if (key == "descr" && !type) {
        type = type_from(quoted());
      } else if (key == "fortran_order" && !fortran_order) {
        fortran_order = boolean();
      } else if (key == "shape" && !shape) {
        shape = tuple();
      } else {
        refuse("a key once, of 'descr', 'fortran_order' and 'shape'");
      }
      if (!take(',')) {
        expect('}');
        break;
      }
    }
    skip_blanks();
    if (at_ != text_.size()) refuse("nothing after the dictionary");
    if (!type || !fortran_order || !shape) refuse("'descr', 'fortran_order' and 'shape'");
    return {*type, *fortran_order, std::move(*shape), 0};
  }

 private:
  [[noreturn]] void refuse(std::string_view expected) const {
    throw_bad_input(concat("its header is not what NumPy writes: at byte ", at_, " of '", printable(text_),
                           "', expected ", expected));
  }
  void skip_blanks() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n')) ++at_;
  }
  bool take(char wanted) {
    skip_blanks();
    if (at_ >= text_.size() || text_[at_] != wanted) return false;
    ++at_;
    return true;
  }
  void expect(char wanted) {
    if (!take(wanted)) refuse(concat("'", wanted, "'"));
  }
  std::string_view quoted() {
    skip_blanks();
    const char quote = at_ < text_.size() ? text_[at_] : ' ';
    if (quote != '\'' && quote != '"') refuse("a quoted text (arrays of records are not supported)");
    const std::size_t begin = ++at_;
    at_ = std::min(text_.find(quote, begin), text_.size());
    if (at_ == text_.size()) refuse("a closing quote");
    return text_.substr(begin, at_++ - begin);
  }
  bool boolean() {
    skip_blanks();
    for (const std::string_view word : {std::string_view("True"), std::string_view("False")}) {
      if (!text_.substr(at_).starts_with(word)) continue;
      at_ += word.size();
      return word == "True";
    }
    refuse("True or False");
  }
  std::vector<std::int64_t> tuple() {
    std::vector<std::int64_t> sizes;
    expect('(');
    while (!take(')')) {
      skip_blanks();
      std::int64_t size = -1;
      const auto [end, error] = std::from_chars(text_.data() + at_, text_.data() + text_.size(), size);
      if (error != std::errc() || size < 0) refuse("a size from 0 to 2^63 - 1");
      at_ = static_cast<std::size_t>(end - text_.data());
      sizes.push_back(size);
      if (sizes.size() > kMaxDimensions) refuse(concat("at most ", kMaxDimensions, " dimensions"));
      if (take(',')) continue;
      if (sizes.size() == 1) refuse("',' after the only size");
      expect(')');
      break;
    }
    return sizes;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

std::uint64_t checked_bytes(const NpyHeader& header) {
  constexpr std::uint64_t kLimit = std::numeric_limits<std::int64_t>::max();
  std::uint64_t count = type_bytes(header.type);
  for (const std::int64_t size : header.shape) {
    const auto factor = static_cast<std::uint64_t>(size);
    if (factor != 0 && count > kLimit / factor)
      throw_bad_input(concat("its shape ", shape_text(header.shape), " has more bytes than any file"));
    count *= factor;
  }
  return count;
}

}  // namespace

std::string_view npy_type_name(NumberType type) { return row_of(type).name; }

bool is_npy(std::span<const std::byte> bytes) { return text_of(bytes).starts_with(kMagic); }

std::size_t npy_header_size(std::span<const std::byte> prefix) {
  if (!is_npy(prefix)) throw_bad_input("it does not start like an .npy array");
  const auto at = [&prefix](std::size_t i) {
    if (i >= prefix.size()) throw_bad_input("it ends within the header of its .npy array");
    return std::to_integer<std::size_t>(prefix[i]);
  };
  const std::size_t major = at(6), minor = at(7);
  if (major < 1 || major > 3 || minor != 0)
    throw_bad_input(concat("it is an .npy array of version ", major, ".", minor, ", expected 1.0, 2.0 or 3.0"));
  const std::size_t length = major == 1 ? at(8) | at(9) << 8 : at(8) | at(9) << 8 | at(10) << 16 | at(11) << 24;
  if (length > kMaxNpyHeader)
    throw_bad_input(concat("its .npy header claims ", length, " bytes, more than the limit of ", kMaxNpyHeader));
  return (major == 1 ? 10 : 12) + length;
}

NpyHeader parse_npy_header(std::span<const std::byte> bytes) {
  const std::string_view text = text_of(bytes);
  NpyHeader header = DictReader(text.substr(text[6] == 1 ? 10 : 12)).read();
  header.element_bytes = checked_bytes(header);
  return header;
}

std::string npy_header_bytes(const NpzArray& array) {
  const TypeRow& row = row_of(array.type);
  std::string sizes;
  for (std::size_t i = 0; i < array.shape.size(); ++i) sizes += concat(i > 0 ? ", " : "", array.shape[i]);
  if (array.shape.size() == 1) sizes += ",";
  std::string text = concat("{'descr': '", type_bytes(row.type) == 1 ? "|" : "<", row.code,
                            "', 'fortran_order': False, 'shape': (", sizes, "), }");
  const std::size_t unpadded = 10 + text.size() + 1;  // elements start at a multiple of 64, as NumPy writes them
  text.append((64 - unpadded % 64) % 64, ' ');
  text += '\n';
  return concat(kMagic, '\x01', '\0', static_cast<char>(text.size() & 255), static_cast<char>(text.size() >> 8), text);
}

}  // namespace quaver
