#include "deploy/run/simulate/on_grid.h"

#include <algorithm>
#include <string>

#include "deploy/numeric/quantize.h"
#include "deploy/numeric/scale_index.h"

namespace nibble::run::simulate {

using model::Attr;
using numeric::Granularity;
using numeric::RequantiseVariant;

Result<OneScale> one_scale(const Operand& operand) {
  const auto& quant = operand.info->quant;
  if (!quant) return unsupported("'" + operand.info->name + "' has no grid, expected one");
  if (operand.dtype != DType::kF32)
    return unsupported("'" + operand.info->name + "' is " + std::string(name_of(operand.dtype)) +
                       ", expected f32 on a grid");
  if (quant->granularity != Granularity::kTensor || quant->scales.size() != 1)
    return unsupported("'" + operand.info->name + "' has more than one scale, expected one");
  return OneScale{quant->scales[0], quant->zero_point(0), quant->qmin, quant->qmax,
                  quant->grid == numeric::GridId::kBinary};
}

void centre(const OneScale& grid, const float* x, int64_t n, double* out) {
  for (int64_t i = 0; i < n; ++i) out[i] = grid.centred(x[i]);
}

Output::Output(const PrepareContext& context, const OneScale& grid)
    : grid_(grid), lo_(grid.qmin), hi_(grid.qmax), variant_(context.model.requantise) {
  const auto& attributes = context.node.attributes;
  const auto code = [&](Attr key) { return grid.code(attributes.get_float(key, 0)); };
  if (attributes.has(Attr::clip_min)) lo_ = code(Attr::clip_min);
  if (attributes.has(Attr::clip_max)) hi_ = code(Attr::clip_max);
  lo_ = std::min(lo_, hi_);  // min(max(y, lo), hi)
}

float Output::requantise(double acc, double m) const {
  if (grid_.binary)
    return clamped(variant_ == RequantiseVariant::kFloat
                       ? numeric::binary_float(static_cast<int32_t>(acc), static_cast<float>(m))
                       : numeric::binary_fixed(static_cast<int64_t>(acc), numeric::to_fixed(m)));
  if (variant_ == RequantiseVariant::kFloat)
    return clamped(
        numeric::requantise_float(static_cast<int32_t>(acc), static_cast<float>(m), lo(), hi()));
  return clamped(numeric::requantise_fixed(static_cast<int64_t>(acc), numeric::to_fixed(m)));
}

float Output::clamped(int64_t centred) const {
  const int64_t q = std::clamp<int64_t>(centred, lo(), hi());
  return grid_.value(static_cast<int32_t>(q) + grid_.zero);
}

Result<Weights> weights_of(const PrepareContext& context, int axis, const OneScale& x,
                           const OneScale& y) {
  const Operand& w = context.inputs[1];
  if (!w.info->quant || w.data == nullptr)
    return unsupported("'" + w.info->name + "' is not a quantised constant");
  const numeric::QuantParams& grid = *w.info->quant;
  if (grid.granularity == Granularity::kBlock ||
      (grid.granularity != Granularity::kTensor && grid.axis != axis))
    return unsupported("'" + w.info->name + "' has scales that are not by output channel");
  std::vector<int32_t> codes(static_cast<size_t>(w.shape.size()));
  const auto done = numeric::quantize(w.view(), grid, {DType::kI32, w.shape, codes.data()});
  if (!done.ok()) return done.status();

  Weights result;
  const numeric::ScaleIndex index(grid, w.shape);
  result.centred.resize(codes.size());
  for (size_t i = 0; i < codes.size(); ++i)
    result.centred[i] = codes[i] - grid.zero_point(index[static_cast<int64_t>(i)]);

  const bool has_bias = context.inputs.size() > 2 && context.inputs[2].present();
  if (has_bias && context.inputs[2].data == nullptr)
    return unsupported("'" + context.inputs[2].info->name + "' is not constant");
  const int64_t stride = w.shape.size(axis + 1, w.shape.rank());
  for (int64_t n = 0; n < w.shape[axis]; ++n) {
    const double scale = grid.scales[codes.empty() ? 0 : index[n * stride]];
    double b = 0;
    if (has_bias) {
      const auto bias = context.inputs[2].view().span<float>();
      b = numeric::round_half_even(double{bias[bias.size() == 1 ? 0 : static_cast<size_t>(n)]} /
                                   (double{x.scale} * scale));
    }
    result.bias.push_back(b);
    result.factor.push_back(double{x.scale} * scale / double{y.scale});
  }
  return result;
}

}  // namespace nibble::run::simulate
