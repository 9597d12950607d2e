// GlobalAveragePool of codes onto a grid of its own, channels last: the exact sum of the codes less
// their zero point is requantised with the factor s_x / (positions s_y), so the mean is rounded
// once.

#include <algorithm>
#include <limits>
#include <memory>
#include <string>

#include "deploy/numeric/requantise.h"
#include "deploy/run/step_factories.h"
#include "deploy/run/steps/code_arithmetic.h"

namespace nibble::run {
namespace {

using model::Attr;

template <class T>
class GlobalMeanStep : public Step {
 public:
  Status prepare(PrepareContext& context) override {
    const Shape& x = context.inputs[0].shape;
    if (context.node.attributes.get_int(Attr::channels_last, 0) == 0)
      return unsupported("a mean with a grid of its own expects channels_last data");
    auto arithmetic = code_arithmetic(context);
    if (!arithmetic.ok()) return arithmetic.status();
    arithmetic_ = arithmetic.value();
    fixed_ = context.model.requantise == numeric::RequantiseVariant::kFixed;
    positions_ = x.size(1, x.rank() - 1);
    channels_ = x[x.rank() - 1];
    const int64_t largest = int64_t{1} << (8 * sizeof(T));
    if (positions_ > std::numeric_limits<int32_t>::max() / largest)
      return unsupported("a mean over " + std::to_string(positions_) +
                         " codes does not fit a 32-bit sum");
    context.scratch_bytes = static_cast<size_t>(x[0] * channels_) * sizeof(int32_t);
    return {};
  }

  void run(const RunContext& context) override {
    const T* x = context.inputs[0].as<T>();
    T* y = context.outputs[0].as<T>();
    auto* sums = reinterpret_cast<int32_t*>(context.scratch);
    context.pool.parallel_for(context.inputs[0].shape[0], 1, [&](int64_t begin, int64_t end) {
      for (int64_t b = begin; b < end; ++b)
        one_image(x + b * positions_ * channels_, sums + b * channels_, y + b * channels_);
    });
  }

 private:
  /// sums[c] += the codes of channel c at all positions.
  void add_positions(const T* x, int32_t* sums) const {
    constexpr int64_t kChannels = 32;  // a loop of constant length: vectors
    int64_t c = 0;
    for (; c + kChannels <= channels_; c += kChannels) {
      int32_t some[kChannels] = {};
      for (int64_t p = 0; p < positions_; ++p)
        for (int64_t j = 0; j < kChannels; ++j) some[j] += x[p * channels_ + c + j];
      for (int64_t j = 0; j < kChannels; ++j) sums[c + j] += some[j];
    }
    for (; c < channels_; ++c)
      for (int64_t p = 0; p < positions_; ++p) sums[c] += x[p * channels_ + c];
  }

  void one_image(const T* x, int32_t* sums, T* y) const {
    const kernels::CodeFactors& f = arithmetic_.factors;
    const kernels::CodeRange& r = arithmetic_.range;
    const auto start = static_cast<int32_t>(-positions_ * f.zero_a);
    for (int64_t c = 0; c < channels_; ++c) sums[c] = start;
    add_positions(x, sums);
    for (int64_t c = 0; c < channels_; ++c) {
      const int64_t lo = int64_t{r.lo} - r.zero, hi = int64_t{r.hi} - r.zero;
      if (arithmetic_.binary) {
        const int32_t sign = fixed_ ? numeric::binary_fixed(sums[c], {f.fixed_a, 31 - f.shift})
                                    : numeric::binary_float(sums[c], f.m_a);
        y[c] = static_cast<T>(std::clamp(sign, r.lo, r.hi));
        continue;
      }
      const int64_t code =
          fixed_ ? std::clamp(
                       (int64_t{sums[c]} * f.fixed_a + (int64_t{1} << (f.shift - 1))) >> f.shift,
                       lo, hi)
                 : numeric::requantise_float(sums[c], f.m_a, static_cast<int32_t>(lo),
                                             static_cast<int32_t>(hi));
      y[c] = static_cast<T>(code + r.zero);
    }
  }

  CodeArithmetic arithmetic_;
  bool fixed_ = false;
  int64_t positions_ = 1, channels_ = 1;
};

}  // namespace

std::unique_ptr<Step> global_mean_step(const model::Model& model, const model::NodeInfo& node) {
  switch (model.tensors[static_cast<size_t>(node.inputs[0])].dtype) {
    case DType::kI8:
      return std::make_unique<GlobalMeanStep<int8_t>>();
    case DType::kI16:
      return std::make_unique<GlobalMeanStep<int16_t>>();
    default:
      return nullptr;
  }
}

}  // namespace nibble::run
