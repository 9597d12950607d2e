#include "deploy/run/step.h"

#include <gtest/gtest.h>

namespace nibble::run {
namespace {

TEST(MakeStep, AnAnnotatedOutputNeedsASimulatedStep) {
  model::Model model;
  model.phase = model::Phase::kAnnotated;
  model.tensors.resize(2);
  model.tensors[1].quant = numeric::QuantParams{};
  model.nodes.push_back({model::Op::kShape, "shape", {}, {0}, {1}});
  const auto step = make_step(model, model.nodes[0]);
  ASSERT_FALSE(step.ok());
  EXPECT_EQ(step.status().code(), StatusCode::kUnsupported);
  EXPECT_EQ(step.status().message(), "no simulation of a quantised Shape");
}

}  // namespace
}  // namespace nibble::run
