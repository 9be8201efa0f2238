// python_peer.h - engines that are Python packages: a program of tools/peers runs beside this one and times itself.
//
// One line of JSON a request, one an answer (tools/peers/worker.py says which), over a socket that is the program's
// standard input and output. It lives from the first shape to the last, inherits the CPU this process is bound to, and
// sleeps while others are timed. One that is not installed, breaks down or does not answer costs its rows, no more.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "quaver/bench/peers/peer.h"

namespace quaver {

class PythonEngine {
 public:
  // command: program and arguments; the engine's name is the last of them.
  explicit PythonEngine(const std::vector<std::string>& command);
  PythonEngine(const PythonEngine&) = delete;
  PythonEngine& operator=(const PythonEngine&) = delete;
  ~PythonEngine();

  const std::string& name() const { return name_; }
  const std::string& version() const { return version_; }
  const std::string& isa_limit() const { return isa_limit_; }  // what was left of the CPU's sets; "" where all were
  const std::string& trouble() const { return trouble_; }      // why it gives no rows (any more); "" while it does

  std::vector<std::unique_ptr<Peer>> make(const PeerShape& shape);
  double run(std::size_t variant, std::size_t calls);  // not a number when it did not answer

 private:
  void start(const std::vector<std::string>& command);
  nlohmann::json ask(const nlohmann::json& request);  // null, and trouble() is set, when there is no good answer
  nlohmann::json answer();
  void give_up(const std::string& why);

  std::string name_, version_, isa_limit_, trouble_, received_;
  pid_t process_ = -1;
  int socket_ = -1;
};

}  // namespace quaver
