#include "quaver/npz/npz.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "quaver/core/text.h"
#include "quaver/files/atomic_file.h"
#include "support/files.h"
#include "support/places.h"

namespace quaver {
namespace {

using io_test::bytes_of;
using io_test::contains;
using io_test::error_of;

// A bare .npy of any header and elements, right or wrong.
std::string npy_text(std::string_view header, std::string_view elements, char major = 1) {
  std::string text = "\x93NUMPY";
  text += {major, '\0'};
  const auto size = static_cast<std::uint32_t>(header.size());
  text.append(reinterpret_cast<const char*>(&size), major == 1 ? 2 : 4);
  return text.append(header).append(elements);
}

std::string dict(std::string_view descr, std::string_view shape, std::string_view order = "False") {
  return concat("{'descr': '", descr, "', 'fortran_order': ", order, ", 'shape': ", shape, ", }\n");
}

NpzArray parse(const std::string& text) { return read_npz_bytes(bytes_of(text)).at("x"); }
std::string error_of_text(const std::string& text) {
  return error_of([&text] { read_npz_bytes(bytes_of(text)); });
}

Npz sample() {
  const std::vector<float> reals{0.5f, -1.0f, 2.0f, 3.0f, 1e-40f, std::numeric_limits<float>::infinity()};
  const std::vector<double> doubles{0.1};
  const std::vector<std::int8_t> bytes{-128, 127};
  const std::vector<std::int16_t> shorts{-32768, 32767};
  const std::vector<std::int32_t> ids{1, 2, 3, -4};
  const std::vector<std::int64_t> longs{INT64_MIN, INT64_MAX};
  const std::vector<std::uint8_t> octets(1000, 7);
  return {{"x", NpzArray::from<float>({2, 3}, reals)},
          {"scalar", NpzArray::from<double>({}, doubles)},
          {"state/lstm.h", NpzArray::from<std::int8_t>({2}, bytes)},
          {"shorts", NpzArray::from<std::int16_t>({1, 1, 2}, shorts)},
          {"ids", NpzArray::from<std::int32_t>({4}, ids)},
          {"longs", NpzArray::from<std::int64_t>({2}, longs)},
          {"octets", NpzArray::from<std::uint8_t>({1000}, octets)},
          {"empty", NpzArray::from<float>({0, 4}, {})},
          {"fl\xc3\xa4g", NpzArray{NumberType::kBool, {3}, {std::byte{1}, std::byte{0}, std::byte{1}}}}};
}

TEST(Npz, RoundTripStoredAndDeflated) {
  const std::string stored = npz_bytes(sample()), deflated = npz_bytes(sample(), NpzPacking::kDeflated);
  EXPECT_EQ(read_npz_bytes(bytes_of(stored)), sample());
  EXPECT_EQ(read_npz_bytes(bytes_of(deflated)), sample());
  EXPECT_LT(deflated.size(), stored.size());
  EXPECT_EQ(npz_bytes(sample()), stored) << "the same arrays give the same bytes";
}

TEST(Npz, WritesFilesAndNamesThemInErrors) {
  const io_test::TemporaryFolder folder;
  const auto path = folder.path() / "y.npz";
  write_npz(path, sample());
  EXPECT_EQ(read_npz(path), sample());
  write_file_atomically(path, "no zip");
  EXPECT_TRUE(contains(error_of([&] { read_npz(path); }), "y.npz: neither an .npz (zip:"));
  write_file_atomically(path, "");
  EXPECT_TRUE(contains(error_of([&] { read_npz(path); }), "y.npz: the file is empty"));
  EXPECT_TRUE(contains(error_of([&] { read_npz(folder.path() / "none"); }), "No such file"));
  EXPECT_NE(error_of([&] { write_npz(path, {}); }, ErrorKind::kFailed), "");
}

TEST(Npz, AWrongShapeIsNotWritten) {
  const std::vector<float> two(2);
  EXPECT_NE(error_of([&] { NpzArray::from<float>({3}, two); }), "");
  EXPECT_TRUE(contains(error_of([] { npz_bytes({{"a", {NumberType::kF32, {-1}, {}}}}); }), "array 'a' has shape -1"));
}

TEST(Npz, ReadsNumPysOwnBytes) {
  const Npz arrays = read_npz(testing_support::own_goldens("numpy_npz") / "arrays.npz");
  EXPECT_EQ(to_i32(npz_array(arrays, "whole"), "whole"), (std::vector<std::int32_t>{0, 1, 2, 3, 4, 5}));
  EXPECT_EQ(npz_array(arrays, "whole").shape, (std::vector<std::int64_t>{2, 3}));
  EXPECT_EQ(to_f32(npz_array(arrays, "fortran"), "fortran"), (std::vector<float>{0, 0.5f, 1, 1.5f, 2, 2.5f}));
  EXPECT_EQ(npz_array(arrays, "fortran").shape, (std::vector<std::int64_t>{2, 3}));
  EXPECT_EQ(to_f32(npz_array(arrays, "scalar"), "scalar"), (std::vector<float>{0.25f}));
  EXPECT_EQ(to_i8(npz_array(arrays, "flags"), "flags"), (std::vector<std::int8_t>{1, 0}));
}

TEST(Npy, ReadsVersionsOneToThree) {
  const std::string elements = "\x01\x02\x03\x04";
  for (const char major : {'\x01', '\x02', '\x03'})
    EXPECT_EQ(to_i32(parse(npy_text(dict("|i1", "(2, 2)"), elements, major)), "x"),
              (std::vector<std::int32_t>{1, 2, 3, 4}));
  EXPECT_TRUE(contains(error_of_text(npy_text(dict("|i1", "(4,)"), elements, '\x04')),
                       "version 4.0, expected 1.0, 2.0 or 3.0"));
}

TEST(Npy, TurnsFortranOrderIntoC) {
  // 2 x 3 x 2, element = 100 i + 10 j + k, stored with i fastest.
  std::string elements, expected;
  for (int k = 0; k < 2; ++k) {
    for (int j = 0; j < 3; ++j) {
      for (int i = 0; i < 2; ++i) elements += static_cast<char>(100 * i + 10 * j + k);
    }
  }
  for (int i = 0; i < 2; ++i) {
    for (int j = 0; j < 3; ++j) {
      for (int k = 0; k < 2; ++k) expected += static_cast<char>(100 * i + 10 * j + k);
    }
  }
  const NpzArray array = parse(npy_text(dict("|u1", "(2, 3, 2)", "True"), elements));
  EXPECT_TRUE(std::ranges::equal(array.bytes, bytes_of(expected)));
  EXPECT_TRUE(parse(npy_text(dict("|u1", "(2, 0, 2)", "True"), "")).bytes.empty());
}

// More elements than are put into their places at once, of a size that is no power of two.
TEST(Npy, TurnsLargeArraysIntoC) {
  constexpr std::size_t kRows = 173, kCols = 131;
  std::vector<std::int32_t> expected(kRows * kCols);
  std::string elements(expected.size() * sizeof(std::int32_t), '\0');
  for (std::size_t r = 0; r < kRows; ++r) {
    for (std::size_t c = 0; c < kCols; ++c) {
      const auto value = static_cast<std::int32_t>(1000 * r + c);
      expected[r * kCols + c] = value;
      std::memcpy(elements.data() + (c * kRows + r) * sizeof value, &value, sizeof value);
    }
  }
  const NpzArray array = parse(npy_text(dict("<i4", "(173, 131)", "True"), elements));
  EXPECT_TRUE(std::ranges::equal(array.as<std::int32_t>(), expected));
  EXPECT_TRUE(contains(error_of([&] { array.as<float>(); }), "is int32, expected float32"));
}

struct Hostile {
  const char* name;
  std::string text;
  const char* message;
};
void PrintTo(const Hostile& hostile, std::ostream* out) { *out << hostile.name; }

std::string repeated(std::string_view text, int count) {
  std::string all;
  for (int i = 0; i < count; ++i) all += text;
  return all;
}

const Hostile kHostile[] = {
    {"magic_alone", "\x93NUMPY", "ends within the header"},
    {"header_cut", npy_text(dict("|i1", "(1,)"), "").substr(0, 40), "claims"},
    {"header_beyond", std::string("\x93NUMPY\x01\0\xff\xff", 10), "claims 65545 bytes, but the array has 10"},
    {"header_limit", std::string("\x93NUMPY\x02\0\xff\xff\xff\xff", 12), "more than the limit of 65536"},
    {"big_endian", npy_text(dict(">f4", "(1,)"), "1234"), "big-endian"},
    {"complex_numbers", npy_text(dict("<c8", "(1,)"), "12345678"), "'<c8' is not supported"},
    {"objects", npy_text(dict("|O", "(1,)"), "12345678"), "'|O' is not supported"},
    {"text", npy_text(dict("<U1", "(1,)"), "1234"), "'<U1' is not supported"},
    {"records", npy_text("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }\n", "1234"),
     "records are not supported"},
    {"no_shape", npy_text("{'descr': '<f4', 'fortran_order': False}\n", ""),
     "expected 'descr', 'fortran_order' and 'shape'"},
    {"key_twice", npy_text("{'descr': '<f4', 'descr': '<f4'}", ""), "a key once"},
    {"unknown_key", npy_text("{'order': '<f4'}", ""), "a key once"},
    {"not_closed", npy_text("{'descr': '<f4", ""), "a closing quote"},
    {"no_dictionary", npy_text("hello", ""), "expected '{'"},
    {"empty_header", npy_text("", ""), "expected '{'"},
    {"after_dictionary", npy_text(dict("<f4", "()") + "x", "1234"), "nothing after the dictionary"},
    {"order_number", npy_text(dict("<f4", "()", "1"), "1234"), "True or False"},
    {"shape_number", npy_text(dict("<f4", "1"), "1234"), "expected '('"},
    {"shape_not_a_tuple", npy_text(dict("<f4", "(1)"), "1234"), "',' after the only size"},
    {"shape_negative", npy_text(dict("<f4", "(-1,)"), "1234"), "a size from 0"},
    {"shape_beyond", npy_text(dict("<f4", "(99999999999999999999,)"), "1234"), "a size from 0"},
    {"shape_not_closed", npy_text("{'shape': (1, 2", "1234"), "expected ')'"},
    {"shape_expression", npy_text(dict("<f4", "(2**2,)"), "1234"), "',' after the only size"},
    {"many_dimensions", npy_text(dict("<f4", "(" + repeated("1, ", 33) + ")"), "1234"), "at most 32 dimensions"},
    {"product_overflow", npy_text(dict("<f8", "(4294967296, 4294967296)"), "1234"), "more bytes than any file"},
    {"shape_claims_more", npy_text(dict("<f4", "(1000000000,)"), "1234"), "wants 4000000000 bytes, found 4"},
    {"shape_claims_less", npy_text(dict("<f4", "(1,)"), "12345678"), "wants 4 bytes, found 8"},
    {"nested_brackets", npy_text("{'shape': " + repeated("(", 60000), ""), "a size from 0"},
};

class NpyRefuses : public testing::TestWithParam<Hostile> {};

TEST_P(NpyRefuses, WithReason) { EXPECT_TRUE(contains(error_of_text(GetParam().text), GetParam().message)); }

INSTANTIATE_TEST_SUITE_P(All, NpyRefuses, testing::ValuesIn(kHostile),
                         [](const testing::TestParamInfo<Hostile>& hostile) {
                           return std::string(hostile.param.name);
                         });

// Positions in a zip of one stored entry: a local header, the entry, the central directory.
std::size_t central_directory(const std::string& zip) { return zip.find("PK\x01\x02"); }
void put_u32(std::string& text, std::size_t at, std::uint32_t value) {
  std::memcpy(text.data() + at, &value, sizeof value);
}

TEST(Npz, ClaimsBeyondTheFileAreRefusedBeforeMemoryIsTaken) {
  const std::vector<float> values(16);
  const std::string good = npz_bytes({{"x", NpzArray::from<float>({16}, values)}}, NpzPacking::kDeflated);
  std::string bomb = good;
  put_u32(bomb, central_directory(bomb) + 24, 0xfffffff0u);  // uncompressed size
  EXPECT_TRUE(contains(error_of_text(bomb), "array 'x.npy': claims 4294967280 bytes"));
  std::string small = good;
  put_u32(small, central_directory(small) + 24, 100);
  EXPECT_NE(error_of_text(small), "");
  std::string large = good;
  put_u32(large, central_directory(large) + 24, 1000);
  EXPECT_NE(error_of_text(large), "");
}

TEST(Npz, OnlyWhatIsAskedForIsUnpacked) {
  const std::vector<float> values(1000, 0.5f);
  std::string text =
      npz_bytes({{"good", NpzArray::from<float>({10, 100}, values)}, {"other", NpzArray::from<float>({1000}, values)}});
  // Among the last elements of the last entry, whose checksum is wrong then.
  const std::size_t place = central_directory(text) - 100;
  text[place] = static_cast<char>(text[place] ^ 1);
  NpzFile file = NpzFile::parse(bytes_of(text));
  EXPECT_EQ(file.names(), (std::vector<std::string>{"good", "other"}));
  EXPECT_EQ(file.header("other"), (NpzHeader{NumberType::kF32, {1000}, 4000}));
  EXPECT_EQ(file.read("good"), NpzArray::from<float>({10, 100}, values));
  EXPECT_EQ(file.read("good"), NpzArray::from<float>({10, 100}, values)) << "an array can be read again";
  EXPECT_TRUE(contains(error_of([&] { file.read("other"); }), "array 'other.npy': the zip entry is damaged"));
  EXPECT_TRUE(contains(error_of([&] { file.header("none"); }), "no array 'none'; the file has: good, other"));
}

TEST(Npz, MoreThanTheMemoryIsRefused) {
  const std::vector<float> values(1000);
  const Npz arrays{{"a", NpzArray::from<float>({1000}, values)}, {"b", NpzArray::from<float>({1000}, values)}};
  const std::string text = npz_bytes(arrays, NpzPacking::kDeflated);
  EXPECT_EQ(NpzFile::parse(bytes_of(text)).read("a", 4000), arrays.at("a"));
  EXPECT_TRUE(contains(error_of([&] { NpzFile::parse(bytes_of(text)).read("a", 3999); }),
                       "array 'a.npy': has 4000 bytes once decoded, more than the limit of 3999 bytes"));
  EXPECT_EQ(read_npz_bytes(bytes_of(text), 10000), arrays);
  EXPECT_TRUE(contains(error_of([&] { read_npz_bytes(bytes_of(text), 7000); }), "raise --max-memory"));
}

// numpy.savez rewrites a file in place.
TEST(Npz, AFileCutShortMeanwhileIsAnError) {
  const io_test::TemporaryFolder folder;
  const std::vector<float> values(100000, 0.5f);
  const NpzArray array = NpzArray::from<float>({100000}, values);
  write_npz(folder.path() / "x.npz", {{"x", array}});
  write_file_atomically(folder.path() / "x.npy", npy_text(dict("<f4", "(100000,)"), std::string(400000, '\0')));
  for (const char* name : {"x.npz", "x.npy"}) {
    NpzFile file = NpzFile::open(folder.path() / name);
    EXPECT_EQ(file.header("x").bytes, 400000u);
    std::filesystem::resize_file(folder.path() / name, 5000);
    EXPECT_TRUE(contains(error_of([&] { file.read("x"); }), "array 'x")) << name;
  }
  EXPECT_TRUE(contains(error_of([&] { NpzFile::open("/dev/zero"); }), "not a regular file"));
  EXPECT_TRUE(contains(error_of([&] { NpzFile::open(folder.path()); }), "Is a directory"));
}

TEST(Npz, AFlippedByteIsAnErrorOrChangesNoArray) {
  // The names of the entries and everything that zip keeps for other systems (time, attributes) may change unnoticed.
  const std::vector<std::int32_t> ids{1, 2, 3};
  for (const NpzPacking packing : {NpzPacking::kStored, NpzPacking::kDeflated}) {
    const Npz original{{"ids", NpzArray::from<std::int32_t>({3}, ids)}};
    std::string text = npz_bytes(original, packing);
    for (std::size_t i = 0; i < text.size(); ++i) {
      for (const int mask : {0x01, 0x10, 0x80, 0xff}) {
        const char before = text[i];
        text[i] = static_cast<char>(before ^ mask);
        try {
          for (const auto& [name, array] : read_npz_bytes(bytes_of(text))) EXPECT_EQ(array, original.at("ids")) << i;
        } catch (const Error&) {
        }
        text[i] = before;
      }
    }
    for (std::size_t size = 0; size < text.size(); ++size) EXPECT_NE(error_of_text(text.substr(0, size)), "") << size;
  }
}

TEST(Npz, OnlyArraysOnce) {
  const std::vector<float> one(1);
  std::string text = npz_bytes({{"a", NpzArray::from<float>({1}, one)}, {"b", NpzArray::from<float>({1}, one)}});
  std::string twice = text;
  for (std::size_t at = 0; (at = twice.find("b.npy", at)) != std::string::npos;) twice[at] = 'a';
  EXPECT_TRUE(contains(error_of_text(twice), "'a.npy': the zip has it twice"));
  std::string other = text;
  for (std::size_t at = 0; (at = other.find("b.npy", at)) != std::string::npos;) other.replace(at, 5, "b.txt");
  EXPECT_TRUE(contains(error_of_text(other), "zip entry 'b.txt' is no .npy array"));
}

TEST(Npz, AccessorsConvertOrNameTheMisfit) {
  const Npz arrays = sample();
  EXPECT_TRUE(contains(error_of([&] { npz_array(arrays, "y"); }), "no array 'y'; the file has: empty, "));
  EXPECT_EQ(to_f32(arrays.at("ids"), "ids"), (std::vector<float>{1, 2, 3, -4}));
  EXPECT_EQ(to_f32(arrays.at("scalar"), "scalar"), (std::vector<float>{0.1f}));
  EXPECT_EQ(to_i8(arrays.at("state/lstm.h"), "h"), (std::vector<std::int8_t>{-128, 127}));
  EXPECT_TRUE(contains(error_of([&] { to_i32(arrays.at("x"), "x"); }), "array 'x' is float32, expected integers"));
  EXPECT_TRUE(contains(error_of([&] { to_i32(arrays.at("longs"), "longs"); }),
                       "-9223372036854775808 at [0], expected -2147483648 to"));
  EXPECT_TRUE(
      contains(error_of([&] { to_i8(arrays.at("shorts"), "shorts"); }), "-32768 at [0, 0, 0], expected -128 to 127"));
  EXPECT_TRUE(
      contains(error_of([&] { to_f32(arrays.at("longs"), "longs"); }), "9223372036854775807 at [1], which a float32"));
  const std::vector<std::int32_t> odd{16777217};
  EXPECT_TRUE(contains(error_of([&] { to_f32(NpzArray::from<std::int32_t>({1}, odd), "odd"); }), "16777217"));
  const std::vector<double> huge{1, -1e39};
  EXPECT_TRUE(contains(error_of([&] { to_f32(NpzArray::from<double>({2}, huge), "huge"); }), "-1e+39 at [1]"));
}

TEST(Npz, NotFiniteIsNamedByItsPosition) {
  const Npz arrays = sample();
  EXPECT_TRUE(contains(error_of([&] { check_finite(to_f32(arrays.at("x"), "x"), arrays.at("x").shape, "x"); }),
                       "array 'x' has inf at [1, 2], expected finite values"));
  const std::vector<float> fine{1, 2};
  check_finite(fine, std::vector<std::int64_t>{2}, "fine");
}

}  // namespace
}  // namespace quaver
