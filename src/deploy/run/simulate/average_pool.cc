#include <vector>

#include "deploy/model/window.h"
#include "deploy/numeric/rounding.h"
#include "deploy/run/simulate/on_grid.h"
#include "deploy/run/step_factories.h"

namespace nibble::run {
namespace {

using model::Attr;
using model::Op;
using simulate::OneScale;

/// Mean of codes over the windows of x [N, spatial..., C], half to even; the grid stays, but for a
/// global mean whose result has another. Taps in
/// the padding count, as code z, under count_include_pad; taps beyond it (ceil_mode) never do.
class SimulatedAveragePool : public Step {
 public:
  Status prepare(PrepareContext& context) override {
    const Shape& x = context.inputs[0].shape;
    const int axes = x.rank() - 2;
    if (axes < 1 || axes > 3) return unsupported("expects 1 to 3 spatial axes");
    if (context.node.attributes.get_int(Attr::channels_last, 0) == 0)
      return unsupported("expects channels_last data");
    const auto grid = simulate::one_scale(context.inputs[0]);
    if (!grid.ok()) return grid.status();
    grid_ = grid.value();
    const auto output = simulate::one_scale(context.outputs[0]);
    if (!output.ok()) return output.status();
    own_grid_ = context.node.op == Op::kGlobalAveragePool &&
                !(output.value().scale == grid_.scale && output.value().zero == grid_.zero &&
                  output.value().qmin == grid_.qmin && output.value().qmax == grid_.qmax);
    output_ = simulate::Output(context, output.value());
    const auto count = static_cast<size_t>(axes);
    const auto spatial = x.dims().subspan(1, count);
    windows_.assign(3 - count, model::Window{.input = 1, .output = 1});
    if (context.node.op == Op::kGlobalAveragePool) {
      for (int64_t dim : spatial) windows_.push_back({.input = dim, .kernel = dim, .output = 1});
    } else {
      const auto resolved =
          model::resolve_windows(Op::kAveragePool, context.node.attributes, spatial,
                                 context.node.attributes.get_ints(Attr::kernel_shape));
      if (!resolved.ok()) return resolved.status();
      windows_.insert(windows_.end(), resolved.value().begin(), resolved.value().end());
    }
    counts_padding_ = context.node.attributes.get_int(Attr::count_include_pad, 0) != 0;
    return {};
  }

  void run(const RunContext& context) override {
    const Shape& shape = context.outputs[0].shape;
    const int64_t channels = shape[shape.rank() - 1];
    const float* x = context.inputs[0].as<float>();
    float* y = context.outputs[0].as<float>();
    for (int64_t i = 0, n = shape.size(); i < n; ++i)
      y[i] = mean(x, i / channels, i % channels, channels);
  }

  std::string_view kernel() const override { return "simulated"; }

 private:
  float mean(const float* x, int64_t pixel, int64_t channel, int64_t channels) const {
    const model::Window &w0 = windows_[0], &w1 = windows_[1], &w2 = windows_[2];
    const int64_t at[3] = {pixel / (w1.output * w2.output) % w0.output,
                           pixel / w2.output % w1.output, pixel % w2.output};
    const int64_t batch = pixel / (w0.output * w1.output * w2.output);
    int64_t sum = 0, taps = 0;
    for (int64_t k = 0; k < w0.kernel * w1.kernel * w2.kernel; ++k) {
      const int64_t tap[3] = {k / (w1.kernel * w2.kernel), k / w2.kernel % w1.kernel,
                              k % w2.kernel};
      int64_t from = batch;
      bool inside = true, padding = true;
      for (size_t d = 0; d < 3; ++d) {
        const model::Window& w = windows_[d];
        const int64_t i = at[d] * w.stride - w.pad_begin + tap[d] * w.dilation;
        inside &= i >= 0 && i < w.input;
        padding &= i < w.input + w.pad_end;
        from = from * w.input + i;
      }
      if (inside) {
        sum += static_cast<int64_t>(grid_.centred(x[from * channels + channel])) + grid_.zero;
      } else if (counts_padding_ && padding) {
        sum += grid_.zero;
      } else {
        continue;
      }
      ++taps;
    }
    if (own_grid_)
      return output_.requantise(
          static_cast<double>(sum - taps * grid_.zero),
          double{grid_.scale} / (static_cast<double>(taps) * double{output_.grid().scale}));
    const int64_t code = taps > 0 ? numeric::divide_half_even(sum, taps) : grid_.zero;
    return grid_.value(static_cast<int32_t>(code));
  }

  OneScale grid_;
  std::vector<model::Window> windows_;  // three
  bool counts_padding_ = false;
  bool own_grid_ = false;  // of a global mean: rounded once, onto the grid of the result
  simulate::Output output_;
};

}  // namespace

std::unique_ptr<Step> make_simulated_average_pool(const model::Model&, const model::NodeInfo&) {
  return std::make_unique<SimulatedAveragePool>();
}

}  // namespace nibble::run
