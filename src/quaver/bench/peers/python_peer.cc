#include "quaver/bench/peers/python_peer.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

#include "quaver/core/text.h"

namespace quaver {
namespace {

constexpr int kPatienceMilliseconds = 120'000;  // the slowest answer is the making of a large model
constexpr std::size_t kLongestAnswer = 1 << 20;

class PythonPeer final : public Peer {
 public:
  PythonPeer(PythonEngine& engine, std::size_t variant, const nlohmann::json& description)
      : engine_(engine),
        variant_(variant),
        scheme_(description.at("scheme").get<std::string>()),
        path_(description.at("path").get<std::string>()),
        weight_bytes_(description.at("weight_bytes").get<std::size_t>()),
        batch_(description.value("batch", std::size_t{1})),
        stored_(description.value("stored", false)),
        takes_codes_(description.value("codes", false)) {}

  std::string name() const override { return engine_.name(); }
  std::string version() const override { return engine_.version(); }
  std::string scheme() const override { return scheme_; }
  std::string path() const override { return path_; }
  std::size_t weight_bytes() const override { return weight_bytes_; }
  std::size_t batch() const override { return batch_; }
  bool stored() const override { return stored_; }
  bool takes_codes() const override { return takes_codes_; }
  double run(std::size_t calls) override { return engine_.run(variant_, calls); }

 private:
  PythonEngine& engine_;
  std::size_t variant_;
  std::string scheme_, path_;
  std::size_t weight_bytes_, batch_;
  bool stored_, takes_codes_;
};

}  // namespace

PythonEngine::PythonEngine(const std::vector<std::string>& command) : name_(command.back()) { start(command); }

PythonEngine::~PythonEngine() { give_up(""); }

void PythonEngine::start(const std::vector<std::string>& command) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return give_up(std::strerror(errno));
  socket_ = ends[0];
  std::vector<std::string> words = command;
  std::vector<char*> arguments(words.size() + 1, nullptr);
  for (std::size_t i = 0; i < words.size(); ++i) arguments[i] = words[i].data();
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  for (const int standard : {STDIN_FILENO, STDOUT_FILENO})
    posix_spawn_file_actions_adddup2(&actions, ends[1], standard);
  const int error = posix_spawnp(&process_, arguments[0], &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  close(ends[1]);
  if (error != 0) {
    process_ = -1;
    return give_up(concat("'", command.front(), "' does not start: ", std::strerror(error)));
  }
  const nlohmann::json hello = answer();
  if (hello.contains("version") && hello["version"].is_string()) {
    version_ = hello["version"].get<std::string>();
    if (hello.contains("isa_limit") && hello["isa_limit"].is_string())
      isa_limit_ = hello["isa_limit"].get<std::string>();
  } else if (trouble_.empty()) {
    give_up("not installed (" + (hello.contains("why") ? hello["why"].dump() : std::string("no reason given")) + ")");
  }
}

// Ends the process; it has nothing to save.
void PythonEngine::give_up(const std::string& why) {
  if (trouble_.empty()) trouble_ = why;
  if (socket_ >= 0) close(socket_);
  socket_ = -1;
  if (process_ > 0) {
    kill(process_, SIGKILL);
    waitpid(process_, nullptr, 0);
  }
  process_ = -1;
}

nlohmann::json PythonEngine::answer() {
  for (;;) {
    if (const std::size_t end = received_.find('\n'); end != std::string::npos) {
      nlohmann::json json = nlohmann::json::parse(received_.substr(0, end), nullptr, false);
      received_.erase(0, end + 1);
      if (json.is_object() && !json.contains("error")) return json;
      give_up(json.is_object() ? json["error"].dump() : "its answer is not a JSON object");
      return nullptr;
    }
    pollfd waits{socket_, POLLIN, 0};
    const int ready = poll(&waits, 1, kPatienceMilliseconds);
    if (ready < 0 && errno == EINTR) continue;
    char bytes[4096];
    const ssize_t count = ready > 0 ? read(socket_, bytes, sizeof bytes) : 0;
    if (count <= 0 || received_.size() > kLongestAnswer) {
      give_up(ready == 0 ? "it did not answer in time" : "it ended without an answer");
      return nullptr;
    }
    received_.append(bytes, static_cast<std::size_t>(count));
  }
}

nlohmann::json PythonEngine::ask(const nlohmann::json& request) {
  if (socket_ < 0) return nullptr;
  const std::string line = request.dump() + "\n";
  for (std::size_t sent = 0; sent < line.size();) {
    const ssize_t count = send(socket_, line.data() + sent, line.size() - sent, MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) {
      give_up("it ended without an answer");
      return nullptr;
    }
    sent += static_cast<std::size_t>(count);
  }
  return answer();
}

std::vector<std::unique_ptr<Peer>> PythonEngine::make(const PeerShape& shape) {
  const nlohmann::json told = ask({{"prepare",
                                    {{"cell", shape.cell},
                                     {"reset", shape.reset},
                                     {"input", shape.input},
                                     {"hidden", shape.hidden},
                                     {"batch", shape.batch},
                                     {"steps", shape.steps},
                                     {"threads", shape.threads},
                                     {"inputs", shape.inputs},
                                     {"seed", shape.seed},
                                     {"facts", shape.facts},
                                     {"words", shape.words},
                                     {"vocabulary", shape.vocabulary},
                                     {"hops", shape.hops},
                                     {"batches", shape.batches},
                                     {"told", shape.told}}}});
  std::vector<std::unique_ptr<Peer>> peers;
  if (told.is_null()) return peers;
  try {
    for (const nlohmann::json& variant : told.at("variants"))
      peers.push_back(std::make_unique<PythonPeer>(*this, peers.size(), variant));
  } catch (const nlohmann::json::exception& error) {
    give_up(error.what());
    peers.clear();
  }
  return peers;
}

double PythonEngine::run(std::size_t variant, std::size_t calls) {
  const nlohmann::json told = ask({{"run", {{"variant", variant}, {"calls", calls}}}});
  if (told.is_object() && told.contains("seconds") && told["seconds"].is_number()) return told["seconds"].get<double>();
  if (trouble_.empty()) give_up("its answer holds no seconds");
  return std::numeric_limits<double>::quiet_NaN();
}

}  // namespace quaver
