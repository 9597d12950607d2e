#include "deploy/run/step.h"

#include <array>
#include <string>
#include <utility>

#include "deploy/run/step_factories.h"

namespace nibble::run {
namespace {

using model::Op;

constexpr size_t kOps = 0
#define NIBBLE_OP(name, ...) +1
#include "deploy/model/ops.inc"
#undef NIBBLE_OP
    ;
using Table = std::array<StepFactory*, kOps>;

/// Not constexpr: reached while a table is built, it stops the compilation.
void op_is_listed_twice() {}

[[maybe_unused]] constexpr void enter(Table& table, Op op, StepFactory* factory) {
  StepFactory*& entry = table[static_cast<size_t>(op)];
  if (entry != nullptr) op_is_listed_twice();
  entry = factory;
}

constexpr Table kSteps = [] {
  Table table{};
#define NIBBLE_STEP(op, factory) enter(table, Op::k##op, factory);
#include "deploy/run/steps.inc"
#undef NIBBLE_STEP
  return table;
}();

constexpr Table kSimulatedSteps = [] {
  Table table{};
#define NIBBLE_SIMULATED_STEP(op, factory) enter(table, Op::k##op, factory);
#define NIBBLE_KEEPS_GRID(op) enter(table, Op::k##op, kSteps[static_cast<size_t>(Op::k##op)]);
#include "deploy/run/simulate/simulated.inc"
#undef NIBBLE_KEEPS_GRID
#undef NIBBLE_SIMULATED_STEP
  return table;
}();

/// Values of a grid are made by simulated steps alone. A node that only reads such values, or
/// quantised constants, is an island: they are real numbers to it.
bool is_simulated(const model::Model& model, const model::NodeInfo& node) {
  return model.phase == model::Phase::kAnnotated && !node.outputs.empty() &&
         node.outputs[0] != model::kNoTensor &&
         model.tensors[static_cast<size_t>(node.outputs[0])].quant.has_value();
}

std::string dtypes_of(const model::Model& model, const model::NodeInfo& node) {
  std::string text;
  for (int input : node.inputs) {
    if (!text.empty()) text += ", ";
    text += input == model::kNoTensor ? std::string_view("-")
                                      : name_of(model.tensors[static_cast<size_t>(input)].dtype);
  }
  return text;
}

}  // namespace

Result<std::unique_ptr<Step>> make_step(const model::Model& model, const model::NodeInfo& node) {
  const auto index = static_cast<size_t>(node.op);
  const std::string op(model::name_of(node.op));
  const bool simulated = is_simulated(model, node);
  StepFactory* factory = simulated ? kSimulatedSteps[index] : kSteps[index];
  if (factory == nullptr)
    return unsupported(simulated ? "no simulation of a quantised " + op : "no kernel for " + op);
  std::unique_ptr<Step> step = factory(model, node);
  if (step == nullptr) return unsupported("no kernel for " + op + " of " + dtypes_of(model, node));
  return step;
}

}  // namespace nibble::run
