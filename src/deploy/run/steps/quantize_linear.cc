// QuantizeLinear: reals (binary32, or int32 converted to it) to codes, at any of ONNX's
// granularities. y_min and y_max bound codes that are narrower than their container. Under `binary`
// the codes are the signs of the reals.

#include <string>

#include "deploy/kernels/requantise/signs.h"
#include "deploy/run/step_factories.h"
#include "deploy/run/steps/code_arithmetic.h"
#include "deploy/run/steps/scale_runs.h"

namespace nibble::run {
namespace {

using model::Attr;

class QuantizeLinearStep : public Step {
 public:
  Status prepare(PrepareContext& context) override {
    const model::Attributes& attributes = context.node.attributes;
    dtype_ = context.outputs[0].dtype;
    const CodeBounds bounds = container_bounds(dtype_);
    const int64_t lo = attributes.get_int(Attr::y_min, bounds.lo);
    const int64_t hi = attributes.get_int(Attr::y_max, bounds.hi);
    if (lo < bounds.lo || hi > bounds.hi || lo > hi)
      return invalid_argument("codes " + std::to_string(lo) + " to " + std::to_string(hi) +
                              ", expected bounds within " + std::to_string(bounds.lo) + " to " +
                              std::to_string(bounds.hi));
    lo_ = static_cast<int32_t>(lo);
    hi_ = static_cast<int32_t>(hi);
    binary_ = attributes.get_int(Attr::binary, 0) != 0;
    if (binary_ && (dtype_ != DType::kI8 || lo != -1 || hi != 1))
      return invalid_argument("binary codes of " + std::string(name_of(dtype_)) + " " +
                              std::to_string(lo) + " to " + std::to_string(hi) +
                              ", expected i8, -1 to 1");
    runs_ = ScaleRuns(attributes, context.inputs[0].shape, context.inputs[1].shape);
    kernels_ = &kernels::code_kernels(context.isa);
    kernel_ = kernels_->quantize[kernels::wide_container(dtype_)];
    return {};
  }

  void run(const RunContext& context) override {
    const Operand& x = context.inputs[0];
    const float* scale = context.inputs[1].as<float>();
    const bool has_zero = context.inputs.size() > 2 && context.inputs[2].present();
    const std::byte* zero = has_zero ? context.inputs[2].as<std::byte>() : nullptr;
    std::byte* y = context.outputs[0].as<std::byte>();
    const auto bytes = static_cast<int64_t>(size_of(dtype_));
    runs_.run(context.pool, [&](int64_t first, int64_t unit, int64_t n) {
      const std::byte* z = zero ? zero + unit * bytes : nullptr;
      if (x.dtype == DType::kF32)
        quantize(x.as<float>() + first, y + first * bytes, n, scale + unit, z);
      else
        quantize(x.as<int32_t>() + first, y + first * bytes, n, scale + unit, z);
    });
  }

  std::string_view kernel() const override { return kernels_->name; }

 private:
  void quantize(const float* x, std::byte* y, int64_t n, const float* scale,
                const std::byte* zero) const {
    if (binary_) return kernels::signs_of_reals(x, reinterpret_cast<int8_t*>(y), n);
    if (runs_.step() == 1) return kernels::quantize_columns(x, dtype_, y, n, scale, zero, lo_, hi_);
    kernel_(x, y, n, *scale, {kernels::code_at(dtype_, zero, 0), lo_, hi_});
  }

  void quantize(const int32_t* x, std::byte* y, int64_t n, const float* scale,
                const std::byte* zero) const {
    constexpr int64_t kChunk = 256;
    const auto bytes = static_cast<int64_t>(size_of(dtype_));
    float reals[kChunk];
    for (int64_t i = 0; i < n; i += kChunk) {
      const int64_t count = std::min(kChunk, n - i);
      for (int64_t j = 0; j < count; ++j) reals[j] = static_cast<float>(x[i + j]);
      const int64_t unit = i * runs_.step();
      quantize(reals, y + i * bytes, count, scale + unit, zero ? zero + unit * bytes : nullptr);
    }
  }

  DType dtype_ = DType::kI8;
  int32_t lo_ = 0, hi_ = 0;
  bool binary_ = false;
  ScaleRuns runs_;
  const kernels::CodeKernels* kernels_ = nullptr;
  kernels::QuantizeKernel* kernel_ = nullptr;
};

}  // namespace

std::unique_ptr<Step> quantize_linear_step(const model::Model& model, const model::NodeInfo& node) {
  const auto dtype = [&](int tensor) { return model.tensors[static_cast<size_t>(tensor)].dtype; };
  const DType x = dtype(node.inputs[0]);
  if ((x != DType::kF32 && x != DType::kI32) || dtype(node.inputs[1]) != DType::kF32 ||
      kernels::wide_container(dtype(node.outputs[0])) < 0)
    return nullptr;
  return std::make_unique<QuantizeLinearStep>();
}

}  // namespace nibble::run
