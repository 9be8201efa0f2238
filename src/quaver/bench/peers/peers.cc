#include <algorithm>
#include <system_error>
#include <utility>

#include "quaver/bench/peers/peer.h"
#include "quaver/bench/peers/python_peer.h"
#include "quaver/core/error.h"
#include "quaver/core/text.h"

#ifdef QUAVER_HAVE_ONEDNN
#include "quaver/bench/peers/onednn.h"
#endif

namespace quaver {
namespace {

constexpr const char* kOneDnn = "onednn";
const std::vector<std::string> kPython{"onnxruntime", "litert", "torch"};

// build/<preset>/quaver and bin/quaver know the way to their programs.
std::filesystem::path find_folder() {
  std::error_code none;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", none).parent_path();
  for (const char* way : {"../../tools/peers", "../share/quaver/peers"}) {
    if (std::filesystem::exists(program / way / "worker.py", none)) return program / way;
  }
  return "tools/peers";
}

}  // namespace

std::vector<std::string> peer_names() {
  std::vector<std::string> names{kOneDnn};
  names.insert(names.end(), kPython.begin(), kPython.end());
  return names;
}

Peers::Peers(const PeerOptions& options) : options_(options) {
  if (options_.names.empty()) options_.names = peer_names();
  if (options_.folder.empty()) options_.folder = find_folder();
  for (const std::string& name : options_.names) {
    if (std::ranges::count(kPython, name) > 0) {
      engines_.push_back(std::make_unique<PythonEngine>(
          std::vector<std::string>{options_.python, (options_.folder / "worker.py").string(), name}));
    } else if (name != kOneDnn) {
      throw_usage(concat("unknown peer '", name, "', expected one of: ", join(peer_names(), ", ")));
    }
  }
#ifndef QUAVER_HAVE_ONEDNN
  if (std::ranges::count(options_.names, kOneDnn) > 0)
    news_.push_back("no rows of onednn: it was not linked into this program (Debian: libdnnl-dev, then build again)");
#endif
}

Peers::Peers(Peers&&) noexcept = default;
Peers::~Peers() = default;

std::vector<std::unique_ptr<Peer>> Peers::make(const PeerShape& shape) {
  std::vector<std::unique_ptr<Peer>> peers;
#ifdef QUAVER_HAVE_ONEDNN
  if (std::ranges::count(options_.names, kOneDnn) > 0) peers = make_onednn(shape);
#endif
  for (const auto& engine : engines_) std::ranges::move(engine->make(shape), std::back_inserter(peers));
  return peers;
}

std::vector<std::pair<std::string, std::string>> Peers::isa_limits() const {
  std::vector<std::pair<std::string, std::string>> limits;
#ifdef QUAVER_HAVE_ONEDNN
  if (std::ranges::count(options_.names, kOneDnn) > 0 && !onednn_isa_limit().empty())
    limits.emplace_back(kOneDnn, onednn_isa_limit());
#endif
  for (const auto& engine : engines_)
    if (!engine->isa_limit().empty()) limits.emplace_back(engine->name(), engine->isa_limit());
  return limits;
}

std::vector<std::string> Peers::news() {
  for (const auto& engine : engines_) {
    if (engine->trouble().empty() || std::ranges::count(told_, engine->name()) > 0) continue;
    told_.push_back(engine->name());
    std::string line = concat("no rows of ", engine->name(), ": ", engine->trouble());
    if (engine->version().empty())
      line += concat("; to install it: python3 -m venv VENV && VENV/bin/pip install -r ",
                     (options_.folder / "requirements.txt").lexically_normal().string(),
                     ", then --peer-python VENV/bin/python3");
    news_.push_back(std::move(line));
  }
  return std::exchange(news_, {});
}

}  // namespace quaver
