// The file of a memory network: what was written comes back, and nothing else gets in.
#include "quaver/io/model_file/memory_file.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>

#include "quaver/core/error.h"
#include "quaver/core/random.h"
#include "quaver/core/text.h"
#include "quaver/io/container/safetensors.h"
#include "quaver/io/model_file/artifact_file.h"
#include "quaver/io/model_file/model_file.h"
#include "quaver/model/sample_models.h"
#include "support/places.h"

namespace quaver {
namespace {

MemoryNetwork sample(MemoryTying tying) {
  MemoryNetwork network;
  network.name = "sample";
  network.task = "stories";
  network.shape = {.vocabulary = 4, .memory = 3, .d = 2, .hops = 2, .sentence = 5, .tying = tying};
  network.scheme = {.arithmetic = MemoryArithmetic::kFixed,
                    .integer_bits = 2,
                    .similarity = MemorySimilarity::kHamming,
                    .hop_formats = true};
  network.words = {"", "mary", "garden", "milk,apple"};
  network.provenance = {{"seed", "3"}};
  Random random(1);
  network.parameters.resize(parameter_count(network.shape));
  for (float& value : network.parameters) value = static_cast<float>(random.normal());
  return network;
}

// Scaled networks hold what their codes stand for.
MemoryNetwork scaled_sample(MemoryTying tying, bool one_bit_weights) {
  MemoryNetwork network = sample(tying);
  network.shape.d = 11;  // one-bit rows of one byte and three bits
  network.scheme = {.arithmetic = MemoryArithmetic::kScaled,
                    .one_bit_weights = one_bit_weights,
                    .integer_only = true,
                    .relative_similarity = true};
  const std::size_t matrices = memory_matrices(network.shape).size();
  network.scales = {.weights = std::vector<float>(matrices, 0.013f),
                    .embedded = std::vector<float>(matrices, 0.05f),
                    .s = {0.0625f, 0.0625f},
                    .u = {0.1f, 0.2f, 0.3f},
                    .query = {1, 1}};
  Random random(2);
  network.parameters.resize(parameter_count(network.shape));
  for (float& value : network.parameters) value = static_cast<float>(random.normal());
  network.parameters = coded_parameters(network.shape, network.scheme, network.scales, network.parameters);
  return network;
}

std::span<const std::byte> bytes_of(const std::string& text) { return std::as_bytes(std::span(text)); }

TEST(MemoryFile, ReadsWhatItWrote) {
  for (const MemoryTying tying : {MemoryTying::kAdjacent, MemoryTying::kLayerwise}) {
    const MemoryNetwork network = sample(tying);
    const std::string bytes = save_bytes(network);
    EXPECT_EQ(bytes, save_bytes(network));
    EXPECT_EQ(load_memory_network_bytes(bytes_of(bytes)), network);
  }
}

TEST(MemoryFile, ScaledNetworksAreStoredAsCodes) {
  for (const MemoryTying tying : {MemoryTying::kAdjacent, MemoryTying::kLayerwise})
    for (const bool one_bit_weights : {false, true}) {
      const MemoryNetwork network = scaled_sample(tying, one_bit_weights);
      const std::string bytes = save_bytes(network);
      EXPECT_EQ(load_memory_network_bytes(bytes_of(bytes)), network);
      const SafetensorsFile file = SafetensorsFile::parse(bytes_of(bytes));
      std::size_t weights = 0;
      for (const auto& [name, tensor] : file.tensors()) weights += tensor.byte_count;
      EXPECT_EQ(weights, parameter_count(network.shape) / 11 * (one_bit_weights ? 2 : 11));
    }
}

TEST(MemoryFile, ReadsTheGoldenOfVersionOne) {
  const MemoryNetwork network = load_memory_network(testing_support::own_goldens("memory_v1") / "network.safetensors");
  EXPECT_EQ(network.scheme, (MemoryScheme{.arithmetic = MemoryArithmetic::kFixed,
                                          .integer_bits = 2,
                                          .similarity = MemorySimilarity::kHamming,
                                          .hop_formats = true}));
  EXPECT_EQ(network.scales, MemoryScales{});
  EXPECT_EQ(network.words.size(), 19u);
  EXPECT_EQ(network.words[18], "where");
  const std::vector<float> H(network.parameters.end() - 4, network.parameters.end());
  EXPECT_EQ(H, (std::vector<float>{-0x1.361778p-4f, 0x1.db2952p-4f, -0x1.ca36dcp-5f, 0x1.02158cp-4f}));
}

TEST(MemoryFile, ReadsAndWritesTheGoldenOfVersionFour) {
  const std::filesystem::path path = testing_support::own_goldens("memory_v4") / "network.safetensors";
  const MemoryNetwork network = load_memory_network(path);
  EXPECT_EQ(network.shape, (MemN2NShape{.vocabulary = 7,
                                        .memory = 4,
                                        .d = 11,
                                        .hops = 2,
                                        .sentence = 3,
                                        .tying = MemoryTying::kLayerwise,
                                        .temporal = false,
                                        .slots = 12}));
  EXPECT_EQ(network.scheme, (MemoryScheme{.arithmetic = MemoryArithmetic::kScaled,
                                          .one_bit_weights = true,
                                          .integer_only = true,
                                          .relative_similarity = true}));
  EXPECT_EQ(network.scales.embedded, (std::vector<float>{0.04f, 0.05f, 1, 1, 1}));
  EXPECT_EQ(network.words[6], "where");
  std::ifstream file(path, std::ios::binary);
  EXPECT_EQ(save_bytes(network), std::string(std::istreambuf_iterator<char>(file), {}))
      << "version 4 is still the version written";
}

// A network read from an older file is written as what it is in the newest version.
TEST(MemoryFile, OlderNetworksAreWrittenAnew) {
  for (const char* version : {"memory_v1", "memory_v2", "memory_v3"}) {
    const std::filesystem::path path = testing_support::own_goldens(version) / "network.safetensors";
    const MemoryNetwork network = load_memory_network(path);
    const std::string bytes = save_bytes(network);
    EXPECT_EQ(SafetensorsFile::parse(bytes_of(bytes)).metadata().at("version"), "4");
    EXPECT_EQ(load_memory_network_bytes(bytes_of(bytes)), network);
    EXPECT_LT(bytes.size(), std::filesystem::file_size(path)) << "files do not grow";
  }
}

TEST(MemoryFile, KeepsSlots) {
  for (MemoryNetwork network : {sample(MemoryTying::kLayerwise), scaled_sample(MemoryTying::kAdjacent, false)}) {
    network.shape.slots = 50;
    const std::string bytes = save_bytes(network);
    EXPECT_EQ(load_memory_network_bytes(bytes_of(bytes)), network);
    network.shape.slots = kMaxSlots + 1;
    EXPECT_THROW(save_bytes(network), Error);
  }
}

// Every byte of the file: an error, or the same network (blanks of the JSON header).
TEST(MemoryFile, AFlippedBitIsNeverAnotherNetwork) {
  for (const MemoryNetwork& network : {sample(MemoryTying::kLayerwise), scaled_sample(MemoryTying::kLayerwise, true)}) {
    const std::string bytes = save_bytes(network);
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      std::string changed = bytes;
      changed[i] = static_cast<char>(changed[i] ^ 1);
      try {
        EXPECT_EQ(load_memory_network_bytes(bytes_of(changed)), network) << "byte " << i;
      } catch (const Error&) {
      }
      EXPECT_THROW(load_memory_network_bytes(bytes_of(bytes.substr(0, i))), Error) << "cut at " << i;
    }
  }
}

TEST(MemoryFile, WhatMakesNoNetworkIsNotWritten) {
  const auto refused = [](const std::function<void(MemoryNetwork&)>& change) {
    MemoryNetwork network = sample(MemoryTying::kAdjacent);
    change(network);
    EXPECT_THROW(save_bytes(network), Error);
  };
  refused([](MemoryNetwork& network) { network.parameters.pop_back(); });
  refused([](MemoryNetwork& network) { network.words.emplace_back("more"); });
  refused([](MemoryNetwork& network) { network.shape.hops = 0; });
  refused([](MemoryNetwork& network) { network.scheme.integer_bits = 9; });
  refused([](MemoryNetwork& network) { network.words[1] = std::string(1, '\xff'); });
  refused([](MemoryNetwork& network) { network.scales.s = {1, 1}; });
  refused([](MemoryNetwork& network) {
    network = scaled_sample(MemoryTying::kAdjacent, false);
    network.parameters[5] += 0.001f;  // no code's
  });
  refused([](MemoryNetwork& network) {
    network = scaled_sample(MemoryTying::kAdjacent, false);
    network.scales.u.pop_back();
  });
}

// One-bit weights are U8 in the container: the network says what the bytes are, and its scheme must agree.
TEST(MemoryFile, PackedMatricesSayWhatTheyHold) {
  const std::string bytes = save_bytes(scaled_sample(MemoryTying::kAdjacent, true));
  const std::string said = R"(\"E0\":{\"format\":\"binary\",\"shape\":[7,11]})";
  EXPECT_NE(bytes.find(said), std::string::npos);
}

// Who does not ask for a kind gets what is there.
TEST(MemoryFile, OpenGivesEitherKind) {
  const std::filesystem::path path =
      std::filesystem::temp_directory_path() / concat("quaver_memory_file_", getpid(), ".safetensors");
  for (const Artifact& artifact : {Artifact(sample(MemoryTying::kAdjacent)), Artifact(samples::float_graph())}) {
    save(artifact, path);
    EXPECT_EQ(open(path), artifact);
    EXPECT_EQ(open_bytes(bytes_of(save_bytes(artifact))), artifact);
    EXPECT_TRUE(is_ours(SafetensorsFile::open(path)));
  }
  std::ofstream(path, std::ios::binary) << std::string("\2\0\0\0\0\0\0\0{}", 10);
  EXPECT_FALSE(is_ours(SafetensorsFile::open(path))) << "a safetensors file without tensors";
  EXPECT_THROW(open(path), Error);
  std::ofstream(path, std::ios::binary) << "short";
  EXPECT_THROW(open(path), Error);
  std::filesystem::remove(path);
  EXPECT_THROW(open(path), Error);
}

TEST(MemoryFile, ReadersOfModelsSayWhatItIs) {
  const std::string bytes = save_bytes(sample(MemoryTying::kAdjacent));
  try {
    load_bytes(bytes_of(bytes));
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("this is a memory network"), std::string::npos);
  }
  const std::string model = save_bytes(samples::float_classifier());
  try {
    load_memory_network_bytes(bytes_of(model));
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "this is a model of sequences and not a memory network");
  }
}

}  // namespace
}  // namespace quaver
