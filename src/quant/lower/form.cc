#include "quant/lower/form.h"

#include <algorithm>

#include "deploy/numeric/row_blocks.h"
#include "quant/lower/layout.h"

namespace nibble::lower {
namespace {

using graph::Attr;
using graph::Graph;
using graph::kNoValue;
using graph::Node;
using graph::Op;
using graph::ValueId;
using numeric::Granularity;
using numeric::QuantParams;

constexpr int kWeightBits = 8;

Verdict stays_float(std::string why) {
  return {Form::kFloat, std::move(why)};
}

std::string quoted(const Graph& g, ValueId id) {
  return "'" + g.value(id).name + "'";
}

/// Empty when `id` has one grid a tensor, else why not.
std::string missing_grid(const Graph& g, ValueId id) {
  if (tensor_grid(g, id)) return {};
  if (!g.value(id).quant) return quoted(g, id) + " is not quantised";
  return quoted(g, id) + " has more than one scale";
}

/// `form` if all outputs have a grid. Asked last: once grids are explicit no island has one, and
/// the reason must be the same as before.
Verdict with_output(const Graph& g, const Node& node, Form form) {
  for (ValueId id : node.outputs)
    if (id != kNoValue)
      if (std::string why = missing_grid(g, id); !why.empty()) return stays_float(std::move(why));
  return {form, {}};
}

/// Sums and products of two tensors have no binary result.
Verdict with_wide_output(const Graph& g, const Node& node, Form form) {
  const auto& quant = g.value(node.outputs[0]).quant;
  if (quant && is_binary(quant->params))
    return stays_float(quoted(g, node.outputs[0]) + " is binary");
  return with_output(g, node, form);
}

/// A bias is constant and one number a channel: any shape whose last dimension alone counts.
bool is_channel_bias(const Graph& g, ValueId id, int64_t channels) {
  if (id == kNoValue) return true;
  const graph::Value& v = g.value(id);
  if (!v.constant || v.dtype != DType::kF32) return false;
  return v.constant->size() == 1 ||
         (v.constant->size() == channels && v.shape[v.shape.rank() - 1] == channels);
}

/// The axis of the weights that counts output channels.
int channel_axis(const Node& node, int rank) {
  if (node.op == Op::kConv) return 0;
  if (node.op == Op::kGemm) return node.attributes.get_int(Attr::transB, 0) ? 0 : 1;
  return rank - 1;
}

/// Empty when the weights of a Conv, Gemm or MatMul are integers, one axis of scales the output
/// channels, else why not.
std::string unfit_weights(const Graph& g, const Node& node) {
  const graph::Value& w = g.value(node.inputs[1]);
  const int rank = w.shape.rank();
  if (!w.quant) return "its weights are not quantised";
  const QuantParams& grid = w.quant->params;
  if (grid.bits > kWeightBits) return "its weights have more than 8 bits";
  if (node.op != Op::kConv && rank != 2)
    return "its weights have rank " + std::to_string(rank) + ", expected 2";
  if (grid.granularity != Granularity::kTensor && grid.axis != channel_axis(node, rank))
    return "its weights have scales along axis " + std::to_string(grid.axis) +
           ", expected the output channels";
  return {};
}

/// Empty when x W + bias is all that the node computes, else why not.
std::string unfit_product(const Graph& g, const Node& node) {
  const Shape& w = g.value(node.inputs[1]).shape;
  if (node.op == Op::kGemm) {
    if (node.attributes.get_int(Attr::transA, 0)) return "operand A is transposed";
    const bool has_bias = node.inputs.size() > 2 && node.inputs[2] != kNoValue;
    if (node.attributes.get_float(Attr::alpha, 1.0f) != 1.0f ||
        (has_bias && node.attributes.get_float(Attr::beta, 1.0f) != 1.0f))
      return "alpha or beta is not 1";
  }
  if (g.value(node.inputs[0]).shape.rank() < 2) return "its input has one axis";
  if (node.inputs.size() > 2 &&
      !is_channel_bias(g, node.inputs[2], w[channel_axis(node, w.rank())]))
    return "its bias is not one constant a channel";
  return {};
}

Verdict weighted(const Graph& g, const Node& node) {
  if (std::string why = unfit_weights(g, node); !why.empty()) return stays_float(std::move(why));
  if (g.value(node.inputs[1]).quant->params.granularity == Granularity::kBlock)
    return stays_float("its weights have block scales");
  if (std::string why = missing_grid(g, node.inputs[0]); !why.empty())
    return stays_float(std::move(why));
  if (std::string why = unfit_product(g, node); !why.empty()) return stays_float(std::move(why));
  return with_output(g, node, Form::kWeighted);
}

/// A convolution that is a product of every pixel, channels last.
bool is_pointwise(const Node& node, const Shape& weights) {
  const auto all = [&](Attr key, int64_t value) {
    const auto ints = node.attributes.get_ints(key);
    return std::all_of(ints.begin(), ints.end(), [&](int64_t i) { return i == value; });
  };
  const std::string_view pad = node.attributes.get_string(Attr::auto_pad, "NOTSET");
  return weights.size(1, weights.rank() - 1) == 1 && all(Attr::strides, 1) && all(Attr::pads, 0) &&
         (pad == "NOTSET" || pad == "VALID") && node.attributes.get_int(Attr::group, 1) == 1;
}

Verdict dynamic(const Graph& g, const Node& node) {
  if (!g.is_constant(node.inputs[1])) return stays_float("its weights are not constant");
  if (std::string why = unfit_weights(g, node); !why.empty()) return stays_float(std::move(why));
  if (std::string why = unfit_product(g, node); !why.empty()) return stays_float(std::move(why));
  const graph::Value& w = g.value(node.inputs[1]);
  const QuantParams& grid = w.quant->params;
  if (node.op == Op::kConv && !is_pointwise(node, w.shape))
    return stays_float("only 1x1 convolutions take codes with a scale a row");
  if (w.shape.size() == 0) return stays_float("its weights are empty");
  const int64_t k = w.shape.size() / w.shape[channel_axis(node, w.shape.rank())];
  const bool blocks = grid.granularity == Granularity::kBlock;
  if (blocks && grid.group < k && !numeric::is_row_block(grid.group))
    return stays_float("its scales are by blocks of " + std::to_string(grid.group) + ", expected " +
                       std::string(numeric::kRowBlocks));
  if ((blocks ? std::min(grid.group, k) : k) > numeric::kLongestRowBlock)
    return stays_float("its sums could exceed 32 bits");
  return {Form::kDynamic, {}};
}

Verdict weighted_or_dynamic(const Graph& g, const Node& node) {
  return node.attributes.get_int(Attr::dynamic, 0) != 0 ? dynamic(g, node) : weighted(g, node);
}

Verdict matmul(const Graph& g, const Node& node) {
  for (ValueId id : {node.inputs[0], node.inputs[1]})
    if (std::string why = missing_grid(g, id); !why.empty()) return stays_float(std::move(why));
  const Shape& a = g.value(node.inputs[0]).shape;
  if (a.rank() < 2 || g.value(node.inputs[1]).shape.rank() < 2)
    return stays_float("an operand has one axis");
  const int64_t k = a[a.rank() - 1];
  if (k == kUnknownDim) return stays_float("the length of its sums is not known");
  const int64_t product =
      largest_code(*tensor_grid(g, node.inputs[0])) * largest_code(*tensor_grid(g, node.inputs[1]));
  if (product > INT32_MAX / std::max<int64_t>(k, 1))
    return stays_float("its sums could exceed 32 bits");
  return with_wide_output(g, node, Form::kMatMul);
}

Verdict elementwise(const Graph& g, const Node& node) {
  for (ValueId id : {node.inputs[0], node.inputs[1]})
    if (std::string why = missing_grid(g, id); !why.empty()) return stays_float(std::move(why));
  const QuantParams& a = *tensor_grid(g, node.inputs[0]);
  const QuantParams& b = *tensor_grid(g, node.inputs[1]);
  if (node.op == Op::kMul && largest_code(a) * largest_code(b) > INT32_MAX)
    return stays_float("its products could exceed 32 bits");
  return with_wide_output(g, node, Form::kElementwise);
}

/// Codes in, codes out on the grid of input 0 (explicit_grids makes the grids equal).
Verdict keeps_grid(const Graph& g, const Node& node, Form form) {
  if (g.is_constant(node.inputs[0])) return stays_float("its input is constant");
  if (std::string why = missing_grid(g, node.inputs[0]); !why.empty())
    return stays_float(std::move(why));
  if (form == Form::kAverage && is_binary(*tensor_grid(g, node.inputs[0])))
    return stays_float("the mean of codes -1 and +1 is none of them");
  if (node.op == Op::kMaxPool && node.outputs.size() > 1 && node.outputs[1] != kNoValue)
    return stays_float("it returns indices");
  if (node.op == Op::kPad && node.inputs.size() > 2 && node.inputs[2] != kNoValue &&
      !scalar_of(g, node.inputs[2]))
    return stays_float("its padding value is not constant");
  if (node.op == Op::kResize && (node.attributes.get_string(Attr::mode, "nearest") != "nearest" ||
                                 node.attributes.get_string(Attr::coordinate_transformation_mode,
                                                            "") == "tf_crop_and_resize"))
    return stays_float("interpolation has no integer kernel");
  return with_output(g, node, form);
}

Verdict global_mean(const Graph& g, const Node& node) {
  Verdict verdict = keeps_grid(g, node, Form::kAverage);
  if (verdict.form != Form::kAverage) return verdict;
  const QuantParams& x = *tensor_grid(g, node.inputs[0]);
  const QuantParams& y = *tensor_grid(g, node.outputs[0]);
  const bool one_container = (x.bits <= 8) == (y.bits <= 8);
  if (!same_grid(x, y) && one_container && positions_of(g, node) > 0)
    verdict.form = Form::kGlobalMean;
  return verdict;
}

Verdict clamp(const Graph& g, const Node& node) {
  if (std::string why = missing_grid(g, node.inputs[0]); !why.empty())
    return stays_float(std::move(why));
  if (!clamp_bounds(g, node)) return stays_float("a bound is not constant");
  return with_output(g, node, Form::kClamp);
}

/// Real numbers may go to any grid, codes from one scale to another.
Verdict requantize(const Graph& g, const Node& node) {
  if (!g.value(node.outputs[0]).quant)
    return stays_float(quoted(g, node.outputs[0]) + " is not quantised");
  if (!g.value(node.inputs[0]).quant) return {Form::kRequantize, {}};
  for (ValueId id : {node.inputs[0], node.outputs[0]})
    if (std::string why = missing_grid(g, id); !why.empty()) return stays_float(std::move(why));
  return {Form::kRequantize, {}};
}

bool touches_reals(const Graph& g, const Node& node) {
  const auto is_real = [&](ValueId id) {
    return id != kNoValue && g.value(id).dtype == DType::kF32;
  };
  return std::any_of(node.inputs.begin(), node.inputs.end(), is_real) ||
         std::any_of(node.outputs.begin(), node.outputs.end(), is_real);
}

}  // namespace

const QuantParams* tensor_grid(const Graph& graph, ValueId id) {
  const auto& quant = graph.value(id).quant;
  return quant && quant->params.granularity == Granularity::kTensor &&
                 quant->params.bits <= numeric::kMaxBits
             ? &quant->params
             : nullptr;
}

bool same_grid(const QuantParams& a, const QuantParams& b) {
  return a.grid == b.grid && a.qmin == b.qmin && a.qmax == b.qmax && a.scales[0] == b.scales[0] &&
         a.zero_point(0) == b.zero_point(0);
}

bool is_binary(const QuantParams& p) {
  return p.grid == numeric::GridId::kBinary;
}

int64_t largest_code(const QuantParams& p) {
  const int64_t z = p.zero_point(0);
  return std::max(std::abs(p.qmin - z), std::abs(p.qmax - z));
}

int64_t positions_of(const Graph& graph, const Node& node) {
  const Shape& x = graph.value(node.inputs[0]).shape;
  int64_t positions = 1;
  for (int d = 1; d < x.rank() - 1; ++d) {
    if (x[d] == kUnknownDim) return kUnknownDim;
    positions *= x[d];
  }
  return positions;
}

std::optional<float> scalar_of(const Graph& graph, ValueId id) {
  if (!graph.is_constant(id)) return std::nullopt;
  const Tensor& tensor = *graph.value(id).constant;
  if (tensor.dtype() != DType::kF32 || tensor.size() != 1) return std::nullopt;
  return tensor.span<float>()[0];
}

std::optional<Bounds> clamp_bounds(const Graph& graph, const Node& node) {
  if (node.op == Op::kRelu) return Bounds{0.0f, std::nullopt};
  Bounds bounds;
  for (size_t i = 1; i < node.inputs.size(); ++i) {
    if (node.inputs[i] == kNoValue) continue;
    const std::optional<float> bound = scalar_of(graph, node.inputs[i]);
    if (!bound) return std::nullopt;
    (i == 1 ? bounds.lo : bounds.hi) = bound;
  }
  return bounds;
}

RealWeights real_weights(const Graph& graph, const Node& node) {
  const graph::Value& w = graph.value(node.inputs[1]);
  const int axis = channel_axis(node, w.shape.rank());
  const int64_t n = w.shape[axis], k = w.shape.size() / n;
  const Axes order = node.op != Op::kConv && axis == 1 ? Axes{1, 0} : logical(w.shape.rank());
  RealWeights result{permute(*w.constant, order), permute(w.quant->params, order),
                     (k + 63) / 64 * 64};
  result.values.reshape({n, k});
  QuantParams& grid = result.grid;
  if (grid.granularity == Granularity::kBlock) {
    grid.block_axis = 1;
    if (grid.group < k) result.block = grid.group;
  }
  return result;
}

Verdict verdict_of(const Graph& g, const Node& node) {
  if (!touches_reals(g, node)) return {Form::kBookkeeping, {}};
  switch (node.op) {
    case Op::kConv:
      return weighted_or_dynamic(g, node);
    case Op::kGemm:
      if (!g.is_constant(node.inputs[1]))
        return stays_float("a product of two activations by Gemm");
      return weighted_or_dynamic(g, node);
    case Op::kMatMul:
      return g.is_constant(node.inputs[1]) ? weighted_or_dynamic(g, node) : matmul(g, node);
    case Op::kAdd:
    case Op::kMul:
      return elementwise(g, node);
    case Op::kRequantize:
      return requantize(g, node);
    case Op::kDynamicQuantize:
      return {Form::kRows, {}};
    case Op::kQGemmReal:
      return {Form::kRealProduct, {}};
    case Op::kRelu:
    case Op::kClip:
      return clamp(g, node);
    case Op::kConcat:
      if (std::string why = missing_grid(g, node.outputs[0]); !why.empty())
        return stays_float(std::move(why));
      return {Form::kConcat, {}};
    case Op::kGlobalAveragePool:
      return global_mean(g, node);
    case Op::kAveragePool:
      return keeps_grid(g, node, Form::kAverage);
    case Op::kMaxPool:
    case Op::kGlobalMaxPool:
    case Op::kSplit:
    case Op::kSlice:
    case Op::kGather:
    case Op::kReshape:
    case Op::kTranspose:
    case Op::kSqueeze:
    case Op::kUnsqueeze:
    case Op::kFlatten:
    case Op::kPad:
    case Op::kResize:
    case Op::kDepthToSpace:
    case Op::kSpaceToDepth:
    case Op::kExpand:
    case Op::kTile:
    case Op::kIdentity:
      return keeps_grid(g, node, Form::kMove);
    case Op::kShape:
    case Op::kSize:
      return {Form::kBookkeeping, {}};
    // Islands, and ops of graphs that are lowered already.
    case Op::kConvTranspose:
    case Op::kSub:
    case Op::kDiv:
    case Op::kPow:
    case Op::kMod:
    case Op::kMin:
    case Op::kMax:
    case Op::kEqual:
    case Op::kLess:
    case Op::kLessOrEqual:
    case Op::kGreater:
    case Op::kGreaterOrEqual:
    case Op::kAnd:
    case Op::kOr:
    case Op::kXor:
    case Op::kWhere:
    case Op::kPRelu:
    case Op::kNot:
    case Op::kNeg:
    case Op::kAbs:
    case Op::kSign:
    case Op::kFloor:
    case Op::kCeil:
    case Op::kRound:
    case Op::kSqrt:
    case Op::kReciprocal:
    case Op::kExp:
    case Op::kLog:
    case Op::kSin:
    case Op::kCos:
    case Op::kErf:
    case Op::kLeakyRelu:
    case Op::kElu:
    case Op::kSigmoid:
    case Op::kTanh:
    case Op::kHardSwish:
    case Op::kHardSigmoid:
    case Op::kGelu:
    case Op::kSoftplus:
    case Op::kSwish:
    case Op::kBatchNormalization:
    case Op::kLayerNormalization:
    case Op::kInstanceNormalization:
    case Op::kSoftmax:
    case Op::kLogSoftmax:
    case Op::kReduceMean:
    case Op::kReduceSum:
    case Op::kReduceMax:
    case Op::kReduceMin:
    case Op::kReduceProd:
    case Op::kArgMax:
    case Op::kArgMin:
    case Op::kCast:
    case Op::kConstantOfShape:
    case Op::kRange:
    case Op::kQuantizeLinear:
    case Op::kDequantizeLinear:
    case Op::kQConv:
    case Op::kQGemm:
    case Op::kQMatMul:
    case Op::kQAdd:
    case Op::kQMul:
      return stays_float(std::string(model::name_of(node.op)) + " has no integer kernel");
  }
  __builtin_unreachable();
}

}  // namespace nibble::lower
