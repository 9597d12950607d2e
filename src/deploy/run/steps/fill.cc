#include "deploy/kernels/move/move.h"
#include "deploy/run/step_factories.h"

namespace nibble::run {
namespace {

class ConstantOfShapeStep : public Step {
 public:
  Status prepare(PrepareContext&) override { return {}; }
  void run(const RunContext& context) override {
    const uint64_t zero = 0;
    const void* value = &zero;
    if (context.inputs.size() > 1 && context.inputs[1].present()) value = context.inputs[1].data;
    const Operand& y = context.outputs[0];
    kernels::fill_elements(y.data, value, size_of(y.dtype), y.shape.size());
  }
  std::string_view kernel() const override { return "fill"; }
};

/// start + i * delta; integers wrap as two's complement.
class RangeStep : public Step {
 public:
  Status prepare(PrepareContext&) override { return {}; }
  void run(const RunContext& context) override {
    visit_dtype(context.outputs[0].dtype, [&]<class T>(std::type_identity<T>) {
      const T start = *context.inputs[0].as<T>(), delta = *context.inputs[2].as<T>();
      T* y = context.outputs[0].as<T>();
      const int64_t n = context.outputs[0].shape.size();
      for (int64_t i = 0; i < n; ++i) {
        if constexpr (std::is_floating_point_v<T>)
          y[i] = start + static_cast<T>(i) * delta;
        else
          y[i] = static_cast<T>(static_cast<uint64_t>(start) +
                                static_cast<uint64_t>(i) * static_cast<uint64_t>(delta));
      }
    });
  }
};

}  // namespace

std::unique_ptr<Step> make_constant_of_shape(const model::Model&, const model::NodeInfo&) {
  return std::make_unique<ConstantOfShapeStep>();
}

std::unique_ptr<Step> make_range(const model::Model&, const model::NodeInfo&) {
  return std::make_unique<RangeStep>();
}

}  // namespace nibble::run
