#pragma once

#include <optional>

#include "deploy/numeric/quant_params.h"
#include "quant/onnx/element_type.h"

namespace nibble::exporter {

/// The ONNX type in which codes are stored.
struct Storage {
  onnx::ElementType type;
  /// Whether the type holds codes that the grid does not have: activations then need a Clip.
  bool wider;
};

/// Whether an activation of this grid is written as signs, not as codes: {-1, +1} without 0.
bool is_written_as_signs(const numeric::QuantParams& params);

/// The narrowest type of `opset` that has every code of `params`: 8 bits at 13, 4 and 16 too at 21,
/// 2 too at 25. Empty when there is none.
std::optional<Storage> storage_of(const numeric::QuantParams& params, int opset);

/// The first opset, of 13, 21 and 25, in which QuantizeLinear and DequantizeLinear take `type`.
int opset_of(onnx::ElementType type);

}  // namespace nibble::exporter
