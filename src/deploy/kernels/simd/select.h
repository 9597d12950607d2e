#pragma once

#include <span>

#include "deploy/base/cpu.h"

namespace nibble::kernels {

/// The best of a family's variants (worst first, the portable reference leading) under the ceiling
/// `isa` on this machine.
template <class Variant>
const Variant& select(std::span<const Variant> variants, Isa isa) {
  const Variant* best = &variants.front();
  for (const Variant& variant : variants)
    if (allowed(variant.isa, isa)) best = &variant;
  return *best;
}

}  // namespace nibble::kernels
