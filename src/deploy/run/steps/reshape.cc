#include <cstring>

#include "deploy/run/step_factories.h"

namespace nibble::run {
namespace {

/// Reshape, Flatten, Squeeze, Unsqueeze, Identity where the output cannot share its input's memory.
class CopyStep : public Step {
 public:
  Status prepare(PrepareContext&) override { return {}; }
  void run(const RunContext& context) override {
    const Operand &x = context.inputs[0], &y = context.outputs[0];
    if (const size_t bytes = y.view().bytes()) std::memcpy(y.data, x.data, bytes);
  }
  std::string_view kernel() const override { return "copy"; }
};

}  // namespace

std::unique_ptr<Step> make_copy(const model::Model&, const model::NodeInfo&) {
  return std::make_unique<CopyStep>();
}

}  // namespace nibble::run
