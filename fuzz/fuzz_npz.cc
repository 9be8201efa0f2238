// fuzz_npz.cc - read_npz_bytes() on anything: an Error or arrays, never a crash, a hang or memory without end.
//
// A zip's own checksum would stop nearly every mutation of an entry, so each input is tried twice: as the file, and as
// the entry "x.npy" of a zip that is right. Arrays that are read must survive being written and read again.

#include <array>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "quaver/core/error.h"
#include "quaver/npz/npz.h"

namespace quaver {
namespace {

std::uint32_t crc32(std::span<const std::byte> bytes) {
  std::uint32_t crc = ~0u;
  for (const std::byte byte : bytes) {
    crc ^= std::to_integer<std::uint32_t>(byte);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ (0xedb88320u & (0u - (crc & 1u)));
  }
  return ~crc;
}

void put(std::string& text, std::uint32_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) text += static_cast<char>(value >> (8 * i) & 255u);
}

// One stored entry: local header, bytes, central directory, end.
std::string zip_of(std::span<const std::byte> bytes) {
  constexpr std::string_view kName = "x.npy";
  const auto size = static_cast<std::uint32_t>(bytes.size());
  std::string common;  // version, flags, method, time, date, checksum, sizes, length of name, length of extra field
  for (const std::uint32_t half : {20u, 0u, 0u, 0u, 0x21u}) put(common, half, 2);
  for (const std::uint32_t word : {crc32(bytes), size, size}) put(common, word, 4);
  put(common, static_cast<std::uint32_t>(kName.size()), 2);
  put(common, 0, 2);
  std::string zip = "PK\x03\x04" + common + std::string(kName);
  zip.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const auto directory = static_cast<std::uint32_t>(zip.size());
  zip += std::string("PK\x01\x02\x14\0", 6) + common + std::string(14, '\0') + std::string(kName);
  const auto end = static_cast<std::uint32_t>(zip.size());
  zip += std::string("PK\x05\x06\0\0\0\0\x01\0\x01\0", 12);
  put(zip, end - directory, 4);
  put(zip, directory, 4);
  put(zip, 0, 2);
  return zip;
}

void read_and_write(std::span<const std::byte> bytes) {
  try {
    const Npz arrays = read_npz_bytes(bytes);
    for (const auto& [name, array] : arrays) {
      try {
        check_finite(to_f32(array, name), array.shape, name);
        to_i8(array, name);
      } catch (const Error&) {
      }
    }
    if (arrays.empty()) return;
    const std::string written = npz_bytes(arrays);
    if (read_npz_bytes(std::as_bytes(std::span(written))) != arrays) std::abort();
  } catch (const Error&) {
  }
}

}  // namespace
}  // namespace quaver

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  quaver::read_and_write(bytes);
  const std::string zip = quaver::zip_of(bytes);
  quaver::read_and_write(std::as_bytes(std::span(zip)));
  return 0;
}
