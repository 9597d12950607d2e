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
#include "deploy/run/simulate/simulated.inc"
#undef NIBBLE_SIMULATED_STEP
  return table;
}();

/// What the grids of a node's operands ask of its step in phase kAnnotated.
enum class Simulation {
  kNone,    // no grid: the op as it stands
  kMay,     // reads activations that lie on a grid; the op as it stands is right as well
  kNeeded,  // makes values of a grid or reads a constant as its codes
};

Simulation simulation_of(const model::Model& model, const model::NodeInfo& node) {
  if (model.phase != model::Phase::kAnnotated) return Simulation::kNone;
  const auto quantised = [&](int tensor) {
    return tensor != model::kNoTensor &&
           model.tensors[static_cast<size_t>(tensor)].quant.has_value();
  };
  if (!node.outputs.empty() && quantised(node.outputs[0])) return Simulation::kNeeded;
  Simulation simulation = Simulation::kNone;
  for (int input : node.inputs) {
    if (!quantised(input)) continue;
    if (model.tensors[static_cast<size_t>(input)].is_constant) return Simulation::kNeeded;
    simulation = Simulation::kMay;
  }
  return simulation;
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
  const Simulation simulation = simulation_of(model, node);
  StepFactory* factory = simulation != Simulation::kNone ? kSimulatedSteps[index] : kSteps[index];
  if (factory == nullptr && simulation == Simulation::kNeeded)
    return unsupported("no simulation of a quantised " + op);
  if (factory == nullptr) factory = kSteps[index];
  if (factory == nullptr) return unsupported("no kernel for " + op);
  std::unique_ptr<Step> step = factory(model, node);
  if (step == nullptr) return unsupported("no kernel for " + op + " of " + dtypes_of(model, node));
  return step;
}

}  // namespace nibble::run
