#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "deploy/model/model.h"
#include "quant/graph/graph.h"

namespace nibble::pack {

/// A graph of any phase as the bytes of a .nbl file (deploy/model/nbl.h). Spatial ops must be
/// channels_last (lower/channels_last.h). Quantised weight constants of QConv/QGemm are packed at
/// their width (format/).
std::vector<std::byte> pack_nbl(const graph::Graph& graph);

/// The same, parsed again: what the runtime will see. There is one path, through the bytes.
std::shared_ptr<const model::Model> pack(const graph::Graph& graph);

}  // namespace nibble::pack
