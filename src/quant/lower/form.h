#pragma once

#include <optional>
#include <string>

#include "quant/graph/graph.h"

namespace nibble::lower {

/// How a node of an annotated graph runs in the integer graph.
enum class Form {
  kWeighted,     // QConv, QGemm
  kDynamic,      // reals by constant weights: DynamicQuantize and QGemmReal (explicit_grids)
  kRows,         // DynamicQuantize
  kRealProduct,  // QGemmReal
  kElementwise,  // QAdd, QMul
  kMatMul,       // QMatMul
  kRequantize,   // codes to another grid
  kClamp,        // Relu, Clip of codes: a Requantize with bounds
  kConcat,       // codes, after every operand is brought to the result's grid
  kMove,         // codes keep their grid: shape ops, MaxPool, Pad
  kAverage,      // codes keep their grid: AveragePool, GlobalAveragePool
  kGlobalMean,   // GlobalAveragePool onto a grid of its own
  kBookkeeping,  // no real arithmetic: Shape, integer and boolean tensors
  kFloat         // island
};

struct Verdict {
  Form form;
  std::string why;  // kFloat: the reason in words
};

/// What numbers a constant operand may add: weights, bias and bounds as well as grids decide.
/// Expects channels_last(). Simulation and lowering both follow this one verdict.
Verdict verdict_of(const graph::Graph& graph, const graph::Node& node);

/// What a weighted op of form kDynamic multiplies: [N, K], row-major, and how many k share a scale
/// (K padded to a step of 64 where a channel has one).
struct RealWeights {
  Tensor values;
  numeric::QuantParams grid;
  int64_t block;
};
RealWeights real_weights(const graph::Graph& graph, const graph::Node& node);

/// The grid of a value when it has one scale and at most 16 bits; null otherwise.
const numeric::QuantParams* tensor_grid(const graph::Graph& graph, graph::ValueId id);
/// Whether codes of one are codes of the other. Both have one scale.
bool same_grid(const numeric::QuantParams& a, const numeric::QuantParams& b);
/// Whether its codes are -1 and +1.
bool is_binary(const numeric::QuantParams& params);
/// Positions that a GlobalAveragePool (channels last) averages; kUnknownDim where they depend on
/// the input.
int64_t positions_of(const graph::Graph& graph, const graph::Node& node);
/// The largest |q - z| of a code.
int64_t largest_code(const numeric::QuantParams& params);

/// The single number that a constant holds; empty for activations and longer constants.
std::optional<float> scalar_of(const graph::Graph& graph, graph::ValueId id);
/// Bounds of a Relu or Clip: {clip_min, clip_max}; nothing when a bound is not constant.
struct Bounds {
  std::optional<float> lo, hi;
};
std::optional<Bounds> clamp_bounds(const graph::Graph& graph, const graph::Node& node);

}  // namespace nibble::lower
