#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "deploy/numeric/quantize.h"
#include "deploy/numeric/scale_index.h"
#include "deploy/run/step_factories.h"

namespace nibble::run {
namespace {

using model::Attr;

/// QGemmReal of weights that are real numbers on their grid, [N, K]; sums in binary64.
class SimulatedQGemmReal : public Step {
 public:
  Status prepare(PrepareContext& context) override {
    const Operand& w = context.inputs[1];
    if (!w.info->quant || w.data == nullptr || w.dtype != DType::kF32)
      return unsupported("'" + w.info->name + "' is not a quantised constant");
    const auto& attributes = context.node.attributes;
    constexpr float kInfinity = std::numeric_limits<float>::infinity();
    block_ = attributes.get_int(Attr::block_size, 0);
    lo_ = attributes.get_float(Attr::clip_min, -kInfinity);
    hi_ = attributes.get_float(Attr::clip_max, kInfinity);
    n_ = w.shape[0];
    k_ = w.shape[1];
    if (block_ < 1) return invalid_argument("expects a block_size of at least 1");
    std::vector<int32_t> codes(static_cast<size_t>(w.shape.size()));
    const numeric::QuantParams& grid = *w.info->quant;
    const auto done = numeric::quantize(w.view(), grid, {DType::kI32, w.shape, codes.data()});
    if (!done.ok()) return done.status();
    const numeric::ScaleIndex index(grid, w.shape);
    centred_.resize(codes.size());
    scale_.resize(codes.size());
    for (size_t i = 0; i < codes.size(); ++i) {
      const size_t unit = index[static_cast<int64_t>(i)];
      centred_[i] = codes[i] - grid.zero_point(unit);
      scale_[i] = grid.scales[unit];
    }
    return {};
  }

  void run(const RunContext& context) override {
    const int8_t* x = context.inputs[0].as<int8_t>();
    const float* row_scale = context.inputs[2].as<float>();
    const bool has_bias = context.inputs.size() > 5 && context.inputs[5].present();
    const float* bias = has_bias ? context.inputs[5].as<float>() : nullptr;
    float* y = context.outputs[0].as<float>();
    context.pool.parallel_for(context.outputs[0].shape.size(), 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const int64_t n = i % n_, row = i / n_;
        const float b = bias ? bias[n] + 0.0f : 0.0f;
        const float v = std::fma(product(x + row * k_, n), row_scale[row], b);
        const float above = v < lo_ ? lo_ : v;
        y[i] = above > hi_ ? hi_ : above;
      }
    });
  }

  std::string_view kernel() const override { return "simulated"; }

 private:
  float product(const int8_t* x, int64_t n) const {
    const double* w = centred_.data() + n * k_;
    float t = 0;
    for (int64_t k = 0; k < k_;) {
      const float scale = scale_[n * k_ + k];
      double sum = 0;
      for (const int64_t end = std::min(k + block_, k_); k < end; ++k) sum += w[k] * x[k];
      t = std::fma(static_cast<float>(sum), scale, t);
    }
    return t;
  }

  int64_t n_ = 0, k_ = 0, block_ = 0;
  float lo_ = 0, hi_ = 0;
  std::vector<double> centred_;  // q_w - z_w
  std::vector<float> scale_;     // of every element
};

}  // namespace

std::unique_ptr<Step> make_simulated_qgemm_real(const model::Model&, const model::NodeInfo&) {
  return std::make_unique<SimulatedQGemmReal>();
}

}  // namespace nibble::run
