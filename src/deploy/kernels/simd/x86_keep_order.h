#pragma once

#include "deploy/kernels/simd/unroll.h"

namespace nibble::kernels {
namespace {

/// The compiler must not add up in another order: it would form many products first and spill them.
template <class V>
inline NIBBLE_ALWAYS_INLINE void keep_order(V& sum) {
  __asm__("" : "+x"(sum));
}

}  // namespace
}  // namespace nibble::kernels
