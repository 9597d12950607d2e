#include "quant/transform/transform.h"

namespace nibble::transform::method {

extern const Transform remove_dead;
const Transform remove_dead = {
    .on_by_default = true,
    .apply = [](graph::Graph& graph) { return graph.remove_dead_nodes(); },
};

}  // namespace nibble::transform::method
