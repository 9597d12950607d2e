#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "deploy/numeric/quant_params.h"
#include "deploy/run/session.h"
#include "quant/graph/graph.h"
#include "quant/lower/lower.h"
#include "quant/pack/pack.h"

/// Small random annotated networks, and their two executions.
namespace nibble::exactness {

using graph::Attr;
using graph::Attributes;
using graph::Graph;
using graph::kNoValue;
using graph::Op;
using graph::RequantiseVariant;
using graph::ValueId;
using numeric::Granularity;
using numeric::RangeKind;

using Ints = std::vector<int64_t>;

class Net {
 public:
  explicit Net(unsigned seed, RequantiseVariant variant = RequantiseVariant::kFloat)
      : random_(seed) {
    g.phase = graph::Phase::kAnnotated;
    g.requantise = variant;
    g.source = "net";
  }

  int64_t draw(int64_t least, int64_t most) {
    return std::uniform_int_distribution<int64_t>(least, most)(random_);
  }
  bool coin() { return draw(0, 1) != 0; }
  float normal() { return std::normal_distribution<float>()(random_); }
  Tensor normals(const Shape& shape, float scale = 1) {
    Tensor t(DType::kF32, shape);
    for (float& v : t.span<float>()) v = normal() * scale;
    return t;
  }

  ValueId input(const Shape& shape) {
    const ValueId id = g.add_value("x" + std::to_string(g.inputs.size()), DType::kF32, shape);
    g.inputs.push_back(id);
    return id;
  }
  ValueId constant(Tensor tensor) { return g.add_constant("c", std::move(tensor)); }
  ValueId integers(const Ints& values) {
    return constant(Tensor::of<int64_t>({static_cast<int64_t>(values.size())}, std::span(values)));
  }
  ValueId node(Op op, std::vector<ValueId> inputs, Attributes attributes = {}, int outputs = 1) {
    graph::Node node{op,
                     std::string(model::name_of(op)) + "_" + std::to_string(g.nodes.size()),
                     std::move(attributes),
                     std::move(inputs),
                     {}};
    for (int i = 0; i < outputs; ++i) node.outputs.push_back(g.add_value("t", DType::kF32, {}));
    g.nodes.push_back(std::move(node));
    g.infer_shapes();
    return g.nodes.back().outputs[0];
  }

  /// A grid with one scale that covers about [-span, span]; asymmetric: 2 span wide, zero anywhere
  /// in it.
  ValueId quantise(ValueId id, int bits, float span, bool symmetric = false) {
    const RangeKind kind = symmetric ? RangeKind::kRestricted : RangeKind::kAsymmetric;
    const numeric::CodeRange range = numeric::code_range(kind, bits);
    numeric::QuantParams p{.bits = bits, .range = kind, .qmin = range.qmin, .qmax = range.qmax};
    p.scales = {2 * span / static_cast<float>(range.qmax - range.qmin)};
    p.zero_points = {symmetric ? 0 : static_cast<int32_t>(draw(range.qmin, range.qmax))};
    g.value(id).quant = graph::QuantInfo{p, "test"};
    return id;
  }
  ValueId same_grid(ValueId id, ValueId as) {
    g.value(id).quant = g.value(as).quant;
    return id;
  }
  /// Constant weights on a grid by tensor, channel or group of channels.
  ValueId weights(const Shape& shape, int axis, int bits, bool symmetric, Granularity granularity) {
    const ValueId id = constant(normals(shape));
    const RangeKind kind = symmetric ? (bits >= 5 ? RangeKind::kRestricted : RangeKind::kFull)
                                     : RangeKind::kAsymmetric;
    const numeric::CodeRange range = numeric::code_range(kind, bits);
    numeric::QuantParams p{.bits = bits, .range = kind, .qmin = range.qmin, .qmax = range.qmax};
    p.granularity = granularity;
    p.axis = axis;
    p.group = granularity == Granularity::kGroup ? 3 : 0;
    for (int64_t i = 0, n = numeric::scale_count(p, shape); i < n; ++i) {
      p.scales.push_back((4 + 0.5f * normal()) / static_cast<float>(range.qmax - range.qmin));
      if (!symmetric) p.zero_points.push_back(static_cast<int32_t>(draw(range.qmin, range.qmax)));
    }
    g.value(id).quant = graph::QuantInfo{p, "test"};
    return id;
  }

  Graph g;

 private:
  std::mt19937 random_;
};

/// Runs a graph of any phase that pack() takes.
inline std::vector<Tensor> run(const Graph& graph, const std::vector<Tensor>& inputs,
                               Isa isa = Isa::kPortable, int threads = 1,
                               std::shared_ptr<const kernels::KernelTable> table = {}) {
  std::vector<Tensor> results;
  auto session = run::Session::create(pack::pack(graph), {threads, isa, std::move(table)});
  EXPECT_TRUE(session.ok()) << session.status().message();
  if (!session.ok()) return results;
  std::vector<TensorView> views;
  for (const Tensor& t : inputs) views.push_back(t.view());
  const Status status = session.value()->run(views);
  EXPECT_TRUE(status.ok()) << status.message();
  if (!status.ok()) return results;
  for (size_t i = 0; i < graph.outputs.size(); ++i) {
    const TensorView view = session.value()->output(i);
    Tensor& copy = results.emplace_back(view.dtype, view.shape);
    if (view.bytes()) std::memcpy(copy.data(), view.data, view.bytes());
  }
  return results;
}

inline void expect_same_bytes(const std::vector<Tensor>& a, const std::vector<Tensor>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i) {
    ASSERT_EQ(a[i].dtype(), b[i].dtype());
    ASSERT_EQ(a[i].shape(), b[i].shape());
    int64_t differ = 0;
    const size_t n = size_of(a[i].dtype());
    for (int64_t e = 0; e < a[i].size(); ++e)
      differ += std::memcmp(a[i].data() + e * n, b[i].data() + e * n, n) != 0;
    EXPECT_EQ(differ, 0) << "of " << a[i].size() << " elements of output " << i;
  }
}

/// The integer graph gives the simulation's bytes, with the portable kernels and with the machine's
/// best, on 1 and 2 threads. Returns the outputs.
inline std::vector<Tensor> expect_exact(const Graph& annotated, const std::vector<Tensor>& inputs,
                                        size_t islands = 0) {
  graph::verify(annotated, graph::Phase::kAnnotated);
  const std::vector<Tensor> simulated = run(lower::simulation(annotated), inputs);
  const lower::Lowered lowered = lower::lower_to_integer(annotated);
  EXPECT_EQ(lowered.islands.size(), islands)
      << (lowered.islands.empty() ? "" : lowered.islands[0].node + ": " + lowered.islands[0].why);
  expect_same_bytes(simulated, run(lowered.graph, inputs));
  expect_same_bytes(simulated, run(lowered.graph, inputs, isa_from_environment().value(), 2));
  return run(lowered.graph, inputs);
}

/// Different numbers in a tensor: a test that saturates everything shows nothing.
inline size_t distinct(const Tensor& t) {
  std::vector<float> values(t.span<float>().begin(), t.span<float>().end());
  std::sort(values.begin(), values.end());
  return static_cast<size_t>(std::unique(values.begin(), values.end()) - values.begin());
}

}  // namespace nibble::exactness
