#include "quaver/io/container/safetensors.h"

#include <gtest/gtest.h>

#include <cmath>
#include <optional>

#include "quaver/io/container/test_support.h"

namespace quaver {
namespace {

using io_test::bytes_of;
using io_test::contains;
using io_test::error_of;
using io_test::safetensors_text;

std::string error_of_file(const std::string& text) {
  return error_of([&text] { SafetensorsFile::parse(bytes_of(text)); });
}

TEST(Safetensors, RoundTripKeepsEverything) {
  const std::vector<float> reals{1.5f, -2.0f, 3e-40f, 1e38f, 0.1f, -0.0f};
  const std::vector<std::int8_t> codes{-128, 0, 127};
  const std::map<std::string, SafetensorsEntry> entries{
      {"codes", {NumberType::kI8, {3}, std::as_bytes(std::span(codes))}},
      {"reals", {NumberType::kF32, {2, 3}, std::as_bytes(std::span(reals))}},
      {"empty", {NumberType::kI64, {0, 5}, {}}}};
  const std::map<std::string, std::string> metadata{{"key", "value \"quoted\"\n\xc3\xa9"}, {"", ""}};
  const std::string text = safetensors_text(entries, metadata);
  EXPECT_EQ(text, safetensors_text(entries, metadata));
  const SafetensorsFile file = SafetensorsFile::parse(bytes_of(text));
  EXPECT_EQ(file.metadata(), metadata);
  ASSERT_EQ(file.tensors().size(), 3u);
  for (const auto& [name, entry] : entries) {
    EXPECT_EQ(file.tensor(name).dtype, entry.dtype);
    EXPECT_EQ(file.tensor(name).shape, entry.shape);
    EXPECT_TRUE(std::ranges::equal(file.bytes(name), entry.bytes)) << name;
  }
  EXPECT_EQ(file.as_f32("reals"), reals);
}

TEST(Safetensors, WritesLargeElementsFirstBehindAnAlignedHeader) {
  const std::vector<std::byte> bytes(8);
  const std::string text = safetensors_text({{"a", {NumberType::kI8, {8}, bytes}},
                                             {"b", {NumberType::kF64, {1}, bytes}},
                                             {"c", {NumberType::kF64, {1}, bytes}}},
                                            {});
  EXPECT_EQ(text.substr(8, text.size() - 8 - 24), R"({"b":{"dtype":"F64","shape":[1],"data_offsets":[0,8]},)"
                                                  R"("c":{"dtype":"F64","shape":[1],"data_offsets":[8,16]},)"
                                                  R"("a":{"dtype":"I8","shape":[8],"data_offsets":[16,24]}}      )");
  EXPECT_EQ((text.size() - 24) % 8, 0u);
}

TEST(Safetensors, RefusesToWriteWhatCannotBeRead) {
  const std::vector<std::byte> bytes(8);
  EXPECT_NE(error_of([&] { safetensors_text({{"a", {NumberType::kF32, {3}, bytes}}}, {}); }), "");
  EXPECT_NE(error_of([&] { safetensors_text({{"__metadata__", {NumberType::kF32, {2}, bytes}}}, {}); }), "");
  EXPECT_TRUE(contains(error_of([&] { safetensors_text({{"\xff", {NumberType::kF32, {2}, bytes}}}, {}); }), "JSON"));
}

TEST(Safetensors, ReadsHalvesAndDoublesAsFloats) {
  // Values whose codes are known: 1, -2, smallest subnormal, largest, infinity; and bfloat16 1, -2, 3.140625.
  const std::vector<std::uint16_t> half{0x3c00, 0xc000, 0x0001, 0x7bff, 0x7c00, 0x8000, 0x7e00};
  const std::vector<std::uint16_t> brain{0x3f80, 0xc000, 0x4049};
  const std::vector<double> wide{0.1, -1e300};
  const std::vector<std::int32_t> whole{1};
  const std::string text = safetensors_text({{"half", {NumberType::kF16, {7}, std::as_bytes(std::span(half))}},
                                             {"brain", {NumberType::kBf16, {3}, std::as_bytes(std::span(brain))}},
                                             {"wide", {NumberType::kF64, {2}, std::as_bytes(std::span(wide))}},
                                             {"whole", {NumberType::kI32, {1}, std::as_bytes(std::span(whole))}}},
                                            {});
  const SafetensorsFile file = SafetensorsFile::parse(bytes_of(text));
  const std::vector<float> values = file.as_f32("half");
  EXPECT_EQ(values[0], 1.0f);
  EXPECT_EQ(values[1], -2.0f);
  EXPECT_EQ(values[2], 0x1p-24f);
  EXPECT_EQ(values[3], 65504.0f);
  EXPECT_TRUE(std::isinf(values[4]));
  EXPECT_TRUE(values[5] == 0 && std::signbit(values[5]));
  EXPECT_TRUE(std::isnan(values[6]));
  EXPECT_EQ(file.as_f32("brain"), (std::vector<float>{1.0f, -2.0f, 3.140625f}));
  EXPECT_TRUE(contains(error_of([&] { file.as_f32("wide"); }), "'wide' has -1e+300 at index 1"));
  EXPECT_TRUE(contains(error_of([&] { file.as_f32("whole"); }), "'whole' is I32, expected F32, F16, BF16 or F64"));
  EXPECT_TRUE(contains(error_of([&] { file.as_f32("none"); }), "no tensor 'none'"));
}

TEST(Safetensors, AcceptsWhatOtherWritersWrite) {
  // Blanks, another order of keys, escapes, tensors out of order, an unaligned header and no tensors at all.
  const std::string text = safetensors_text(
      R"( { "b\u0041" : {"data_offsets":[2,4],"shape":[2],"dtype":"U8"}, "a":{"dtype":"I16","shape":[],"data_offsets":[0,2]} }  )",
      "\x01\x02\x03\x04");
  const SafetensorsFile file = SafetensorsFile::parse(bytes_of(text));
  EXPECT_EQ(file.bytes("bA")[0], std::byte{3});
  EXPECT_TRUE(SafetensorsFile::parse(bytes_of(safetensors_text("{}"))).tensors().empty());
}

struct Hostile {
  const char* name;
  std::string text;
  const char* message;
};
void PrintTo(const Hostile& hostile, std::ostream* out) { *out << hostile.name; }

std::string one_tensor(const std::string& entry, std::string_view body = "12345678") {
  return safetensors_text(R"({"t":{)" + entry + "}}", body);
}
std::string repeated(std::string_view text, int count) {
  std::string all;
  for (int i = 0; i < count; ++i) all += text;
  return all;
}

class SafetensorsRefuses : public testing::TestWithParam<Hostile> {};

TEST_P(SafetensorsRefuses, WithNameAndNumbers) {
  EXPECT_TRUE(contains(error_of_file(GetParam().text), GetParam().message));
}

const Hostile kHostile[] = {
    {"empty", "", "has 0 bytes"},
    {"seven_bytes", "1234567", "has 7 bytes"},
    {"header_beyond_file", std::string("\x03\0\0\0\0\0\0\0{}", 10), "claims 3 bytes, but only 2 follow"},
    {"header_huge", std::string(16, '\xff'), "more than the limit of 100000000"},
    {"no_json", safetensors_text("hello"), "not valid JSON"},
    {"no_header", safetensors_text(""), "not valid JSON"},
    {"list", safetensors_text("[]"), "expected a JSON object"},
    {"number", safetensors_text("1"), "expected a JSON object"},
    {"trailing", safetensors_text("{}x"), "not valid JSON"},
    {"not_utf8", safetensors_text("{\"\xff\":1}"), "not valid JSON"},
    {"deep_lists", safetensors_text(repeated("[", 100000)), "expected a JSON object"},
    {"deep_objects", safetensors_text(repeated(R"({"a":)", 100000)), "'a' has an unknown entry 'a'"},
    {"deep_shape", one_tensor(R"("shape":)" + repeated("[", 100000)), "a list where the format has none"},
    {"deep_metadata", safetensors_text(R"({"__metadata__":{"a":{"b":1}}})"), "an object where the format has none"},
    {"metadata_number", safetensors_text(R"({"__metadata__":{"a":1}})"), "a number where the format has none"},
    {"metadata_text", safetensors_text(R"({"__metadata__":"a"})"), "a text where the format has none"},
    {"metadata_key_twice", safetensors_text(R"({"__metadata__":{"a":"1","a":"2"}})"), "has 'a' twice"},
    {"metadata_twice", safetensors_text(R"({"__metadata__":{},"__metadata__":{}})"), "names '__metadata__' twice"},
    {"tensor_twice", safetensors_text(R"({"t":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"t":{}})"),
     "names 't' twice"},
    {"tensor_null", safetensors_text(R"({"t":null})"), "null where the format has none"},
    {"dtype_twice", one_tensor(R"("dtype":"U8","dtype":"U8","shape":[8],"data_offsets":[0,8])"), "'dtype' twice"},
    {"shape_twice", one_tensor(R"("dtype":"U8","shape":[8],"shape":[8],"data_offsets":[0,8])"), "'shape' twice"},
    {"no_dtype", one_tensor(R"("shape":[8],"data_offsets":[0,8])"), "'t' has no dtype"},
    {"no_shape", one_tensor(R"("dtype":"U8","data_offsets":[0,8])"), "'t' has no shape"},
    {"no_offsets", one_tensor(R"("dtype":"U8","shape":[8])"), "'t' has no data_offsets"},
    {"unknown_dtype", one_tensor(R"("dtype":"C64","shape":[1],"data_offsets":[0,8])"), "dtype 'C64', expected one of"},
    {"unknown_entry", one_tensor(R"("dtype":"U8","stride":[8])"), "unknown entry 'stride'"},
    {"negative_shape", one_tensor(R"("dtype":"U8","shape":[-8],"data_offsets":[0,8])"), "a negative number"},
    {"fraction", one_tensor(R"("dtype":"U8","shape":[8.0],"data_offsets":[0,8])"), "a fraction"},
    {"beyond_64_bits", one_tensor(R"("dtype":"U8","shape":[99999999999999999999],"data_offsets":[0,8])"),
     "beyond 64 bits"},
    {"beyond_63_bits", one_tensor(R"("dtype":"U8","shape":[18446744073709551615],"data_offsets":[0,8])"),
     "beyond any file"},
    {"product_overflow", one_tensor(R"("dtype":"F64","shape":[4294967296,4294967296],"data_offsets":[0,8])"),
     "expected more than any file has"},
    {"product_wraps_to_8", one_tensor(R"("dtype":"F64","shape":[2305843009213693953],"data_offsets":[0,8])"),
     "expected more than any file has"},
    {"many_dimensions", one_tensor(R"("dtype":"U8","shape":[)" + repeated("1,", 16) + R"(8],"data_offsets":[0,8])"),
     "more than 16 numbers"},
    {"wrong_size", one_tensor(R"("dtype":"F32","shape":[3],"data_offsets":[0,8])"), "3 F32 has 8 bytes, expected 12"},
    {"three_offsets", one_tensor(R"("dtype":"U8","shape":[8],"data_offsets":[0,8,8])"), "3 data_offsets, expected 2"},
    {"offsets_reversed", one_tensor(R"("dtype":"U8","shape":[8],"data_offsets":[8,0])"), "bytes 8 to 0"},
    {"offsets_beyond", one_tensor(R"("dtype":"U8","shape":[9],"data_offsets":[0,9])"), "within the 8 bytes"},
    {"gap_before", one_tensor(R"("dtype":"U8","shape":[4],"data_offsets":[4,8])"), "leave a gap at byte 0"},
    {"gap_after", one_tensor(R"("dtype":"U8","shape":[4],"data_offsets":[0,4])"),
     "end at byte 4 after the header, but the file goes on to 8"},
    {"overlap",
     safetensors_text(
         R"({"a":{"dtype":"U8","shape":[6],"data_offsets":[0,6]},"b":{"dtype":"U8","shape":[4],"data_offsets":[4,8]}})",
         "12345678"),
     "overlap at byte 4"},
    {"bytes_without_tensor", safetensors_text("{}", "x"), "goes on to 1"},
};

INSTANTIATE_TEST_SUITE_P(All, SafetensorsRefuses, testing::ValuesIn(kHostile),
                         [](const testing::TestParamInfo<Hostile>& hostile) {
                           return std::string(hostile.param.name);
                         });

TEST(Safetensors, OpensFilesAndNamesThem) {
  const io_test::TemporaryFolder folder;
  const auto path = folder.path() / "file.safetensors";
  write_file_atomically(path, one_tensor(R"("dtype":"U8","shape":[8],"data_offsets":[0,8])"));
  std::optional<SafetensorsFile> file = SafetensorsFile::open(path);
  const SafetensorsFile copy = *file;
  file.reset();
  EXPECT_EQ(copy.bytes("t")[7], std::byte{'8'});  // the copy keeps the file open
  write_file_atomically(path, "short");
  EXPECT_TRUE(contains(error_of([&] { SafetensorsFile::open(path); }), "file.safetensors: the file has 5 bytes"));
  write_file_atomically(path, "");
  EXPECT_TRUE(contains(error_of([&] { SafetensorsFile::open(path); }), "0 bytes"));
  EXPECT_TRUE(contains(error_of([&] { SafetensorsFile::open(folder.path() / "none"); }), "No such file"));
  EXPECT_TRUE(contains(error_of([&] { SafetensorsFile::open(folder.path()); }), "Is a directory"));
  EXPECT_TRUE(contains(error_of([&] { SafetensorsFile::open("/dev/null"); }), "not a regular file"));
  EXPECT_TRUE(contains(error_of([&] { SafetensorsFile::open("/dev/zero"); }), "not a regular file"));
}

// Another program may rewrite a file in place while it is read.
TEST(Safetensors, AFileCutShortMeanwhileIsAnError) {
  const io_test::TemporaryFolder folder;
  const auto path = folder.path() / "file.safetensors";
  const std::vector<float> values(1000, 1.0f);
  write_file_atomically(path,
                        safetensors_text({{"t", {NumberType::kF32, {1000}, std::as_bytes(std::span(values))}}}, {}));
  const SafetensorsFile file = SafetensorsFile::open(path);
  std::filesystem::resize_file(path, 500);
  EXPECT_TRUE(contains(error_of([&] { file.bytes("t"); }), "ends at byte 500"));
  EXPECT_TRUE(contains(error_of([&] { file.as_f32("t"); }), "ends at byte 500"));
}

}  // namespace
}  // namespace quaver
