#include <algorithm>
#include <vector>

#include "deploy/run/simulate/on_grid.h"
#include "deploy/run/step_factories.h"

namespace nibble::run {
namespace {

using model::Attr;
using model::Op;
using simulate::OneScale;

/// Gemm, and MatMul by a constant: x [..., K], weights [K, N], or [N, K] under transB.
class SimulatedGemm : public Step {
 public:
  Status prepare(PrepareContext& context) override {
    const Shape& x = context.inputs[0].shape;
    const Shape& w = context.inputs[1].shape;
    const auto& attributes = context.node.attributes;
    if (w.rank() != 2 || x.rank() < 2 || attributes.get_int(Attr::transA, 0) != 0)
      return unsupported("expects a matrix of constant weights and rows of data");
    if (context.node.op == Op::kGemm && (attributes.get_float(Attr::alpha, 1.0f) != 1.0f ||
                                         attributes.get_float(Attr::beta, 1.0f) != 1.0f))
      return unsupported("expects alpha = beta = 1");
    const bool by_channel =
        context.node.op == Op::kGemm && attributes.get_int(Attr::transB, 0) != 0;
    const int axis = by_channel ? 0 : 1;
    n_ = w[axis];
    k_ = w[1 - axis];
    channel_stride_ = by_channel ? k_ : 1;
    term_stride_ = by_channel ? 1 : n_;
    const auto xs = simulate::one_scale(context.inputs[0]);
    if (!xs.ok()) return xs.status();
    const auto ys = simulate::one_scale(context.outputs[0]);
    if (!ys.ok()) return ys.status();
    x_ = xs.value();
    y_ = simulate::Output(context, ys.value());
    auto weights = simulate::weights_of(context, axis, x_, ys.value());
    if (!weights.ok()) return weights.status();
    weights_ = std::move(weights).value();
    context.scratch_bytes = static_cast<size_t>(x.size()) * sizeof(double);
    return {};
  }

  void run(const RunContext& context) override {
    const Operand& x = context.inputs[0];
    auto* rows = reinterpret_cast<double*>(context.scratch);
    simulate::centre(x_, x.as<float>(), x.shape.size(), rows);
    float* y = context.outputs[0].as<float>();
    context.pool.parallel_for(context.outputs[0].shape.size(), 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const int64_t n = i % n_;
        const double* row = rows + i / n_ * k_;
        const double* w = weights_.centred.data() + n * channel_stride_;
        double acc = weights_.bias[n];
        for (int64_t k = 0; k < k_; ++k) acc += w[k * term_stride_] * row[k];
        y[i] = y_.requantise(acc, weights_.factor[n]);
      }
    });
  }

  std::string_view kernel() const override { return "simulated"; }

 private:
  int64_t n_ = 0, k_ = 0, channel_stride_ = 0, term_stride_ = 0;
  OneScale x_;
  simulate::Output y_;
  simulate::Weights weights_;
};

/// Offsets, in matrices, of the batches of an operand that is broadcast to the result's.
std::vector<int64_t> batches(const Shape& operand, const Shape& result) {
  const int count = result.rank() - 2;
  std::vector<int64_t> offsets(static_cast<size_t>(result.size(0, count)), 0);
  int64_t inner = 1, stride = 1;  // of the result, of the operand
  for (int d = count; d-- > 0;) {
    const int from = d - (result.rank() - operand.rank());
    const int64_t dim = from < 0 ? 1 : operand[from];
    for (size_t i = 0; i < offsets.size(); ++i)
      if (dim != 1) offsets[i] += static_cast<int64_t>(i) / inner % result[d] * stride;
    inner *= result[d];
    stride *= dim;
  }
  return offsets;
}

/// Activation x activation: a [..., M, K], b [..., K, N], leading dimensions broadcast.
class SimulatedMatMul : public Step {
 public:
  Status prepare(PrepareContext& context) override {
    const auto a = simulate::one_scale(context.inputs[0]);
    if (!a.ok()) return a.status();
    const auto b = simulate::one_scale(context.inputs[1]);
    if (!b.ok()) return b.status();
    const auto y = simulate::one_scale(context.outputs[0]);
    if (!y.ok()) return y.status();
    a_ = a.value();
    b_ = b.value();
    y_ = simulate::Output(context, y.value());
    factor_ = double{a_.scale} * double{b_.scale} / double{y.value().scale};
    const Shape &sa = context.inputs[0].shape, &sb = context.inputs[1].shape;
    if (sa.rank() < 2 || sb.rank() < 2) return unsupported("expects two axes at least");
    m_ = sa[sa.rank() - 2];
    k_ = sa[sa.rank() - 1];
    n_ = sb[sb.rank() - 1];
    a_at_ = batches(sa, context.outputs[0].shape);
    b_at_ = batches(sb, context.outputs[0].shape);
    context.scratch_bytes = static_cast<size_t>(sa.size() + sb.size()) * sizeof(double);
    return {};
  }

  void run(const RunContext& context) override {
    auto* a = reinterpret_cast<double*>(context.scratch);
    double* b = a + context.inputs[0].shape.size();
    simulate::centre(a_, context.inputs[0].as<float>(), context.inputs[0].shape.size(), a);
    simulate::centre(b_, context.inputs[1].as<float>(), context.inputs[1].shape.size(), b);
    float* y = context.outputs[0].as<float>();
    context.pool.parallel_for(context.outputs[0].shape.size(), 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const auto batch = static_cast<size_t>(i / (m_ * n_));
        const double* row = a + (a_at_[batch] * m_ + i / n_ % m_) * k_;
        const double* column = b + b_at_[batch] * k_ * n_ + i % n_;
        double acc = 0;
        for (int64_t k = 0; k < k_; ++k) acc += row[k] * column[k * n_];
        y[i] = y_.requantise(acc, factor_);
      }
    });
  }

  std::string_view kernel() const override { return "simulated"; }

 private:
  OneScale a_, b_;
  simulate::Output y_;
  double factor_ = 0;
  int64_t m_ = 0, k_ = 0, n_ = 0;
  std::vector<int64_t> a_at_, b_at_;
};

}  // namespace

std::unique_ptr<Step> make_simulated_gemm(const model::Model&, const model::NodeInfo&) {
  return std::make_unique<SimulatedGemm>();
}

std::unique_ptr<Step> make_simulated_matmul(const model::Model& model,
                                            const model::NodeInfo& node) {
  if (model.tensors[static_cast<size_t>(node.inputs[1])].is_constant)
    return std::make_unique<SimulatedGemm>();
  return std::make_unique<SimulatedMatMul>();
}

}  // namespace nibble::run
