// Add, Sub, Mul, Div, Mod, Min, Max, PRelu, comparisons and logic, with NumPy broadcasting. Min and
// Max of many operands go from left to right; of one operand they copy it.

#include <memory>
#include <optional>
#include <vector>

#include "deploy/kernels/elementwise/typed.h"
#include "deploy/kernels/float/float.h"
#include "deploy/run/step_factories.h"
#include "deploy/run/steps/broadcast.h"
#include "deploy/run/steps/fused_clip.h"

namespace nibble::run {
namespace {

using kernels::FloatBinary;
using kernels::TypedBinary;
using model::Attr;
using model::Op;

struct Functions {
  TypedBinary typed;
  std::optional<FloatBinary> vectors;  // the vector kernel of binary32 operands
};

Functions functions_of(const model::NodeInfo& node) {
  switch (node.op) {
    case Op::kAdd:
      return {TypedBinary::kAdd, FloatBinary::kAdd};
    case Op::kSub:
      return {TypedBinary::kSub, FloatBinary::kSub};
    case Op::kMul:
      return {TypedBinary::kMul, FloatBinary::kMul};
    case Op::kDiv:
      return {TypedBinary::kDiv, FloatBinary::kDiv};
    case Op::kMin:
      return {TypedBinary::kMin, FloatBinary::kMin};
    case Op::kMax:
      return {TypedBinary::kMax, FloatBinary::kMax};
    case Op::kPRelu:
      return {TypedBinary::kPRelu, FloatBinary::kPRelu};
    case Op::kMod:
      return {
          node.attributes.get_int(Attr::fmod, 0) != 0 ? TypedBinary::kRemainder : TypedBinary::kMod,
          {}};
    case Op::kEqual:
      return {TypedBinary::kEqual, {}};
    case Op::kLess:
      return {TypedBinary::kLess, {}};
    case Op::kLessOrEqual:
      return {TypedBinary::kLessOrEqual, {}};
    case Op::kGreater:
      return {TypedBinary::kGreater, {}};
    case Op::kGreaterOrEqual:
      return {TypedBinary::kGreaterOrEqual, {}};
    case Op::kAnd:
      return {TypedBinary::kAnd, {}};
    case Op::kOr:
      return {TypedBinary::kOr, {}};
    default:  // the factory below is registered for the ops of this list alone
      return {TypedBinary::kXor, {}};
  }
}

class BinaryStep : public Step {
 public:
  BinaryStep(Functions functions, DType dtype) : functions_(functions), dtype_(dtype) {}

  Status prepare(PrepareContext& context) override {
    const Shape& output = context.outputs[0].shape;
    kernel_ = kernels::typed_binary(functions_.typed, dtype_);
    clip_ = {};
    name_ = "reference";
    if (dtype_ == DType::kF32 && functions_.vectors) {
      kernel_ = kernels::float_kernels(context.isa)[*functions_.vectors];
      name_ = kernels::float_kernels(context.isa).name;
    }
    if (context.outputs[0].dtype == DType::kF32)
      clip_ = FusedClip(context.node.attributes, context.isa);
    plans_.clear();
    // Operand k > 1 meets what the operands before it gave; a single operand meets itself (min(x,
    // x) = x).
    const size_t operands = context.inputs.size();
    for (size_t k = operands == 1 ? 0 : 1; k < operands; ++k) {
      const Shape shapes[] = {k <= 1 ? context.inputs[0].shape : output, context.inputs[k].shape};
      plans_.emplace_back(output, shapes);
    }
    return {};
  }

  void run(const RunContext& context) override {
    const size_t in = size_of(dtype_), out = size_of(context.outputs[0].dtype);
    auto* y = context.outputs[0].as<std::byte>();
    const std::byte* left = context.inputs[0].as<std::byte>();
    for (size_t k = 0; k < plans_.size(); ++k) {
      const size_t operand = context.inputs.size() == 1 ? 0 : k + 1;
      const std::byte* right = context.inputs[operand].as<std::byte>();
      const Broadcast& plan = plans_[k];
      const bool last = k + 1 == plans_.size();
      plan.run(context.pool, [&](int64_t at, const Broadcast::Offsets& offsets, int64_t n) {
        std::byte* piece = y + static_cast<size_t>(at) * out;
        kernel_(left + static_cast<size_t>(offsets[0]) * in, plan.step(0),
                right + static_cast<size_t>(offsets[1]) * in, plan.step(1), piece, n);
        if (last) clip_.apply(reinterpret_cast<float*>(piece), n);
      });
      left = y;
    }
  }

  std::string_view kernel() const override { return name_; }

 private:
  Functions functions_;
  DType dtype_;
  kernels::BinaryKernel* kernel_ = nullptr;
  std::string_view name_ = "reference";
  FusedClip clip_;
  std::vector<Broadcast> plans_;
};

}  // namespace

std::unique_ptr<Step> binary_step(const model::Model& model, const model::NodeInfo& node) {
  const Functions functions = functions_of(node);
  const DType dtype = model.tensors[static_cast<size_t>(node.inputs[0])].dtype;
  if (kernels::typed_binary(functions.typed, dtype) == nullptr) return nullptr;
  return std::make_unique<BinaryStep>(functions, dtype);
}

}  // namespace nibble::run
