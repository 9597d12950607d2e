#include "deploy/run/simulate/on_grid.h"
#include "deploy/run/step_factories.h"
#include "deploy/run/steps/conv_windows.h"

namespace nibble::run {
namespace {

using simulate::OneScale;

/// Conv on values of grids: x [N, spatial..., C], weights [O, k..., C / group]. Padding is q_x =
/// z_x.
class SimulatedConv : public Step {
 public:
  Status prepare(PrepareContext& context) override {
    const auto windows = conv_windows(context);
    if (!windows.ok()) return windows.status();
    w_ = windows.value();
    const auto x = simulate::one_scale(context.inputs[0]);
    if (!x.ok()) return x.status();
    const auto y = simulate::one_scale(context.outputs[0]);
    if (!y.ok()) return y.status();
    x_ = x.value();
    y_ = simulate::Output(context, y.value());
    auto weights = simulate::weights_of(context, 0, x_, y.value());
    if (!weights.ok()) return weights.status();
    weights_ = std::move(weights).value();
    filters_ = context.inputs[1].shape[0];
    context.scratch_bytes = static_cast<size_t>(context.inputs[0].shape.size()) * sizeof(double);
    return {};
  }

  void run(const RunContext& context) override {
    const Operand& x = context.inputs[0];
    auto* image = reinterpret_cast<double*>(context.scratch);
    simulate::centre(x_, x.as<float>(), x.shape.size(), image);
    float* y = context.outputs[0].as<float>();
    const int64_t pixels = w_.batch * w_.out[0] * w_.out[1] * w_.out[2];
    context.pool.parallel_for(pixels, 1, [&](int64_t begin, int64_t end) {
      for (int64_t p = begin; p < end; ++p)
        for (int64_t o = 0; o < filters_; ++o)
          y[p * filters_ + o] = y_.requantise(sum(image, p, o), weights_.factor[o]);
    });
  }

  std::string_view kernel() const override { return "simulated"; }

 private:
  /// acc of output pixel p, channel o.
  double sum(const double* image, int64_t p, int64_t o) const {
    const int64_t at[3] = {p / (w_.out[1] * w_.out[2]) % w_.out[0], p / w_.out[2] % w_.out[1],
                           p % w_.out[2]};
    const int64_t batch = p / (w_.out[0] * w_.out[1] * w_.out[2]);
    const int64_t channels = w_.groups * w_.channels;
    const int64_t first = o / (filters_ / w_.groups) * w_.channels;
    const double* weights = weights_.centred.data() + o * w_.taps() * w_.channels;
    double acc = weights_.bias[o];
    for (int64_t k = 0; k < w_.taps(); ++k, weights += w_.channels) {
      const int64_t tap[3] = {k / (w_.kernel[1] * w_.kernel[2]), k / w_.kernel[2] % w_.kernel[1],
                              k % w_.kernel[2]};
      int64_t pixel = batch;
      bool inside = true;
      for (size_t d = 0; d < 3; ++d) {
        const int64_t i = at[d] * w_.stride[d] - w_.pad[d] + tap[d] * w_.dilation[d];
        inside &= i >= 0 && i < w_.in[d];
        pixel = pixel * w_.in[d] + i;
      }
      if (!inside) continue;  // q_x - z_x = 0
      const double* values = image + pixel * channels + first;
      for (int64_t c = 0; c < w_.channels; ++c) acc += weights[c] * values[c];
    }
    return acc;
  }

  kernels::Windows w_;
  OneScale x_;
  simulate::Output y_;
  simulate::Weights weights_;
  int64_t filters_ = 0;
};

}  // namespace

std::unique_ptr<Step> make_simulated_conv(const model::Model&, const model::NodeInfo&) {
  return std::make_unique<SimulatedConv>();
}

}  // namespace nibble::run
