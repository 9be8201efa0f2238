// onednn.h - oneDNN's recurrent layers: int8 (u8 input and state, s8 weights a gate row, f32 cell state), and f32.
//
// As its manual recommends: weights reordered once into the format the primitive prefers, the primitive and all
// memory made once and reused, one OpenMP thread unless asked otherwise.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "quaver/bench/peers/peer.h"

namespace quaver {

// Those forms it has of this cell: no int8 for a GRU that resets after the product.
std::vector<std::unique_ptr<Peer>> make_onednn(const PeerShape& shape);

// The instruction set that ONEDNN_MAX_CPU_ISA or DNNL_MAX_CPU_ISA leaves it; "" where neither is set.
std::string onednn_isa_limit();

}  // namespace quaver
