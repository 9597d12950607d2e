// Pow. Operands of one type go straight to their kernel. Otherwise the exponent is brought to the
// base's type; an integer base with a real exponent is computed in binary32 and truncated. x^2 by a
// scalar constant is x * x.

#include <cmath>
#include <limits>
#include <memory>

#include "deploy/kernels/elementwise/typed.h"
#include "deploy/kernels/float/float.h"
#include "deploy/run/step_factories.h"
#include "deploy/run/steps/broadcast.h"
#include "deploy/run/steps/fused_clip.h"

namespace nibble::run {
namespace {

bool is_integer(DType dtype) {
  return dtype != DType::kF32 && dtype != DType::kF64;
}
bool computes(DType dtype) {
  return dtype != DType::kF16 && dtype != DType::kBF16 && dtype != DType::kBool;
}

/// Real to integer: truncated, saturated, NaN to 0; integer to integer: modulo.
template <class To, class From>
To convert(From x) {
  if constexpr (std::is_integral_v<To> && std::is_floating_point_v<From>) {
    if (std::isnan(x)) return 0;
    if (x <= static_cast<From>(std::numeric_limits<To>::min()))
      return std::numeric_limits<To>::min();
    if (x >= static_cast<From>(std::numeric_limits<To>::max()))
      return std::numeric_limits<To>::max();
  }
  return static_cast<To>(x);
}

void convert(DType from, const void* x, DType to, void* y, int64_t n) {
  visit_dtype(from, [&]<class From>(std::type_identity<From>) {
    visit_dtype(to, [&]<class To>(std::type_identity<To>) {
      for (int64_t i = 0; i < n; ++i)
        static_cast<To*>(y)[i] = convert<To>(static_cast<const From*>(x)[i]);
    });
  });
}

class PowStep : public Step {
 public:
  PowStep(DType base, DType exponent) : base_(base), exponent_(exponent) {
    compute_ = is_integer(base) && !is_integer(exponent) ? DType::kF32 : base;
  }

  Status prepare(PrepareContext& context) override {
    const Operand& exponent = context.inputs[1];
    squares_ = exponent.data != nullptr && exponent.shape.size() == 1 && compute_ == DType::kF32 &&
               exponent_ == DType::kF32 && *exponent.as<float>() == 2.0f;
    if (compute_ == DType::kF32) {
      const auto& table = kernels::float_kernels(context.isa);
      kernel_ = table[squares_ ? kernels::FloatBinary::kMul : kernels::FloatBinary::kPow];
    } else {
      kernel_ = kernels::typed_binary(kernels::TypedBinary::kPow, compute_);
    }
    clip_ = base_ == DType::kF32 ? FusedClip(context.node.attributes, context.isa) : FusedClip();
    const Shape shapes[] = {context.inputs[0].shape,
                            squares_ ? context.inputs[0].shape : exponent.shape};
    plan_ = Broadcast(context.outputs[0].shape, shapes);
    // Scratch: converted base, exponent, result, each where it needs converting.
    const auto bytes = [&](const Operand& operand, DType dtype) {
      return dtype == compute_
                 ? 0
                 : align_up(static_cast<size_t>(operand.shape.size()) * size_of(compute_));
    };
    base_bytes_ = bytes(context.inputs[0], base_);
    exponent_bytes_ = bytes(exponent, exponent_);
    context.scratch_bytes = base_bytes_ + exponent_bytes_ + bytes(context.outputs[0], base_);
    return {};
  }

  void run(const RunContext& context) override {
    const auto converted = [&](const Operand& operand, std::byte* at) -> const std::byte* {
      if (operand.dtype == compute_) return operand.as<std::byte>();
      convert(operand.dtype, operand.data, compute_, at, operand.shape.size());
      return at;
    };
    const std::byte* a = converted(context.inputs[0], context.scratch);
    const std::byte* b = squares_ ? a : converted(context.inputs[1], context.scratch + base_bytes_);
    const Operand& out = context.outputs[0];
    std::byte* y = out.dtype == compute_ ? out.as<std::byte>()
                                         : context.scratch + base_bytes_ + exponent_bytes_;
    const auto size = static_cast<int64_t>(size_of(compute_));
    plan_.run(context.pool, [&](int64_t at, const Broadcast::Offsets& offsets, int64_t n) {
      kernel_(a + offsets[0] * size, plan_.step(0), b + offsets[1] * size, plan_.step(1),
              y + at * size, n);
      clip_.apply(reinterpret_cast<float*>(y + at * size), n);
    });
    if (out.dtype != compute_) convert(compute_, y, out.dtype, out.data, out.shape.size());
  }

 private:
  DType base_, exponent_, compute_;
  kernels::BinaryKernel* kernel_ = nullptr;
  FusedClip clip_;
  Broadcast plan_;
  bool squares_ = false;
  size_t base_bytes_ = 0, exponent_bytes_ = 0;
};

}  // namespace

std::unique_ptr<Step> pow_step(const model::Model& model, const model::NodeInfo& node) {
  const DType base = model.tensors[static_cast<size_t>(node.inputs[0])].dtype;
  const DType exponent = model.tensors[static_cast<size_t>(node.inputs[1])].dtype;
  if (!computes(base) || !computes(exponent) || base == DType::kF64) return nullptr;
  return std::make_unique<PowStep>(base, exponent);
}

}  // namespace nibble::run
