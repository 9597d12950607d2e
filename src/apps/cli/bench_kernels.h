#pragma once

#include <string>

#include "apps/cli/console.h"

namespace nibble::cli {

/// `bench --kernels`: measures every kernel of integer products at or below $NIBBLE_ISA, prints
/// which one a shape gets, and writes the table to `path` unless that is empty.
int bench_kernels(Console& console, const std::string& path);

}  // namespace nibble::cli
