#include "peers/peer.h"

#ifdef QUAVER_HAVE_ONEDNN
#include "peers/onednn.h"
#endif

namespace quaver {

std::vector<std::unique_ptr<Peer>> make_peers([[maybe_unused]] const PeerShape& shape) {
  std::vector<std::unique_ptr<Peer>> peers;
#ifdef QUAVER_HAVE_ONEDNN
  if (auto peer = make_onednn(shape)) peers.push_back(std::move(peer));
#endif
  return peers;
}

std::vector<std::string> linked_peers() {
  std::vector<std::string> names;
#ifdef QUAVER_HAVE_ONEDNN
  names.push_back("onednn");
#endif
  return names;
}

}  // namespace quaver
