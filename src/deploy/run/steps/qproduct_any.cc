#include <algorithm>
#include <vector>

#include "deploy/run/steps/qproduct.h"
#include "deploy/run/steps/requantise_constants.h"

namespace nibble::run {
namespace {

class QProductAny : public Step {
 public:
  Status prepare(PrepareContext& context) override {
    const auto windows = qproduct_windows(context);
    if (!windows.ok()) return windows.status();
    const kernels::Windows& w = windows.value();
    const Operand& operand = context.inputs[1];
    const format::PackedRecord& record = operand.info->packed;
    NIBBLE_RETURN_IF_ERROR(constants_.prepare(context, w.groups, record.offset));
    filters_ = operand.shape[0] / w.groups;
    const std::vector<uint8_t> codes = unpacked_codes(operand);
    const int64_t k = w.taps() * w.channels;
    weights_.resize(codes.size());
    for (size_t i = 0; i < codes.size(); ++i)
      weights_[i] = record.spacing * codes[i] - constants_.weight_zero(static_cast<int64_t>(i) / k);
    x_zero_ = static_cast<int32_t>(context.node.attributes.get_int(model::Attr::x_zero, 0));
    plan_ = kernels::WindowPlan(w, w.channels);
    context.scratch_bytes =
        static_cast<size_t>(plan_.copy_size()) * size_of(context.inputs[0].dtype);
    macs_ = static_cast<double>(plan_.rows().count()) * static_cast<double>(w.groups) *
            static_cast<double>(filters_ * k);
    return {};
  }

  void run(const RunContext& context) override {
    const bool wide_x = context.inputs[0].dtype == DType::kI16;
    const bool wide_y = context.outputs[0].dtype == DType::kI16;
    if (wide_x)
      wide_y ? compute<int16_t, int16_t>(context) : compute<int16_t, int8_t>(context);
    else
      wide_y ? compute<int8_t, int16_t>(context) : compute<int8_t, int8_t>(context);
  }

  std::string_view kernel() const override { return "qproduct/portable"; }
  double macs() const override { return macs_; }

 private:
  template <class X, class Y>
  void compute(const RunContext& context) const {
    const X* image = context.inputs[0].as<X>();
    if (plan_.copies()) {
      X* copy = reinterpret_cast<X*>(context.scratch);
      plan_.copy(image, static_cast<X>(x_zero_), copy, context.pool);
      image = copy;
    }
    const kernels::RowPlan& plan = plan_.rows();
    const int64_t groups = plan_.windows().groups, n = groups * filters_;
    context.pool.parallel_for(plan.count(), 8, [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row) {
        int64_t offset;
        plan.offsets(row, 1, &offset);
        for (int64_t channel = 0; channel < n; ++channel) {
          const int64_t group = channel / filters_;
          const X* a = image + offset + group * plan_.channels_stored();
          const int64_t sum = dot(plan, a, weights_.data() + channel * plan.k());
          context.outputs[0].as<Y>()[row * n + channel] =
              static_cast<Y>(code(sum, group, channel % filters_));
        }
      }
    });
  }

  template <class X>
  static int64_t dot(const kernels::RowPlan& plan, const X* a, const int32_t* weights) {
    int64_t sum = 0;
    for (int64_t segment : plan.segment)
      for (int64_t k = 0; k < plan.length; ++k) sum += int64_t{a[segment + k]} * *weights++;
    return sum;
  }

  int32_t code(int64_t sum, int64_t group, int64_t n) const {
    const kernels::OutputS8 out = constants_.output(group);
    const int64_t acc = sum + out.bias[n];
    const int32_t lo = out.y_min - out.y_zero, hi = out.y_max - out.y_zero;
    if (out.binary) {
      const int32_t sign = out.multiplier
                               ? numeric::binary_float(static_cast<int32_t>(acc), out.multiplier[n])
                               : numeric::binary_fixed(acc, {out.m0[n], 0});
      return std::clamp(sign, lo, hi) + out.y_zero;
    }
    if (out.multiplier) {
      const float v = static_cast<float>(acc) * out.multiplier[n];
      const float held = std::clamp(v, static_cast<float>(lo), static_cast<float>(hi));
      return static_cast<int32_t>(numeric::round_half_even(held)) + out.y_zero;
    }
    const int64_t v = numeric::requantise_fixed(acc, {out.m0[n], 31 - out.shift[n]});
    return static_cast<int32_t>(std::clamp<int64_t>(v, lo, hi)) + out.y_zero;
  }

  RequantiseConstants constants_;
  std::vector<int32_t> weights_;  // q_w - z_w, [groups * filters][taps][channels]
  kernels::WindowPlan plan_;
  int64_t filters_ = 0;  // output channels of one group
  int32_t x_zero_ = 0;
  double macs_ = 0;
};

}  // namespace

std::unique_ptr<Step> make_qproduct_any() {
  return std::make_unique<QProductAny>();
}

}  // namespace nibble::run
