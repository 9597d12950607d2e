#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "deploy/base/status.h"
#include "deploy/model/model.h"

namespace nibble::model {

/// The graph section of a .nbl file: a FlatBuffers table (nbl.fbs).
std::vector<std::byte> write_graph(const Model& model);

/// Reads it into `model`, all but the constants' `data`. Runs the FlatBuffers verifier, then checks
/// every enum, attribute kind and (check.h) every tensor. `bytes` must be 64-byte aligned.
Status read_graph(std::span<const std::byte> bytes, Model& model);

}  // namespace nibble::model
