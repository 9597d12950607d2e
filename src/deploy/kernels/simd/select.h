#pragma once

#include <span>

#include "deploy/base/cpu.h"

namespace nibble::kernels {

/// One ISA's table of functions.
template <class Table>
struct Variant {
  Isa isa;
  const Table* table;
};

/// The best of a family's variants (worst first, the portable reference leading) under the ceiling
/// `isa` on this machine.
template <class AnyVariant>
const AnyVariant& select(std::span<const AnyVariant> variants, Isa isa) {
  const AnyVariant* best = &variants.front();
  for (const AnyVariant& variant : variants)
    if (allowed(variant.isa, isa)) best = &variant;
  return *best;
}

}  // namespace nibble::kernels
