#include <memory>

#include "deploy/kernels/elementwise/typed.h"
#include "deploy/run/step_factories.h"
#include "deploy/run/steps/broadcast.h"

namespace nibble::run {
namespace {

class WhereStep : public Step {
 public:
  Status prepare(PrepareContext& context) override {
    const Shape shapes[] = {context.inputs[0].shape, context.inputs[1].shape,
                            context.inputs[2].shape};
    plan_ = Broadcast(context.outputs[0].shape, shapes);
    return {};
  }

  void run(const RunContext& context) override {
    const auto size = static_cast<int64_t>(size_of(context.outputs[0].dtype));
    kernels::SelectKernel* select = kernels::select_kernel(static_cast<size_t>(size));
    const bool* condition = context.inputs[0].as<bool>();
    const auto *a = context.inputs[1].as<std::byte>(), *b = context.inputs[2].as<std::byte>();
    auto* y = context.outputs[0].as<std::byte>();
    plan_.run(context.pool, [&](int64_t at, const Broadcast::Offsets& offsets, int64_t n) {
      select(condition + offsets[0], plan_.step(0), a + offsets[1] * size, plan_.step(1),
             b + offsets[2] * size, plan_.step(2), y + at * size, n);
    });
  }

 private:
  Broadcast plan_;
};

}  // namespace

std::unique_ptr<Step> where_step(const model::Model&, const model::NodeInfo&) {
  return std::make_unique<WhereStep>();
}

}  // namespace nibble::run
