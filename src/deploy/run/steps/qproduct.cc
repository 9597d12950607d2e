#include "deploy/run/steps/qproduct.h"

#include <string>

#include "deploy/kernels/depthwise/runs.h"
#include "deploy/run/step_factories.h"
#include "deploy/run/steps/conv_windows.h"

namespace nibble::run {
namespace {

DType dtype_of(const model::Model& model, int tensor) {
  return model.tensors[static_cast<size_t>(tensor)].dtype;
}

bool is_signed_container(DType dtype) {
  return dtype == DType::kI8 || dtype == DType::kI16;
}

}  // namespace

Result<kernels::Windows> qproduct_windows(const PrepareContext& context) {
  const Operand &x = context.inputs[0], &weights = context.inputs[1];
  kernels::Windows w;
  if (context.node.op == model::Op::kQConv) {
    auto windows = conv_windows(context);
    if (!windows.ok()) return windows;
    w = windows.value();
  } else {
    w.in[2] = w.out[2] = x.shape.size(0, x.shape.rank() - 1);
    w.channels = weights.shape[1];
  }
  const format::PackedRecord& r = weights.info->packed;
  const bool depthwise = r.format == format::FormatId::kDepthwise;
  const int64_t joined = joins_taps(r, w) ? w.kernel[2] : 1;
  const bool channels_fit = depthwise ? r.n == w.groups && w.channels == 1
                                      : r.groups == w.groups && r.c == joined * w.channels;
  if (!channels_fit || r.groups * r.n != weights.shape[0] || r.kh * r.kw * joined != w.taps() ||
      r.kw * joined != w.kernel[2])
    return invalid_argument("expects weights packed as " + std::to_string(w.groups) +
                            " groups of " + to_string(weights.shape) + ", found " +
                            std::to_string(r.groups) + " x " + std::to_string(r.n) + "x" +
                            std::to_string(r.kh) + "x" + std::to_string(r.kw) + "x" +
                            std::to_string(r.c));
  return w;
}

std::vector<uint8_t> unpacked_codes(const Operand& weights) {
  const format::PackedRecord& record = weights.info->packed;
  std::vector<uint8_t> codes(static_cast<size_t>(format::code_count(record)));
  format::unpack_to_rows(record, weights.as<const std::byte>(), codes);
  return codes;
}

int8_t padding_code(const PrepareContext& context) {
  return static_cast<int8_t>(context.node.attributes.get_int(model::Attr::x_zero, 0));
}

std::unique_ptr<Step> make_qproduct(const model::Model& model, const model::NodeInfo& node) {
  const DType x = dtype_of(model, node.inputs[0]), y = dtype_of(model, node.outputs[0]);
  if (!is_signed_container(x) || !is_signed_container(y)) return nullptr;
  const model::TensorInfo& weights = model.tensors[static_cast<size_t>(node.inputs[1])];
  if (weights.packed.format == format::FormatId::kPlain || !weights.is_constant) return nullptr;
  const bool has_residual = node.inputs.size() > 6 && node.inputs[6] != model::kNoTensor;
  const bool grouped = node.attributes.get_int(model::Attr::group, 1) != 1;
  if (has_residual && (grouped || x != DType::kI8 || y != DType::kI8 ||
                       weights.packed.format == format::FormatId::kDepthwise))
    return nullptr;  // their output stages know none
  const bool wide = x != DType::kI8 || y != DType::kI8;
  if (wide && weights.packed.format != format::FormatId::kDepthwise) return make_qproduct_wide();
  if (wide) return make_qproduct_any();
  if (weights.packed.format == format::FormatId::kDepthwise)
    return weights.packed.kh * weights.packed.kw < kernels::kMaxDepthwiseTaps ? make_qdepthwise_s8()
                                                                              : make_qproduct_any();
  return make_qproduct_s8();
}

}  // namespace nibble::run
