#include "quant/importer/rules.h"

#include <map>

namespace nibble::importer {
namespace {

using Rules = std::map<std::string_view, Rule>;

void add_weighted(Rules& rules) {
  const std::vector<Attr> window = {Attr::auto_pad,     Attr::dilations, Attr::group,
                                    Attr::kernel_shape, Attr::pads,      Attr::strides};
  rules["Conv"] = {Op::kConv, window};
  auto transposed = window;
  transposed.insert(transposed.end(), {Attr::output_padding, Attr::output_shape});
  rules["ConvTranspose"] = {Op::kConvTranspose, transposed};
  rules["Gemm"] = {Op::kGemm, {Attr::alpha, Attr::beta, Attr::transA, Attr::transB}};
  rules["MatMul"] = {Op::kMatMul, {}};
}

void add_elementwise(Rules& rules) {
  for (const Op op : {Op::kAdd,          Op::kSub,
                      Op::kMul,          Op::kDiv,
                      Op::kPow,          Op::kMin,
                      Op::kMax,          Op::kEqual,
                      Op::kLess,         Op::kLessOrEqual,
                      Op::kAnd,          Op::kGreater,
                      Op::kOr,           Op::kGreaterOrEqual,
                      Op::kXor,          Op::kWhere,
                      Op::kPRelu,        Op::kNot,
                      Op::kNeg,          Op::kAbs,
                      Op::kSign,         Op::kFloor,
                      Op::kCeil,         Op::kRound,
                      Op::kSqrt,         Op::kExp,
                      Op::kReciprocal,   Op::kLog,
                      Op::kSin,          Op::kCos,
                      Op::kErf,          Op::kRelu,
                      Op::kSigmoid,      Op::kTanh,
                      Op::kHardSwish,    Op::kSize,
                      Op::kSoftplus,     Op::kRange,
                      Op::kExpand,       Op::kTile,
                      Op::kIdentity,     Op::kGlobalAveragePool,
                      Op::kGlobalMaxPool})
    rules[model::name_of(op)] = {op, {}};
  rules["Mod"] = {Op::kMod, {Attr::fmod}};
  for (const Op op : {Op::kLeakyRelu, Op::kElu, Op::kSwish})
    rules[model::name_of(op)] = {op, {Attr::alpha}};
  rules["Clip"] = {Op::kClip, {}, {}, adapt_clip};
  rules["HardSigmoid"] = {Op::kHardSigmoid, {Attr::alpha, Attr::beta}};
  rules["Gelu"] = {Op::kGelu, {Attr::approximate}};
  rules["Cast"] = {Op::kCast, {}, {"saturate", "round_mode"}, adapt_cast};
  rules["Dropout"] = {Op::kIdentity, {}, {"ratio", "seed"}, adapt_dropout};
  rules["Sum"] = {Op::kAdd, {}, {}, adapt_sum};
}

void add_normalisation(Rules& rules) {
  rules["BatchNormalization"] = {
      Op::kBatchNormalization, {Attr::epsilon}, {"momentum"}, adapt_batch_normalization};
  rules["LayerNormalization"] = {
      Op::kLayerNormalization, {Attr::axis, Attr::epsilon}, {}, adapt_layer_normalization};
  rules["InstanceNormalization"] = {Op::kInstanceNormalization, {Attr::epsilon}};
  for (const Op op : {Op::kSoftmax, Op::kLogSoftmax})
    rules[model::name_of(op)] = {op, {Attr::axis}, {}, adapt_softmax};
  for (const Op op :
       {Op::kReduceMean, Op::kReduceSum, Op::kReduceMax, Op::kReduceMin, Op::kReduceProd})
    rules[model::name_of(op)] = {
        op, {Attr::keepdims, Attr::noop_with_empty_axes}, {}, adapt_axes_input};
  for (const Op op : {Op::kArgMax, Op::kArgMin})
    rules[model::name_of(op)] = {op, {Attr::axis, Attr::keepdims, Attr::select_last_index}};
}

void add_pools(Rules& rules) {
  rules["MaxPool"] = {Op::kMaxPool,
                      {Attr::auto_pad, Attr::ceil_mode, Attr::dilations, Attr::kernel_shape,
                       Attr::pads, Attr::storage_order, Attr::strides}};
  rules["AveragePool"] = {Op::kAveragePool,
                          {Attr::auto_pad, Attr::ceil_mode, Attr::count_include_pad,
                           Attr::dilations, Attr::kernel_shape, Attr::pads, Attr::strides}};
}

void add_movement(Rules& rules) {
  rules["Concat"] = {Op::kConcat, {Attr::axis}};
  rules["Split"] = {Op::kSplit, {Attr::axis, Attr::num_outputs}, {}, adapt_split};
  rules["Slice"] = {Op::kSlice, {}, {}, adapt_slice};
  rules["Gather"] = {Op::kGather, {Attr::axis}};
  rules["Reshape"] = {Op::kReshape, {Attr::allowzero}};
  rules["Transpose"] = {Op::kTranspose, {Attr::perm}};
  rules["Squeeze"] = {Op::kSqueeze, {}, {}, adapt_axes_input};
  rules["Unsqueeze"] = {Op::kUnsqueeze, {}, {}, adapt_axes_input};
  rules["Flatten"] = {Op::kFlatten, {Attr::axis}};
  rules["Pad"] = {Op::kPad, {Attr::mode}, {}, adapt_pad};
  rules["Resize"] = {Op::kResize,
                     {Attr::antialias, Attr::axes, Attr::coordinate_transformation_mode,
                      Attr::cubic_coeff_a, Attr::exclude_outside, Attr::extrapolation_value,
                      Attr::keep_aspect_ratio_policy, Attr::mode, Attr::nearest_mode},
                     {},
                     adapt_resize};
  rules["Upsample"] = {Op::kResize, {Attr::mode}, {}, adapt_upsample};
  rules["DepthToSpace"] = {Op::kDepthToSpace, {Attr::blocksize, Attr::mode}};
  rules["SpaceToDepth"] = {Op::kSpaceToDepth, {Attr::blocksize}};
  rules["Shape"] = {Op::kShape, {Attr::start, Attr::end}};
  rules["ConstantOfShape"] = {Op::kConstantOfShape, {}, {}, adapt_constant_of_shape};
}

void add_quantisation(Rules& rules) {
  rules["QuantizeLinear"] = {Op::kQuantizeLinear,
                             {Attr::axis, Attr::block_size},
                             {"saturate", "precision"},
                             adapt_quantize_linear};
  rules["DequantizeLinear"] = {
      Op::kDequantizeLinear, {Attr::axis, Attr::block_size}, {}, adapt_dequantize_linear};
}

Rules all_rules() {
  Rules rules;
  add_weighted(rules);
  add_elementwise(rules);
  add_normalisation(rules);
  add_pools(rules);
  add_movement(rules);
  add_quantisation(rules);
  return rules;
}

}  // namespace

const Rule* find_rule(std::string_view domain, std::string_view op_type) {
  static const Rules rules = all_rules();
  // ONNX Runtime writes narrow Q/DQ types into its own domain when the opset has none; their
  // meaning is ONNX's.
  const bool known_domain =
      domain.empty() || domain == "ai.onnx" ||
      (domain == "com.microsoft" &&
       (op_type == "QuantizeLinear" || op_type == "DequantizeLinear" || op_type == "Gelu"));
  const auto it = rules.find(op_type);
  return known_domain && it != rules.end() ? &it->second : nullptr;
}

}  // namespace nibble::importer
