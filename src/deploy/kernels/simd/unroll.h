#pragma once

/// Fully unrolls the following loop of constant length: arrays of accumulators indexed by its
/// counter then live in registers.
#if defined(__clang__)
#define NIBBLE_UNROLL _Pragma("clang loop unroll(full)")
#else
#define NIBBLE_UNROLL _Pragma("GCC unroll 32")
#endif
