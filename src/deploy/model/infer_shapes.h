#pragma once

#include <optional>
#include <span>
#include <vector>

#include "deploy/base/status.h"
#include "deploy/base/tensor.h"
#include "deploy/model/attributes.h"
#include "deploy/model/op.h"

namespace nibble::model {

// Order of axes under attribute channels_last = 1 (quant/lower/lower.h makes it so):
//   Conv                   x [N, spatial..., C]  weights [O, k..., C/group]  y [N, spatial..., O]
//   ConvTranspose          x [N, spatial..., C]  weights [C, k..., O/group]  y [N, spatial..., O]
//   pools, BatchNormalization, InstanceNormalization: x and y [N, spatial..., C]. MaxPool's indices
//   count in the order of the source, [N, C, spatial...].
//   Resize: roi, scales, sizes and `axes` follow the axes as they stand, the channels last.
// Attributes of spatial ops (kernel_shape, strides, pads, dilations) list spatial axes in any case.
// Every other op has no such attribute: its axes, perms and constants are in the tensor's own
// order.
//
// Operands of the integer ops (arithmetic: docs/numerics.md). Codes of activations lie in i8, or
// i16 from 9 bits on; zero points are codes as stored. All: y_zero, y_min, y_max, `to` (DType of
// y), `binary` (1: the results are signs, codes -1 and +1; of all but QMatMul, QAdd and QMul). The
// requantisation factor is binary32 M in variant float, the pair m0, e in variant fixed.
//   QConv      x [N, spatial..., C], weights [O, k..., C/group] and
//   QGemm      x [..., K], weights [N, K]: codes, i8 for signed grids, u8 for unsigned ones;
//              bias i32 [O] = q_b - x_zero sum_k (q_w - w_zero), so acc = sum_k (q_w - w_zero) q_x
//              + bias; multiplier [O], f32 M or i32 m0; exponent i32 [O] (variant fixed); w_zero
//              i32 [O] (absent: 0). x_zero: what padding holds. QConv keeps Conv's attributes.
//              residual i8, shaped as the result (variant float, one group, i8): the result is the
//              QAdd of y and it, with residual_zero, sum_multiplier {M_y, M_residual}, sum_zero,
//              sum_min, sum_max
//   QMatMul, QMul  x_zero, b_zero; multiplier {M} or fixed_multiplier {m0}, fixed_exponent {e}
//   QAdd           x_zero, b_zero; multiplier {M_a, M_b} or fixed_multiplier {m_a, m_b} and their
//                  common fixed_exponent {e}: shift c = 31 - e (numeric::FixedSum)
//   Requantize     x_zero; multiplier {M} or fixed_multiplier {m0}, fixed_exponent {e}
//   DynamicQuantize  x f32 [..., K] to codes i8 [..., K] and scales f32 [...]
//   QGemmReal  such codes, weights as QGemm's [N, K], the rows' scales; weight scales f32
//              [N / 32][blocks][32] (panel by panel; N and K as packed, padding 0), their zero
//              points, u8, alike (absent: 0), bias f32 [N]. block_size: k of one scale; blocks =
//              ceil(K padded to 64 / block_size). y f32 [..., N]. Annotated: weights f32 on a grid,
//              which holds scales and zero points.
//   AveragePool, GlobalAveragePool on codes: x_zero, the code of padded taps. Pad on codes: its
//   value is a code. MaxPool: padding never wins.

/// One input of a node as shape inference sees it. `data` is the value where it is known
/// (constants, and shape arithmetic that has been evaluated), else null. `dtype` and `shape` are
/// always there; dimensions may be kUnknownDim.
struct ShapeInput {
  bool present = true;
  DType dtype = DType::kF32;
  Shape shape;
  const void* data = nullptr;
};

struct ShapeOutput {
  DType dtype = DType::kF32;
  Shape shape;
};

/// Shapes and element types of a node's outputs. The one definition of what an op accepts and
/// returns, used by the importer, the .nbl reader and the runtime. `outputs` arrives with one entry
/// per output of the node. Errors state what the op expects; the caller adds file and node. When a
/// needed value is not known, output dimensions become kUnknownDim if the rank is known, otherwise
/// kUnsupported with the message "needs the value of input <i>".
Status infer_shapes(Op op, const Attributes& attributes, std::span<const ShapeInput> inputs,
                    std::span<ShapeOutput> outputs);

}  // namespace nibble::model
