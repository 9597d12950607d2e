#include <algorithm>

#include "deploy/run/step_factories.h"

namespace nibble::run {
namespace {

class ShapeStep : public Step {
 public:
  Status prepare(PrepareContext& context) override {
    const auto dims = context.inputs[0].shape.dims();
    const auto rank = static_cast<int64_t>(dims.size());
    int64_t start = context.node.attributes.get_int(model::Attr::start, 0);
    if (start < 0) start += rank;
    start_ = static_cast<int>(std::clamp<int64_t>(start, 0, rank));
    return {};
  }
  void run(const RunContext& context) override {
    const Operand &x = context.inputs[0], &y = context.outputs[0];
    const int n = static_cast<int>(y.shape[0]);
    for (int i = 0; i < n; ++i) y.as<int64_t>()[i] = x.shape[start_ + i];
  }

 private:
  int start_ = 0;
};

class SizeStep : public Step {
 public:
  Status prepare(PrepareContext&) override { return {}; }
  void run(const RunContext& context) override {
    *context.outputs[0].as<int64_t>() = context.inputs[0].shape.size();
  }
};

}  // namespace

std::unique_ptr<Step> make_shape(const model::Model&, const model::NodeInfo&) {
  return std::make_unique<ShapeStep>();
}

std::unique_ptr<Step> make_size(const model::Model&, const model::NodeInfo&) {
  return std::make_unique<SizeStep>();
}

}  // namespace nibble::run
