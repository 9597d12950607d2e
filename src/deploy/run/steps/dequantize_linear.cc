// DequantizeLinear: codes, dense or packed, to reals at any of ONNX's granularities.

#include <vector>

#include "deploy/run/step_factories.h"
#include "deploy/run/steps/code_arithmetic.h"
#include "deploy/run/steps/scale_runs.h"

namespace nibble::run {
namespace {

class DequantizeLinearStep : public Step {
 public:
  Status prepare(PrepareContext& context) override {
    const Operand& q = context.inputs[0];
    runs_ = ScaleRuns(context.node.attributes, q.shape, context.inputs[1].shape);
    kernels_ = &kernels::code_kernels(context.isa);
    unpack(*q.info);
    const int index = kernels::wide_container(packed_ ? DType::kU8 : q.dtype);
    kernel_ = index < 0 ? nullptr : kernels_->dequantize[index];
    return {};
  }

  void run(const RunContext& context) override {
    const Operand& q = context.inputs[0];
    const DType dtype = packed_ ? DType::kU8 : q.dtype;
    const std::byte* codes = packed_ ? codes_.data() : q.as<std::byte>();
    const float* scale = context.inputs[1].as<float>();
    const bool has_zero = context.inputs.size() > 2 && context.inputs[2].present();
    const std::byte* zero = has_zero ? context.inputs[2].as<std::byte>() : nullptr;
    const auto bytes = static_cast<int64_t>(size_of(q.dtype));
    float* y = context.outputs[0].as<float>();
    runs_.run(context.pool, [&](int64_t first, int64_t unit, int64_t n) {
      const std::byte* from = codes + first * bytes;
      const std::byte* z = zero ? zero + unit * bytes : nullptr;
      if (runs_.step() == 0 && kernel_) {
        kernel_(from, y + first, n, scale[unit], kernels::code_at(q.dtype, z, 0) + offset_);
      } else {
        kernels::dequantize_columns(dtype, from, y + first, n, scale + unit, runs_.step(), q.dtype,
                                    z, offset_);
      }
    });
  }

  std::string_view kernel() const override { return kernels_->name; }

 private:
  // Packed codes become bytes q + offset once; the offset joins the zero point.
  void unpack(const model::TensorInfo& tensor) {
    packed_ = tensor.packed.format != format::FormatId::kPlain;
    offset_ = packed_ ? tensor.packed.offset : 0;
    if (!packed_ || codes_.size() > 0) return;
    codes_ = Buffer(static_cast<size_t>(format::code_count(tensor.packed)));
    const std::span codes(reinterpret_cast<uint8_t*>(codes_.data()), codes_.size());
    format::unpack_to_rows(tensor.packed, tensor.data.data(), codes);
    for (uint8_t& u : codes) u = static_cast<uint8_t>(u * tensor.packed.spacing);
  }

  ScaleRuns runs_;
  bool packed_ = false;
  int32_t offset_ = 0;
  Buffer codes_;
  const kernels::CodeKernels* kernels_ = nullptr;
  kernels::DequantizeKernel* kernel_ = nullptr;
};

}  // namespace

std::unique_ptr<Step> dequantize_linear_step(const model::Model& model,
                                             const model::NodeInfo& node) {
  const auto dtype = [&](int tensor) { return model.tensors[static_cast<size_t>(tensor)].dtype; };
  const DType q = dtype(node.inputs[0]);
  if ((kernels::wide_container(q) < 0 && q != DType::kI32) || dtype(node.inputs[1]) != DType::kF32)
    return nullptr;
  return std::make_unique<DequantizeLinearStep>();
}

}  // namespace nibble::run
