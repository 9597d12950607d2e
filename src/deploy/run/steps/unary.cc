// Element-wise ops of one operand. binary32 runs on the vector kernels; Neg, Abs, Sign, Relu (all
// numbers) and Not (bool) have plain ones.

#include <memory>
#include <optional>

#include "deploy/kernels/elementwise/typed.h"
#include "deploy/kernels/float/float.h"
#include "deploy/run/step_factories.h"
#include "deploy/run/steps/fused_clip.h"

namespace nibble::run {
namespace {

using kernels::TypedUnary;
using kernels::Unary;
using kernels::UnaryParams;
using model::Attr;
using model::Op;

constexpr int64_t kGrain = 8192;  // elements worth a thread's while
constexpr int64_t kPiece = 4096;  // elements that stay in cache between function and fused clip

struct Function {
  Unary f;
  UnaryParams params;
};

std::optional<Function> function_of(const model::NodeInfo& node) {
  const auto alpha = [&](float otherwise) {
    return node.attributes.get_float(Attr::alpha, otherwise);
  };
  switch (node.op) {
    case Op::kNeg:
      return Function{Unary::kNeg, {}};
    case Op::kAbs:
      return Function{Unary::kAbs, {}};
    case Op::kSign:
      return Function{Unary::kSign, {}};
    case Op::kFloor:
      return Function{Unary::kFloor, {}};
    case Op::kCeil:
      return Function{Unary::kCeil, {}};
    case Op::kRound:
      return Function{Unary::kRound, {}};
    case Op::kSqrt:
      return Function{Unary::kSqrt, {}};
    case Op::kReciprocal:
      return Function{Unary::kReciprocal, {}};
    case Op::kExp:
      return Function{Unary::kExp, {}};
    case Op::kLog:
      return Function{Unary::kLog, {}};
    case Op::kSin:
      return Function{Unary::kSin, {}};
    case Op::kCos:
      return Function{Unary::kCos, {}};
    case Op::kErf:
      return Function{Unary::kErf, {}};
    case Op::kRelu:
      return Function{Unary::kRelu, {}};
    case Op::kLeakyRelu:
      return Function{Unary::kLeakyRelu, {alpha(0.01f), 0}};
    case Op::kElu:
      return Function{Unary::kElu, {alpha(1.0f), 0}};
    case Op::kSigmoid:
      return Function{Unary::kSigmoid, {}};
    case Op::kTanh:
      return Function{Unary::kTanh, {}};
    case Op::kHardSwish:
      return Function{Unary::kHardSwish, {}};
    case Op::kHardSigmoid:
      return Function{Unary::kHardSigmoid,
                      {alpha(0.2f), node.attributes.get_float(Attr::beta, 0.5f)}};
    case Op::kGelu:
      return Function{node.attributes.get_string(Attr::approximate, "none") == "tanh"
                          ? Unary::kGeluTanh
                          : Unary::kGelu,
                      {}};
    case Op::kSoftplus:
      return Function{Unary::kSoftplus, {}};
    case Op::kSwish:
      return Function{Unary::kSwish, {alpha(1.0f), 0}};
    default:
      return std::nullopt;
  }
}

std::optional<TypedUnary> typed_function_of(Op op) {
  switch (op) {
    case Op::kNeg:
      return TypedUnary::kNeg;
    case Op::kAbs:
      return TypedUnary::kAbs;
    case Op::kSign:
      return TypedUnary::kSign;
    case Op::kRelu:
      return TypedUnary::kRelu;
    case Op::kNot:
      return TypedUnary::kNot;
    default:
      return std::nullopt;
  }
}

class FloatUnaryStep : public Step {
 public:
  explicit FloatUnaryStep(Function function) : function_(function) {}

  Status prepare(PrepareContext& context) override {
    table_ = &kernels::float_kernels(context.isa);
    kernel_ = (*table_)[function_.f];
    clip_ = FusedClip(context.node.attributes, context.isa);
    return {};
  }
  void run(const RunContext& context) override {
    const float* x = context.inputs[0].as<float>();
    float* y = context.outputs[0].as<float>();
    context.pool.parallel_for(context.outputs[0].shape.size(), kGrain,
                              [&](int64_t begin, int64_t end) {
                                for (int64_t i = begin; i < end; i += kPiece) {
                                  const int64_t n = std::min(kPiece, end - i);
                                  kernel_(x + i, y + i, n, function_.params);
                                  clip_.apply(y + i, n);
                                }
                              });
  }

  std::string_view kernel() const override { return table_->name; }

 private:
  Function function_;
  const kernels::FloatKernels* table_ = nullptr;
  kernels::UnaryKernel* kernel_ = nullptr;
  FusedClip clip_;
};

class TypedUnaryStep : public Step {
 public:
  explicit TypedUnaryStep(kernels::TypedUnaryKernel* kernel) : kernel_(kernel) {}
  Status prepare(PrepareContext&) override { return {}; }
  void run(const RunContext& context) override {
    const auto size = static_cast<int64_t>(size_of(context.outputs[0].dtype));
    const auto* x = context.inputs[0].as<std::byte>();
    auto* y = context.outputs[0].as<std::byte>();
    context.pool.parallel_for(context.outputs[0].shape.size(), kGrain,
                              [&](int64_t begin, int64_t end) {
                                kernel_(x + begin * size, y + begin * size, end - begin);
                              });
  }

 private:
  kernels::TypedUnaryKernel* kernel_;
};

}  // namespace

std::unique_ptr<Step> unary_step(const model::Model& model, const model::NodeInfo& node) {
  const DType dtype = model.tensors[static_cast<size_t>(node.inputs[0])].dtype;
  if (dtype == DType::kF32)
    if (const auto function = function_of(node)) return std::make_unique<FloatUnaryStep>(*function);
  if (const auto typed = typed_function_of(node.op))
    if (auto* kernel = kernels::typed_unary(*typed, dtype))
      return std::make_unique<TypedUnaryStep>(kernel);
  return nullptr;
}

}  // namespace nibble::run
