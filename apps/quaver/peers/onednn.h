// onednn.h - oneDNN's int8 recurrent layers: u8 input and state, s8 weights a gate row, f32 cell state.
//
// As its manual recommends: weights reordered once into the format the primitive prefers, the primitive and all
// memory made once and reused, one OpenMP thread unless asked otherwise.
#pragma once

#include <memory>

#include "peers/peer.h"

namespace quaver {

// nullptr when oneDNN has no int8 form of this cell.
std::unique_ptr<Peer> make_onednn(const PeerShape& shape);

}  // namespace quaver
