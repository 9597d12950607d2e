#pragma once

#include <string>

#include "deploy/base/status.h"
#include "deploy/model/model.h"

namespace nibble::model {

/// The rules of a model that was read from a file, which is untrusted. Messages name the tensor or
/// node, not the file.

/// One tensor alone: sizes do not overflow, grid and packed record are consistent with the shape.
/// Does not look at `data`.
Status check_tensor(const TensorInfo& tensor);

/// The graph: indices in range, arity, one producer a tensor, topological order, attributes legal,
/// packed constants only where an op reads them, boolean constants 0 or 1. Every tensor has passed
/// check_tensor.
Status check_graph(const Model& model);

/// "tensor 'conv1.weight'", "node 'conv1'" for messages: one line whatever the name holds.
std::string quoted(const char* what, const std::string& name);

}  // namespace nibble::model
