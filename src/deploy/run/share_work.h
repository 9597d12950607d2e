#pragma once

#include "deploy/base/cpu.h"

namespace nibble::run {

/// Whether a step of `macs` multiply-accumulates that moves `bytes` is long enough for a second
/// thread to make it shorter. A hand-over costs a fraction of a microsecond, and what another core
/// has written comes slowly out of its cache: below a few microseconds one thread is faster.
bool worth_sharing(double macs, double bytes, Isa isa);

}  // namespace nibble::run
