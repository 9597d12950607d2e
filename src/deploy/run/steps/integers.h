#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "deploy/base/status.h"
#include "deploy/run/step.h"

namespace nibble::run {

/// The integers (i64 or i32) of operand i, whose value prepare must know; empty when it is absent.
Result<std::vector<int64_t>> known_integers(std::span<const Operand> inputs, size_t i);

}  // namespace nibble::run
