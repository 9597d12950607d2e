#pragma once

/// Fully unrolls the following loop of constant length: arrays of accumulators indexed by its
/// counter then live in registers.
#if defined(__clang__)
#define NIBBLE_UNROLL _Pragma("clang loop unroll(full)")
#else
#define NIBBLE_UNROLL _Pragma("GCC unroll 32")
#endif

/// For what must not become a call: a function or lambda whose registers are the caller's.
#define NIBBLE_ALWAYS_INLINE __attribute__((always_inline))
