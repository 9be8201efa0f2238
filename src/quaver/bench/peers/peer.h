// peer.h - another engine that runs the same shape beside ours in 'bench'.
//
// One that is linked is a file with a make function and a line in peers.cc and CMakeLists.txt; one that is a Python
// package is a file in tools/peers and a name in peers.cc.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace quaver {

// One layer, one direction; or a memory network.
struct PeerShape {
  std::string cell;   // lstm, gru or memn2n
  std::string reset;  // of a GRU: "after" or "before" the product
  std::size_t input = 0;
  std::size_t hidden = 0;
  std::size_t batch = 1;
  std::size_t steps = 1;  // in one call
  std::size_t threads = 1;
  std::size_t inputs = 16;  // how many there are; each call takes the next
  std::uint64_t seed = 1;
  // Of a memory network (cell memn2n), `hidden` numbers wide: questions about so many facts of so many words. For each
  // of `batches` a variant whose facts are embedded before and shared by the questions of a call; with `told` also one
  // that is told facts of its own with every question.
  std::size_t facts = 0, words = 0, vocabulary = 0, hops = 0;
  std::vector<std::size_t> batches{};
  bool told = false;
};

class Peer {
 public:
  virtual ~Peer() = default;
  virtual std::string name() const = 0;
  virtual std::string version() const = 0;
  virtual std::string scheme() const = 0;        // its formats, in our words
  virtual std::string path() const = 0;          // what it says about the code it runs
  virtual std::size_t weight_bytes() const = 0;  // without what packing adds
  // Whether a call is handed int8 codes and gives codes, as integer models of others take them; else real frames.
  virtual bool takes_codes() const { return false; }
  // Of a memory network: questions in a call, and whether the facts are embedded before.
  virtual std::size_t batch() const { return 1; }
  virtual bool stored() const { return false; }
  // `calls` times `steps` steps, state carried on, inputs rotated: how many seconds that took, or not a number when the
  // peer broke down.
  virtual double run(std::size_t calls) = 0;
};

class PythonEngine;

struct PeerOptions {
  std::vector<std::string> names;  // of peer_names(); empty: all of them
  std::string python = "python3";
  std::filesystem::path folder;  // of worker.py; empty: where the build or the installation put it
};

// Peers for shape after shape; those that are programs of their own live as long as this. Error (usage) for a name that
// is unknown.
class Peers {
 public:
  explicit Peers(const PeerOptions& options);
  Peers(Peers&&) noexcept;
  ~Peers();

  std::vector<std::unique_ptr<Peer>> make(const PeerShape& shape);  // those that can run it
  // A line for each that was asked for and gives no rows (any more): why, and what to do. Each line once.
  std::vector<std::string> news();
  // Of each that was made to use fewer instruction sets than the CPU has: its name, and the largest that it was left.
  std::vector<std::pair<std::string, std::string>> isa_limits() const;

 private:
  PeerOptions options_;
  std::vector<std::unique_ptr<PythonEngine>> engines_;
  std::vector<std::string> news_, told_;
};

std::vector<std::string> peer_names();

}  // namespace quaver
