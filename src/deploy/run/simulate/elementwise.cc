#include <vector>

#include "deploy/numeric/quantize.h"
#include "deploy/run/simulate/on_grid.h"
#include "deploy/run/step_factories.h"

namespace nibble::run {
namespace {

using numeric::RequantiseVariant;
using simulate::OneScale;

/// Element strides of an operand seen in the shape of the result; 0 where it is broadcast.
std::vector<int64_t> broadcast_strides(const Shape& operand, const Shape& result) {
  std::vector<int64_t> strides(static_cast<size_t>(result.rank()), 0);
  int64_t stride = 1;
  for (int d = operand.rank(); d-- > 0;) {
    if (operand[d] != 1) strides[d + result.rank() - operand.rank()] = stride;
    stride *= operand[d];
  }
  return strides;
}

/// Add and Mul of values on grids; a quantised constant counts as its nearest codes.
class SimulatedElementwise : public Step {
 public:
  explicit SimulatedElementwise(bool adds) : adds_(adds) {}

  Status prepare(PrepareContext& context) override {
    for (size_t i = 0; i < 2; ++i) {
      const auto grid = simulate::one_scale(context.inputs[i]);
      if (!grid.ok()) return grid.status();
      grid_[i] = grid.value();
      is_constant_[i] = context.inputs[i].info->is_constant;
      strides_[i] = broadcast_strides(context.inputs[i].shape, context.outputs[0].shape);
    }
    const auto y = simulate::one_scale(context.outputs[0]);
    if (!y.ok()) return y.status();
    y_ = simulate::Output(context, y.value());
    const double a = grid_[0].scale, b = grid_[1].scale, s = y.value().scale;
    m_[0] = a / s;
    m_[1] = b / s;
    product_ = a * b / s;
    sum_ = numeric::to_fixed_sum(m_[0], m_[1]);
    return {};
  }

  void run(const RunContext& context) override {
    const Shape& shape = context.outputs[0].shape;
    const float* a = context.inputs[0].as<float>();
    const float* b = context.inputs[1].as<float>();
    float* y = context.outputs[0].as<float>();
    context.pool.parallel_for(shape.size(), 4096, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        int64_t rest = i, at_a = 0, at_b = 0;
        for (int d = shape.rank(); d-- > 0; rest /= shape[d]) {
          at_a += rest % shape[d] * strides_[0][d];
          at_b += rest % shape[d] * strides_[1][d];
        }
        y[i] = combine(centred(0, a[at_a]), centred(1, b[at_b]));
      }
    });
  }

  std::string_view kernel() const override { return "simulated"; }

 private:
  int32_t centred(size_t i, float x) const {
    const OneScale& g = grid_[i];
    if (is_constant_[i])  // real numbers, not on the grid yet
      return g.code(x) - g.zero;
    return static_cast<int32_t>(g.centred(x));
  }

  float combine(int32_t a, int32_t b) const {
    if (!adds_) return y_.requantise(double{1} * a * b, product_);
    if (y_.variant() == RequantiseVariant::kFloat)
      return y_.clamped(numeric::add_float(a, b, static_cast<float>(m_[0]),
                                           static_cast<float>(m_[1]), y_.lo(), y_.hi()));
    return y_.clamped(numeric::add_fixed(a, b, sum_));
  }

  bool adds_;
  OneScale grid_[2];
  bool is_constant_[2] = {false, false};
  std::vector<int64_t> strides_[2];
  simulate::Output y_;
  double m_[2] = {0, 0}, product_ = 0;
  numeric::FixedSum sum_;
};

/// To another grid: of values on a grid R(q_x - z_x, s_x / s_y), of real numbers the nearest code.
class SimulatedRequantize : public Step {
 public:
  Status prepare(PrepareContext& context) override {
    is_real_ = !context.inputs[0].info->quant.has_value();
    if (is_real_) {
      const auto& attributes = context.node.attributes;
      if (attributes.has(model::Attr::clip_min) || attributes.has(model::Attr::clip_max))
        return unsupported("bounds on real numbers, expected none");
      return numeric::check(*context.outputs[0].info->quant, context.outputs[0].shape);
    }
    const auto x = simulate::one_scale(context.inputs[0]);
    if (!x.ok()) return x.status();
    const auto y = simulate::one_scale(context.outputs[0]);
    if (!y.ok()) return y.status();
    x_ = x.value();
    y_ = simulate::Output(context, y.value());
    factor_ = double{x_.scale} / double{y.value().scale};
    return {};
  }

  void run(const RunContext& context) override {
    const Operand& x = context.inputs[0];
    const Operand& y = context.outputs[0];
    if (is_real_) {  // shapes and grid were checked: cannot fail
      (void)numeric::fake_quantize(x.view(), *y.info->quant, y.view());
      return;
    }
    for (int64_t i = 0, n = y.shape.size(); i < n; ++i)
      y.as<float>()[i] = y_.requantise(x_.centred(x.as<float>()[i]), factor_);
  }

  std::string_view kernel() const override { return "simulated"; }

 private:
  bool is_real_ = false;
  OneScale x_;
  simulate::Output y_;
  double factor_ = 0;
};

}  // namespace

std::unique_ptr<Step> make_simulated_add(const model::Model&, const model::NodeInfo&) {
  return std::make_unique<SimulatedElementwise>(true);
}

std::unique_ptr<Step> make_simulated_mul(const model::Model&, const model::NodeInfo&) {
  return std::make_unique<SimulatedElementwise>(false);
}

std::unique_ptr<Step> make_simulated_requantize(const model::Model&, const model::NodeInfo&) {
  return std::make_unique<SimulatedRequantize>();
}

}  // namespace nibble::run
