// safetensors.cc - the header is read by events, not into a tree: memory stays near the tensors that it names, and
// nesting beyond what the format has is refused when it is met.

#include "quaver/io/container/safetensors.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <utility>

#include "quaver/core/error.h"
#include "quaver/core/printable.h"
#include "quaver/core/text.h"
#include "quaver/files/input_file.h"
#include "quaver/io/container/strict_json.h"

namespace quaver {
namespace {

constexpr std::string_view kMetadata = "__metadata__";
constexpr std::size_t kPrefixBytes = 8;
constexpr std::size_t kMaxDimensions = 16;

struct DtypeRow {
  NumberType dtype;
  std::string_view name;
};
constexpr std::array<DtypeRow, 9> kDtypes{{{NumberType::kU8, "U8"},
                                           {NumberType::kI8, "I8"},
                                           {NumberType::kI16, "I16"},
                                           {NumberType::kI32, "I32"},
                                           {NumberType::kI64, "I64"},
                                           {NumberType::kF16, "F16"},
                                           {NumberType::kBf16, "BF16"},
                                           {NumberType::kF32, "F32"},
                                           {NumberType::kF64, "F64"}}};

const DtypeRow& row_of(NumberType dtype) {
  return *std::find_if(kDtypes.begin(), kDtypes.end(), [dtype](const DtypeRow& row) { return row.dtype == dtype; });
}

// shape x dtype in bytes, or nothing when that does not fit 63 bits.
std::optional<std::uint64_t> byte_count(const std::vector<std::int64_t>& shape, NumberType dtype) {
  constexpr std::uint64_t kLimit = std::numeric_limits<std::int64_t>::max();
  std::uint64_t count = type_bytes(dtype);
  for (const std::int64_t size : shape) {
    const auto factor = static_cast<std::uint64_t>(size);
    if (factor != 0 && count > kLimit / factor) return std::nullopt;
    count *= factor;
  }
  return count;
}

struct HeaderEntry {
  std::string name;
  std::optional<NumberType> dtype;
  std::optional<std::vector<std::int64_t>> shape;
  std::optional<std::vector<std::int64_t>> offsets;
};

// Receives the header's events: {name: {"dtype": text, "shape": [...], "data_offsets": [...]}, "__metadata__": {...}}.
class HeaderReader : public nlohmann::json_sax<nlohmann::json> {
 public:
  std::vector<HeaderEntry> entries;
  std::map<std::string, std::string> metadata;

  bool start_object(std::size_t) override {
    if (place_ == Place::kStart) {
      place_ = Place::kTop;
    } else if (place_ == Place::kTop) {
      place_ = key_ == kMetadata ? Place::kTexts : Place::kEntry;
      if (place_ == Place::kEntry) entries.push_back({key_, {}, {}, {}});
    } else {
      refuse("an object");
    }
    return true;
  }
  bool key(std::string& name) override {
    if (place_ == Place::kTop) {
      if (!names_.insert(name).second) throw_bad_input(concat("the header names '", printable(name), "' twice"));
    } else if (place_ == Place::kTexts) {
      if (metadata.contains(name)) throw_bad_input(concat("the metadata has '", printable(name), "' twice"));
    } else if (name != "dtype" && name != "shape" && name != "data_offsets") {
      throw_bad_input(concat(tensor(), " has an unknown entry '", printable(name), "'"));
    }
    (place_ == Place::kTop ? key_ : field_) = name;
    return true;
  }
  bool end_object() override {
    if (place_ == Place::kEntry) {
      const HeaderEntry& entry = entries.back();
      if (!entry.dtype) throw_bad_input(tensor() + " has no dtype");
      if (!entry.shape) throw_bad_input(tensor() + " has no shape");
      if (!entry.offsets) throw_bad_input(tensor() + " has no data_offsets");
    }
    place_ = place_ == Place::kTop ? Place::kEnd : Place::kTop;
    return true;
  }
  bool start_array(std::size_t) override {
    if (place_ != Place::kEntry || field_ == "dtype") refuse("a list");
    auto& list = field_ == "shape" ? entries.back().shape : entries.back().offsets;
    if (list) throw_bad_input(concat(tensor(), " has '", field_, "' twice"));
    list.emplace();
    place_ = Place::kList;
    return true;
  }
  bool end_array() override {
    place_ = Place::kEntry;
    return true;
  }
  bool number_unsigned(std::uint64_t value) override {
    if (place_ != Place::kList) refuse("a number");
    if (value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
      throw_bad_input(concat(tensor(), " has ", value, " in '", field_, "', beyond any file"));
    auto& list = field_ == "shape" ? *entries.back().shape : *entries.back().offsets;
    if (list.size() >= kMaxDimensions)
      throw_bad_input(concat(tensor(), " has more than ", kMaxDimensions, " numbers in '", field_, "'"));
    list.push_back(static_cast<std::int64_t>(value));
    return true;
  }
  bool string(std::string& text) override {
    if (place_ == Place::kTexts) {
      metadata.emplace(field_, text);
      return true;
    }
    if (place_ != Place::kEntry || field_ != "dtype") refuse("a text");
    if (entries.back().dtype) throw_bad_input(tensor() + " has 'dtype' twice");
    for (const DtypeRow& row : kDtypes) {
      if (row.name == text) entries.back().dtype = row.dtype;
    }
    if (!entries.back().dtype)
      throw_bad_input(concat(tensor(), " has dtype '", printable(text),
                             "', expected one of U8, I8, I16, I32, I64, F16, BF16, F32, F64"));
    return true;
  }
  bool number_integer(std::int64_t) override { refuse("a negative number"); }
  bool number_float(double, const std::string&) override { refuse("a fraction or a number beyond 64 bits"); }
  bool null() override { refuse("null"); }
  bool boolean(bool) override { refuse("true or false"); }
  bool binary(nlohmann::json::binary_t&) override { refuse("binary data"); }
  bool parse_error(std::size_t, const std::string&, const nlohmann::json::exception& error) override {
    throw_bad_input(concat("the header is not valid JSON: ", printable(error.what())));
  }

 private:
  enum class Place { kStart, kTop, kTexts, kEntry, kList, kEnd };

  std::string tensor() const { return concat("tensor '", printable(key_), "'"); }
  [[noreturn]] void refuse(std::string_view found) const {
    if (place_ == Place::kStart) throw_bad_input(concat("the header is ", found, ", expected a JSON object"));
    throw_bad_input(concat("the header's entry '", printable(key_), "' has ", found, " where the format has none",
                           field_.empty() ? "" : concat(" (after '", printable(field_), "')")));
  }

  Place place_ = Place::kStart;
  std::string key_;
  std::string field_;
  std::set<std::string> names_;
};

template <typename T>
T load_as(const std::byte* bytes) {
  T value;
  std::memcpy(&value, bytes, sizeof(T));
  return value;
}

float float_of_half(std::uint16_t half) {
  const std::uint32_t sign = (half & 0x8000u) << 16, exponent = (half >> 10) & 31u, fraction = half & 0x3ffu;
  if (exponent == 0) {  // zero or subnormal: fraction 2^-24
    const float magnitude = static_cast<float>(fraction) * 0x1p-24f;
    return sign != 0 ? -magnitude : magnitude;
  }
  const std::uint32_t wide = exponent == 31 ? 255u : exponent + 112u;  // the biases are 15 and 127
  return std::bit_cast<float>(sign | wide << 23 | fraction << 13);
}

}  // namespace

std::string_view dtype_name(NumberType dtype) { return row_of(dtype).name; }

SafetensorsFile SafetensorsFile::read(std::uint64_t size, Reader reader) {
  if (size < kPrefixBytes) throw_bad_input(concat("the file has ", size, " bytes, too few for a safetensors file"));
  std::uint64_t header_size = 0;
  reader(0, std::as_writable_bytes(std::span(&header_size, 1)));
  if (header_size > kMaxSafetensorsHeader)
    throw_bad_input(concat("the header claims ", header_size, " bytes, more than the limit of ", kMaxSafetensorsHeader,
                           "; is this a safetensors file?"));
  if (header_size > size - kPrefixBytes)
    throw_bad_input(concat("the header claims ", header_size, " bytes, but only ", size - kPrefixBytes,
                           " follow; the file is truncated or no safetensors file"));
  std::string text(static_cast<std::size_t>(header_size), '\0');
  reader(kPrefixBytes, std::as_writable_bytes(std::span(text)));
  HeaderReader header;
  nlohmann::json::sax_parse(text, &header);

  const std::uint64_t body = kPrefixBytes + header_size, body_size = size - body;
  SafetensorsFile file;
  file.reader_ = std::move(reader);
  file.metadata_ = std::move(header.metadata);
  file.body_begin_ = body;
  file.body_size_ = body_size;
  std::vector<std::pair<std::int64_t, std::int64_t>> extents;
  for (HeaderEntry& entry : header.entries) {
    const std::string what = concat("tensor '", printable(entry.name), "'");
    if (entry.offsets->size() != 2)
      throw_bad_input(concat(what, " has ", entry.offsets->size(), " data_offsets, expected 2"));
    const std::int64_t begin = entry.offsets->at(0), end = entry.offsets->at(1);
    if (begin > end || static_cast<std::uint64_t>(end) > body_size)
      throw_bad_input(concat(what, " lies at bytes ", begin, " to ", end, ", expected within the ", body_size,
                             " bytes after the header; the file may be truncated"));
    const std::optional<std::uint64_t> expected = byte_count(*entry.shape, *entry.dtype);
    if (expected != static_cast<std::uint64_t>(end - begin))
      throw_bad_input(concat(what, " of shape ", shape_text(*entry.shape), " ", dtype_name(*entry.dtype), " has ",
                             end - begin, " bytes, expected ",
                             expected ? concat(*expected) : "more than any file has"));
    extents.emplace_back(begin, end);
    file.tensors_.emplace(std::move(entry.name), SafetensorsTensor{*entry.dtype, std::move(*entry.shape),
                                                                   body + static_cast<std::uint64_t>(begin),
                                                                   static_cast<std::size_t>(end - begin)});
  }
  std::sort(extents.begin(), extents.end());
  std::int64_t reached = 0;
  for (const auto& [begin, end] : extents) {
    if (begin != reached)
      throw_bad_input(concat("the tensors ", begin < reached ? "overlap" : "leave a gap", " at byte ",
                             std::min(begin, reached), " after the header"));
    reached = end;
  }
  if (static_cast<std::uint64_t>(reached) != body_size)
    throw_bad_input(
        concat("the tensors end at byte ", reached, " after the header, but the file goes on to ", body_size));
  return file;
}

SafetensorsFile SafetensorsFile::open(const std::filesystem::path& path) {
  const auto input = std::make_shared<const InputFile>(path);
  try {
    return read(input->size(),
                [input](std::uint64_t offset, std::span<std::byte> target) { input->read(offset, target); });
  } catch (const Error& error) {
    throw Error(error.kind(), concat(path.string(), ": ", error.what()));
  }
}

SafetensorsFile SafetensorsFile::parse(std::span<const std::byte> bytes) {
  return read(bytes.size(), [bytes](std::uint64_t offset, std::span<std::byte> target) {
    std::ranges::copy(bytes.subspan(static_cast<std::size_t>(offset), target.size()), target.begin());
  });
}

const SafetensorsTensor& SafetensorsFile::tensor(std::string_view name) const {
  const auto found = tensors_.find(std::string(name));
  if (found == tensors_.end()) throw_bad_input(concat("there is no tensor '", printable(name), "'"));
  return found->second;
}

void SafetensorsFile::hold() {
  SharedBytes body(static_cast<std::size_t>(body_size_));
  reader_(body_begin_, body.writable());
  reader_ = [body, begin = body_begin_](std::uint64_t offset, std::span<std::byte> target) {
    std::ranges::copy(body.slice(static_cast<std::size_t>(offset - begin), target.size()), target.begin());
  };
  body_ = std::move(body);
}

SharedBytes SafetensorsFile::bytes(std::string_view name) const {
  const SafetensorsTensor& source = tensor(name);
  const std::uint64_t place = source.offset - body_begin_;
  if (body_ && place % type_bytes(source.dtype) == 0)
    return body_->slice(static_cast<std::size_t>(place), source.byte_count);
  SharedBytes bytes(source.byte_count);
  reader_(source.offset, bytes.writable());
  return bytes;
}

std::vector<float> SafetensorsFile::as_f32(std::string_view name) const {
  const SafetensorsTensor& source = tensor(name);
  constexpr std::array kFloats{NumberType::kF32, NumberType::kF16, NumberType::kBf16, NumberType::kF64};
  if (std::ranges::find(kFloats, source.dtype) == kFloats.end())
    throw_bad_input(
        concat("tensor '", printable(name), "' is ", dtype_name(source.dtype), ", expected F32, F16, BF16 or F64"));
  const std::size_t size = type_bytes(source.dtype);
  std::vector<float> values(source.byte_count / size);
  if (source.dtype == NumberType::kF32) {
    reader_(source.offset, std::as_writable_bytes(std::span(values)));
    return values;
  }
  std::array<std::byte, 1 << 14> block;
  const std::size_t block_elements = block.size() / size;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (i % block_elements == 0)
      reader_(source.offset + i * size, std::span(block).first(std::min(block.size(), source.byte_count - i * size)));
    const std::byte* element = block.data() + i % block_elements * size;
    if (source.dtype == NumberType::kF16) {
      values[i] = float_of_half(load_as<std::uint16_t>(element));
    } else if (source.dtype == NumberType::kBf16) {
      values[i] = std::bit_cast<float>(static_cast<std::uint32_t>(load_as<std::uint16_t>(element)) << 16);
    } else {
      const auto wide = load_as<double>(element);
      if (std::isfinite(wide) && std::abs(wide) > static_cast<double>(std::numeric_limits<float>::max()))
        throw_bad_input(concat("tensor '", printable(name), "' has ", wide, " at index ", i, ", beyond a float"));
      values[i] = static_cast<float>(wide);
    }
  }
  return values;
}

void write_safetensors(const std::map<std::string, SafetensorsEntry>& entries,
                       const std::map<std::string, std::string>& metadata, const ByteSink& sink) {
  std::vector<std::pair<std::string_view, const SafetensorsEntry*>> order;
  for (const auto& [name, entry] : entries) order.emplace_back(name, &entry);
  std::stable_sort(order.begin(), order.end(), [](const auto& a, const auto& b) {  // large alignments stay aligned
    return type_bytes(a.second->dtype) > type_bytes(b.second->dtype);
  });

  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  if (!metadata.empty()) header[std::string(kMetadata)] = metadata;
  std::size_t offset = 0;
  for (const auto& [name, entry] : order) {
    if (byte_count(entry->shape, entry->dtype) != entry->bytes.size() || name == kMetadata)
      throw_bad_input(concat("tensor '", printable(name), "' of shape ", shape_text(entry->shape), " ",
                             dtype_name(entry->dtype), " cannot be written with ", entry->bytes.size(), " bytes"));
    header[std::string(name)] = {{"dtype", dtype_name(entry->dtype)},
                                 {"shape", entry->shape},
                                 {"data_offsets", {offset, offset + entry->bytes.size()}}};
    offset += entry->bytes.size();
  }
  std::string text = dump_strict(header, "the header");
  text.append((kPrefixBytes - text.size() % kPrefixBytes) % kPrefixBytes, ' ');
  if (text.size() > kMaxSafetensorsHeader)
    throw_bad_input(
        concat("the header would have ", text.size(), " bytes, more than the limit of ", kMaxSafetensorsHeader));
  const std::uint64_t header_size = text.size();
  sink(std::as_bytes(std::span(&header_size, 1)));
  sink(std::as_bytes(std::span(text)));
  for (const auto& [name, entry] : order) sink(entry->bytes);
}

}  // namespace quaver
