#include "quaver/io/model_file/memory_file.h"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "quaver/core/error.h"
#include "quaver/core/text.h"
#include "quaver/files/atomic_file.h"
#include "quaver/io/container/envelope.h"
#include "quaver/io/container/safetensors.h"
#include "quaver/io/model_file/contents.h"
#include "quaver/io/model_file/network_json.h"
#include "quaver/io/model_file/packed_tensors.h"

namespace quaver {
namespace {

// How the file holds a matrix: float weights as F32; codes as I8; codes of one bit as U8, eight columns a byte.
struct StoredMatrix {
  NumberType dtype;
  std::vector<std::int64_t> shape;
  std::optional<PackedTensor> packed{};
};

StoredMatrix stored(const MemoryMatrix& matrix, const MemoryScheme& scheme) {
  const std::vector<std::int64_t> shape{static_cast<std::int64_t>(matrix.rows), static_cast<std::int64_t>(matrix.cols)};
  if (!scheme.is_scaled()) return {NumberType::kF32, shape};
  if (!scheme.one_bit_weights) return {NumberType::kI8, shape};
  const PackedTensor packed{weight_format(WeightFormatId::kBinary).name, shape};
  return {NumberType::kU8, stored_shape(packed), packed};
}

// Codes in row-major order; of one bit: bit k of a row's byte b belongs to column 8 b + k and is set for +1.
std::vector<std::byte> pack(std::span<const float> weights, const MemoryMatrix& matrix, float scale,
                            const MemoryScheme& scheme) {
  std::vector<std::byte> bytes;
  for (std::size_t row = 0; row < matrix.rows; ++row) {
    std::byte bits{};
    for (std::size_t col = 0; col < matrix.cols; ++col) {
      const std::int8_t code = weight_code(weights[row * matrix.cols + col], scale, scheme);
      if (!scheme.one_bit_weights) {
        bytes.push_back(static_cast<std::byte>(code));
        continue;
      }
      if (code > 0) bits |= std::byte{1} << (col % 8);
      if (col % 8 == 7 || col + 1 == matrix.cols) bytes.push_back(std::exchange(bits, std::byte{}));
    }
  }
  return bytes;
}

void unpack(std::span<const std::byte> stored, const MemoryMatrix& matrix, float scale, const MemoryScheme& scheme,
            std::vector<float>& parameters) {
  const std::int32_t limit = (std::int32_t{1} << (scheme.bits - 1)) - 1;
  const std::size_t row_bytes = stored.size() / matrix.rows;
  for (std::size_t row = 0; row < matrix.rows; ++row) {
    const std::span<const std::byte> bytes = stored.subspan(row * row_bytes, row_bytes);
    for (std::size_t col = 0; col < matrix.cols; ++col) {
      std::int32_t code = 0;
      if (scheme.one_bit_weights) {
        code = std::to_integer<int>(bytes[col / 8] >> (col % 8)) % 2 == 1 ? 1 : -1;
      } else {
        code = static_cast<std::int8_t>(bytes[col]);
        if (std::abs(code) > limit)
          throw_bad_input(concat("tensor '", matrix.name, "' holds the code ", code, ", expected at most ", limit,
                                 " of either sign for ", scheme.bits, " bits"));
      }
      parameters.push_back(static_cast<float>(code) * scale);
    }
    if (scheme.one_bit_weights && matrix.cols % 8 != 0 && (bytes.back() >> (matrix.cols % 8)) != std::byte{})
      throw_bad_input(concat("tensor '", matrix.name, "' has bits set behind its last column"));
  }
}

void write_network(const MemoryNetwork& network, const ByteSink& sink) {
  validate(network);
  std::map<std::string, SafetensorsEntry> entries;
  const std::vector<MemoryMatrix> matrices = memory_matrices(network.shape);
  std::vector<std::vector<std::byte>> coded;
  coded.reserve(matrices.size());
  PackedTensors packed;
  for (std::size_t place = 0; place < matrices.size(); ++place) {
    const MemoryMatrix& matrix = matrices[place];
    const std::span<const float> weights = std::span(network.parameters).subspan(matrix.offset, matrix.size());
    std::span<const std::byte> bytes = std::as_bytes(weights);
    if (network.scheme.is_scaled())
      bytes = coded.emplace_back(pack(weights, matrix, network.scales.weights[place], network.scheme));
    const StoredMatrix as = stored(matrix, network.scheme);
    entries[matrix.name] = {as.dtype, as.shape, bytes};
    if (as.packed) packed[matrix.name] = *as.packed;
  }
  write_envelope({.kind = FileKind::kMemoryNetwork,
                  .description = network_to_json(network, packed),
                  .words = network.words,
                  .provenance = network.provenance},
                 entries, sink);
}

MemoryNetwork read_network(SafetensorsFile& file) {
  Envelope envelope = read_envelope(file);
  if (envelope.kind == FileKind::kModel) throw_bad_input("this is a model of sequences and not a memory network");
  return memory_network_of(file, std::move(envelope));
}

}  // namespace

MemoryNetwork memory_network_of(const SafetensorsFile& file, Envelope envelope) {
  NetworkDescription description = network_from_json(envelope.description, envelope.version, file);
  MemoryNetwork& network = description.network;
  network.words = std::move(envelope.words);
  network.provenance = std::move(envelope.provenance);
  // Shapes are compared before anything of the size they claim is allocated.
  const std::vector<MemoryMatrix> matrices = memory_matrices(network.shape);
  for (const MemoryMatrix& matrix : matrices) {
    const SafetensorsTensor& entry = file.tensor(matrix.name);
    const StoredMatrix expected = stored(matrix, network.scheme);
    if (entry.dtype != expected.dtype || entry.shape != expected.shape)
      throw_bad_input(concat("tensor '", matrix.name, "' is ", shape_text(entry.shape), " ", dtype_name(entry.dtype),
                             ", expected ", shape_text(expected.shape), " ", dtype_name(expected.dtype)));
    const auto said = description.packed.find(matrix.name);
    if (said != description.packed.end() && said->second != *expected.packed)
      throw_bad_input(concat("tensor '", matrix.name, "' is said to hold ", shape_text(said->second.shape), " ",
                             said->second.format, ", expected ", shape_text(expected.packed->shape), " ",
                             expected.packed->format));
  }
  if (file.tensors().size() != matrices.size())
    throw_bad_input(concat("there are ", file.tensors().size(), " tensors, expected ", matrices.size()));
  network.parameters.reserve(parameter_count(network.shape));
  for (std::size_t place = 0; place < matrices.size(); ++place) {
    const SharedBytes bytes = file.bytes(matrices[place].name);
    if (network.scheme.is_scaled()) {
      unpack(bytes, matrices[place], network.scales.weights[place], network.scheme, network.parameters);
      continue;
    }
    const std::size_t begin = network.parameters.size();
    network.parameters.resize(begin + matrices[place].size());
    std::ranges::copy(bytes, std::as_writable_bytes(std::span(network.parameters).subspan(begin)).begin());
  }
  validate(network);
  return std::move(description.network);
}

std::string save_bytes(const MemoryNetwork& network) {
  std::string bytes;
  write_network(network, [&bytes](std::span<const std::byte> piece) {
    bytes.append(reinterpret_cast<const char*>(piece.data()), piece.size());
  });
  return bytes;
}

void save(const MemoryNetwork& network, const std::filesystem::path& path) {
  write_file_atomically(path, [&network](const ByteSink& sink) { write_network(network, sink); });
}

MemoryNetwork load_memory_network_bytes(std::span<const std::byte> bytes) {
  SafetensorsFile file = SafetensorsFile::parse(bytes);
  return read_network(file);
}

MemoryNetwork load_memory_network(const std::filesystem::path& path) { return read_at(path, read_network); }

}  // namespace quaver
