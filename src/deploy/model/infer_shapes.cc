#include "deploy/model/infer_shapes.h"

#include <string>

#include "deploy/model/infer.h"

namespace nibble::model {
namespace {

Status check_arity(const infer::Node& node) {
  const OpInfo& info = info_of(node.op);
  const auto count = static_cast<int>(node.inputs.size());
  if (count < info.min_inputs || (info.max_inputs >= 0 && count > info.max_inputs))
    return invalid_argument("expects " + std::to_string(info.min_inputs) +
                            (info.max_inputs < 0 ? " or more"
                             : info.max_inputs == info.min_inputs
                                 ? ""
                                 : " to " + std::to_string(info.max_inputs)) +
                            " inputs, found " + std::to_string(count));
  for (int i = 0; i < info.min_inputs; ++i)
    if (!node.inputs[static_cast<size_t>(i)].present)
      return invalid_argument("lacks input " + std::to_string(i));
  if (info.max_inputs < 0)
    for (const ShapeInput& input : node.inputs)
      if (!input.present) return invalid_argument("lacks one of its inputs");
  if (node.outputs.empty() ||
      (info.max_outputs >= 0 && static_cast<int>(node.outputs.size()) > info.max_outputs))
    return invalid_argument(
        "expects 1" +
        (info.max_outputs < 0 ? " or more" : " to " + std::to_string(info.max_outputs)) +
        " outputs, found " + std::to_string(node.outputs.size()));
  return {};
}

Status infer_node(const infer::Node& node) {
  switch (node.op) {
    case Op::kConv:
      return infer::conv(node);
    case Op::kConvTranspose:
      return infer::conv_transpose(node);
    case Op::kGemm:
      return infer::gemm(node);
    case Op::kMatMul:
      return infer::matmul(node);
    case Op::kAdd:
    case Op::kSub:
    case Op::kMul:
    case Op::kDiv:
    case Op::kMod:
    case Op::kMin:
    case Op::kMax:
      return infer::arithmetic(node);
    case Op::kPow:
      return infer::power(node);
    case Op::kEqual:
      return infer::equality(node);
    case Op::kLess:
    case Op::kLessOrEqual:
    case Op::kGreater:
    case Op::kGreaterOrEqual:
      return infer::comparison(node);
    case Op::kAnd:
    case Op::kOr:
    case Op::kXor:
      return infer::logical(node);
    case Op::kWhere:
      return infer::where(node);
    case Op::kPRelu:
      return infer::prelu(node);
    case Op::kNot:
      return infer::logical_not(node);
    case Op::kNeg:
    case Op::kAbs:
    case Op::kSign:
    case Op::kRelu:
    case Op::kErf:
      return infer::unary_numeric(node);
    case Op::kFloor:
    case Op::kCeil:
    case Op::kRound:
    case Op::kSqrt:
    case Op::kReciprocal:
    case Op::kExp:
    case Op::kLog:
    case Op::kSin:
    case Op::kCos:
    case Op::kLeakyRelu:
    case Op::kElu:
    case Op::kSigmoid:
    case Op::kTanh:
    case Op::kHardSwish:
    case Op::kHardSigmoid:
    case Op::kGelu:
    case Op::kSoftplus:
    case Op::kSwish:
      return infer::unary_float(node);
    case Op::kClip:
      return infer::clip(node);
    case Op::kBatchNormalization:
    case Op::kInstanceNormalization:
      return infer::normalise_channels(node);
    case Op::kLayerNormalization:
      return infer::layer_normalization(node);
    case Op::kSoftmax:
    case Op::kLogSoftmax:
      return infer::along_axis(node);
    case Op::kMaxPool:
    case Op::kAveragePool:
      return infer::pool(node);
    case Op::kGlobalAveragePool:
    case Op::kGlobalMaxPool:
      return infer::global_pool(node);
    case Op::kReduceMean:
    case Op::kReduceSum:
    case Op::kReduceMax:
    case Op::kReduceMin:
    case Op::kReduceProd:
      return infer::reduce(node);
    case Op::kArgMax:
    case Op::kArgMin:
      return infer::arg_reduce(node);
    case Op::kConcat:
      return infer::concat(node);
    case Op::kSplit:
      return infer::split(node);
    case Op::kSlice:
      return infer::slice(node);
    case Op::kGather:
      return infer::gather(node);
    case Op::kReshape:
      return infer::reshape(node);
    case Op::kTranspose:
      return infer::transpose(node);
    case Op::kSqueeze:
      return infer::squeeze(node);
    case Op::kUnsqueeze:
      return infer::unsqueeze(node);
    case Op::kFlatten:
      return infer::flatten(node);
    case Op::kPad:
      return infer::pad(node);
    case Op::kResize:
      return infer::resize(node);
    case Op::kDepthToSpace:
      return infer::depth_to_space(node);
    case Op::kSpaceToDepth:
      return infer::space_to_depth(node);
    case Op::kExpand:
      return infer::expand(node);
    case Op::kTile:
      return infer::tile(node);
    case Op::kCast:
      return infer::cast(node);
    case Op::kIdentity:
      return infer::same_as_input(node);
    case Op::kShape:
      return infer::shape_of(node);
    case Op::kSize:
      return infer::size_of_tensor(node);
    case Op::kConstantOfShape:
      return infer::constant_of_shape(node);
    case Op::kRange:
      return infer::range(node);
    case Op::kQuantizeLinear:
      return infer::quantize_linear(node);
    case Op::kDequantizeLinear:
      return infer::dequantize_linear(node);
    case Op::kRequantize:
      return infer::requantize(node);
    case Op::kQConv:
      return infer::qconv(node);
    case Op::kQGemm:
      return infer::qgemm(node);
    case Op::kQMatMul:
      return infer::qmatmul(node);
    case Op::kQAdd:
    case Op::kQMul:
      return infer::qelementwise(node);
    case Op::kDynamicQuantize:
      return infer::dynamic_quantize(node);
    case Op::kQGemmReal:
      return infer::qgemm_real(node);
  }
  return invalid_argument("is no op of this version");
}

}  // namespace

Status infer_shapes(Op op, const Attributes& attributes, std::span<const ShapeInput> inputs,
                    std::span<ShapeOutput> outputs) {
  const infer::Node node{op, attributes, inputs, outputs};
  Status status = check_arity(node);
  for (const ShapeInput& input : inputs)
    if (status.ok() && input.present) status = infer::check_size(input.shape);
  if (status.ok()) status = infer_node(node);
  if (status.ok()) return status;
  return {status.code(), std::string(name_of(op)) + " " + status.message()};
}

}  // namespace nibble::model
