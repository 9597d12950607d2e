#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <vector>

#include "deploy/format/format.h"
#include "deploy/kernels/matmul/matmul.h"
#include "deploy/kernels/matmul/panels_s8.h"
#include "deploy/kernels/simd/select.h"
#include "deploy/numeric/requantise.h"
#include "deploy/run/step_factories.h"
#include "deploy/run/steps/image_rows.h"
#include "deploy/run/steps/matmul_shape.h"

namespace nibble::run {
namespace {

using model::Attr;

/// Attributes of the node (model/infer_shapes.h), one factor for all columns.
struct Parameters {
  int32_t x_zero = 0, b_zero = 0, y_zero = 0, y_min = 0, y_max = 0;
  bool fixed = false;
  float multiplier = 0;
  numeric::FixedMultiplier factor;

  static Result<Parameters> of(const PrepareContext& context) {
    const auto& attributes = context.node.attributes;
    const auto integer = [&](Attr key, int64_t otherwise) {
      return static_cast<int32_t>(attributes.get_int(key, otherwise));
    };
    const int32_t limit = context.outputs[0].dtype == DType::kI16 ? 32767 : 127;
    Parameters p;
    p.x_zero = integer(Attr::x_zero, 0);
    p.b_zero = integer(Attr::b_zero, 0);
    p.y_zero = integer(Attr::y_zero, 0);
    p.y_min = integer(Attr::y_min, -limit - 1);
    p.y_max = integer(Attr::y_max, limit);
    const int32_t x_limit = context.inputs[0].dtype == DType::kI16 ? 32768 : 128;
    const int32_t b_limit = context.inputs[1].dtype == DType::kI16 ? 32768 : 128;
    if (p.x_zero < -x_limit || p.x_zero >= x_limit || p.b_zero < -b_limit || p.b_zero >= b_limit ||
        p.y_zero < -limit - 1 || p.y_zero > limit)
      return invalid_argument("expects zero points among the codes, found " +
                              std::to_string(p.x_zero) + ", " + std::to_string(p.b_zero) + " and " +
                              std::to_string(p.y_zero));
    if (p.y_min > p.y_max || p.y_min < -limit - 1 || p.y_max > limit)
      return invalid_argument("expects y_min <= y_max within the codes of y, found " +
                              std::to_string(p.y_min) + " and " + std::to_string(p.y_max));
    if (integer(Attr::binary, 0) != 0) return unsupported("binary results of QMatMul");
    p.fixed = context.model.requantise == numeric::RequantiseVariant::kFixed;
    const auto m = attributes.get_floats(Attr::multiplier);
    const auto m0 = attributes.get_ints(Attr::fixed_multiplier);
    const auto e = attributes.get_ints(Attr::fixed_exponent);
    if (p.fixed ? m0.size() != 1 || e.size() != 1 : m.size() != 1)
      return invalid_argument(p.fixed ? "expects one fixed_multiplier and one fixed_exponent"
                                      : "expects one multiplier");
    if (p.fixed) {
      if (m0[0] < 0 || m0[0] > INT32_MAX || e[0] < -31 || e[0] > 30)
        return invalid_argument(
            "expects a fixed_multiplier in 0 .. 2^31 - 1 and an exponent in -31 .. 30");
      p.factor = {static_cast<int32_t>(m0[0]), static_cast<int32_t>(e[0])};
    } else {
      if (!(std::isfinite(m[0]) && m[0] >= 0))
        return invalid_argument("expects a finite multiplier that is not negative, found " +
                                std::to_string(m[0]));
      p.multiplier = m[0];
    }
    return p;
  }
};

/// i8 x i8 -> i8: B is packed at each run and multiplied by the core of the constant products.
class QMatmulS8 : public Step {
 public:
  Status prepare(PrepareContext& context) override {
    const auto parameters = Parameters::of(context);
    if (!parameters.ok()) return parameters.status();
    p_ = parameters.value();
    shape_.emplace(context.inputs[0].shape, context.inputs[1].shape);
    const int64_t m = shape_->m, n = shape_->n, k = shape_->k;
    variant_ = &kernels::select(kernels::matmul_s8_variants(), context.isa);
    kernels::Windows rows;
    rows.in[2] = rows.out[2] = m;
    rows.channels = k;
    const auto columns = static_cast<size_t>(format::round_up(n, kernels::kPanelS8));
    w_zero_.assign(columns, 128 + p_.b_zero);
    multiplier_.assign(columns, p_.multiplier);
    m0_.assign(columns, p_.factor.m0);
    shift_.assign(columns, 31 - p_.factor.exponent);

    const bool sums = kernels::needs_row_sums(*variant_, problem(), m);
    rows_ = ImageRows(kernels::WindowPlan(rows, format::round_up(k, format::kChannelMultiple)),
                      sums ? variant_->core->sums : nullptr, /*padding=*/0, context);
    const auto width = static_cast<int64_t>(columns);
    panels_at_ = take_scratch(context, width * format::round_up(k, format::kStep));
    bias_at_ = take_scratch(context, width * 4);
    workspace_at_ =
        take_scratch(context, static_cast<int64_t>(kernels::matmul_s8_workspace(
                                  *variant_, problem(), rows_.plan().rows(), context.threads)));
    return {};
  }

  void run(const RunContext& context) override {
    const int64_t m = shape_->m, n = shape_->n, k = shape_->k;
    auto* panels = reinterpret_cast<uint8_t*>(context.scratch + panels_at_);
    auto* bias = reinterpret_cast<int32_t*>(context.scratch + bias_at_);
    kernels::OutputS8 output{.bias = bias, .w_zero = w_zero_.data(), .same_zero = true};
    if (p_.fixed) {
      output.m0 = m0_.data();
      output.shift = shift_.data();
    } else {
      output.multiplier = multiplier_.data();
    }
    output.y_zero = p_.y_zero;
    output.y_min = p_.y_min;
    output.y_max = p_.y_max;

    int8_t* y = context.outputs[0].as<int8_t>();
    int64_t packed = -1;
    for (const MatmulShape::Product& product : shape_->products) {
      if (product.b != packed) pack(context, product.b, panels, bias);
      packed = product.b;
      const ImageRows::View rows =
          rows_.run(context.inputs[0].as<int8_t>() + product.a * m * k, context);
      kernels::MatmulS8 p = problem();
      p.b = reinterpret_cast<const std::byte*>(panels);
      p.output = output;
      kernels::matmul_s8(*variant_, p, rows_.plan().rows(),
                         {.a = rows.codes,
                          .row_sums = rows.sums,
                          .out = y,
                          .stride = n,
                          .workspace = context.scratch + workspace_at_},
                         context.pool);
      y += m * n;
    }
  }

  std::string_view kernel() const override { return variant_->name; }
  double macs() const override {
    return static_cast<double>(shape_->products.size()) * static_cast<double>(shape_->m) *
           static_cast<double>(shape_->n) * static_cast<double>(shape_->k);
  }

 private:
  kernels::MatmulS8 problem() const {
    return {.n = shape_->n,
            .n_padded = format::round_up(shape_->n, kernels::kPanelS8),
            .k_padded = format::round_up(shape_->k, format::kStep)};
  }

  /// Panels of matrix `index`, and what the zero point of A adds: - z_a sum_k (b - z_b).
  void pack(const RunContext& context, int64_t index, uint8_t* panels, int32_t* bias) const {
    const int64_t n = shape_->n, k = shape_->k;
    const int8_t* b = context.inputs[1].as<int8_t>() + index * k * n;
    const int64_t count = format::round_up(n, kernels::kPanelS8) / kernels::kPanelS8;
    context.pool.parallel_for(count, 1, [&](int64_t begin, int64_t end) {
      kernels::pack_panels_s8(b, k, n, begin, end, panels, bias);
      for (int64_t j = begin * kernels::kPanelS8; j < end * kernels::kPanelS8; ++j)
        bias[j] = static_cast<int32_t>(-int64_t{p_.x_zero} * (bias[j] - k * p_.b_zero));
    });
  }

  Parameters p_;
  std::optional<MatmulShape> shape_;
  ImageRows rows_;
  std::vector<int32_t> w_zero_, m0_, shift_;
  std::vector<float> multiplier_;
  const kernels::MatmulS8Variant* variant_ = nullptr;
  size_t panels_at_ = 0, bias_at_ = 0, workspace_at_ = 0;
};

/// Any of i8 and i16 operands; int64 sums, not tuned.
template <class X, class B, class Y>
class QMatmulAny : public Step {
 public:
  Status prepare(PrepareContext& context) override {
    const auto parameters = Parameters::of(context);
    if (!parameters.ok()) return parameters.status();
    p_ = parameters.value();
    shape_.emplace(context.inputs[0].shape, context.inputs[1].shape);
    return {};
  }

  void run(const RunContext& context) override {
    const int64_t m = shape_->m, n = shape_->n, k = shape_->k;
    Y* y = context.outputs[0].as<Y>();
    for (const MatmulShape::Product& product : shape_->products) {
      const X* a = context.inputs[0].as<X>() + product.a * m * k;
      const B* b = context.inputs[1].as<B>() + product.b * k * n;
      for (int64_t i = 0; i < m; ++i) {
        for (int64_t j = 0; j < n; ++j) {
          int64_t sum = 0;
          for (int64_t t = 0; t < k; ++t)
            sum += int64_t{a[i * k + t] - p_.x_zero} * (b[t * n + j] - p_.b_zero);
          *y++ = static_cast<Y>(code(sum));
        }
      }
    }
  }

  std::string_view kernel() const override { return "qmatmul/portable"; }

 private:
  int64_t code(int64_t sum) const {
    const int64_t lo = p_.y_min - p_.y_zero, hi = p_.y_max - p_.y_zero;
    if (p_.fixed) return std::clamp(numeric::requantise_fixed(sum, p_.factor), lo, hi) + p_.y_zero;
    const float held = std::clamp(static_cast<float>(sum) * p_.multiplier, static_cast<float>(lo),
                                  static_cast<float>(hi));
    return static_cast<int64_t>(numeric::round_half_even(held)) + p_.y_zero;
  }

  Parameters p_;
  std::optional<MatmulShape> shape_;
};

template <class X, class B>
std::unique_ptr<Step> make_any(bool wide_y) {
  if (wide_y) return std::make_unique<QMatmulAny<X, B, int16_t>>();
  return std::make_unique<QMatmulAny<X, B, int8_t>>();
}

}  // namespace

std::unique_ptr<Step> make_qmatmul(const model::Model& model, const model::NodeInfo& node) {
  const auto dtype = [&](int tensor) { return model.tensors[static_cast<size_t>(tensor)].dtype; };
  const DType x = dtype(node.inputs[0]), b = dtype(node.inputs[1]), y = dtype(node.outputs[0]);
  for (DType each : {x, b, y})
    if (each != DType::kI8 && each != DType::kI16) return nullptr;
  const bool wide_x = x == DType::kI16, wide_b = b == DType::kI16, wide_y = y == DType::kI16;
  if (!wide_x && !wide_b && !wide_y) return std::make_unique<QMatmulS8>();
  if (wide_x)
    return wide_b ? make_any<int16_t, int16_t>(wide_y) : make_any<int16_t, int8_t>(wide_y);
  return wide_b ? make_any<int8_t, int16_t>(wide_y) : make_any<int8_t, int8_t>(wide_y);
}

}  // namespace nibble::run
