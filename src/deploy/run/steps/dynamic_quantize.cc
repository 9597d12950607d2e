// DynamicQuantize: every row (the last axis) to codes -127..127 with a scale of its own. A node of
// the simulation as well as of the integer graph.

#include "deploy/kernels/requantise/codes.h"
#include "deploy/kernels/requantise/dynamic.h"
#include "deploy/run/step_factories.h"

namespace nibble::run {
namespace {

constexpr int64_t kGrain = 16 * 1024;  // reals a task

class DynamicQuantize : public Step {
 public:
  Status prepare(PrepareContext& context) override {
    const Shape& x = context.inputs[0].shape;
    k_ = x[x.rank() - 1];
    rows_ = x.size(0, x.rank() - 1);
    kernels_ = &kernels::code_kernels(context.isa);
    return {};
  }

  void run(const RunContext& context) override {
    const float* x = context.inputs[0].as<float>();
    int8_t* codes = context.outputs[0].as<int8_t>();
    float* scales = context.outputs.size() > 1 ? context.outputs[1].as<float>() : nullptr;
    context.pool.parallel_for(rows_, kGrain / (k_ + 1) + 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const float scale = kernels::dynamic_scale(x + i * k_, k_);
        kernels_->quantize[kernels::kWideI8](x + i * k_, codes + i * k_, k_, scale,
                                             {.zero = 0, .lo = -127, .hi = 127});
        if (scales) scales[i] = scale;
      }
    });
  }

  std::string_view kernel() const override { return kernels_->name; }

 private:
  int64_t rows_ = 0, k_ = 0;
  const kernels::CodeKernels* kernels_ = nullptr;
};

}  // namespace

std::unique_ptr<Step> make_dynamic_quantize(const model::Model&, const model::NodeInfo&) {
  return std::make_unique<DynamicQuantize>();
}

}  // namespace nibble::run
