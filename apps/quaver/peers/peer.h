// peer.h - another engine that runs the same shape beside ours in 'bench'.
//
// A new peer is one file with a make function, one line in peers.cc and one in CMakeLists.txt.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace quaver {

// One layer, one direction.
struct PeerShape {
  std::string cell;  // lstm or gru
  std::size_t input = 0;
  std::size_t hidden = 0;
  std::size_t batch = 1;
  std::size_t steps = 1;  // in one call
  std::size_t threads = 1;
  std::uint64_t seed = 1;
};

class Peer {
 public:
  virtual ~Peer() = default;
  virtual std::string name() const = 0;
  virtual std::string version() const = 0;
  virtual std::string scheme() const = 0;        // its formats, in our words
  virtual std::string path() const = 0;          // what it says about the code it runs
  virtual std::size_t weight_bytes() const = 0;  // int8 codes, without what packing adds
  // `calls` times `steps` steps, state carried on, inputs rotated.
  virtual void run(std::size_t calls) = 0;
};

// All peers that were linked and can run this shape.
std::vector<std::unique_ptr<Peer>> make_peers(const PeerShape& shape);
// Names of the peers that were linked.
std::vector<std::string> linked_peers();

}  // namespace quaver
