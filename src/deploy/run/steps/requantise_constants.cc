#include "deploy/run/steps/requantise_constants.h"

#include <cmath>
#include <string>

#include "deploy/kernels/matmul/matmul_s8.h"

namespace nibble::run {
namespace {

using model::Attr;

struct Wanted {
  size_t input;
  std::string_view name;
  DType dtype;
};

/// Input `wanted.input` as a constant of one value an output channel.
Status check_constant(const PrepareContext& context, const Wanted& wanted, int64_t channels) {
  const std::string expects = "expects a constant " + std::string(wanted.name) + " of " +
                              std::string(name_of(wanted.dtype)) + " [" + std::to_string(channels) +
                              "]";
  if (context.inputs.size() <= wanted.input || !context.inputs[wanted.input].present())
    return invalid_argument(expects + ", found none");
  const Operand& operand = context.inputs[wanted.input];
  if (operand.dtype != wanted.dtype || operand.shape.size() != channels)
    return invalid_argument(expects + ", found " + std::string(name_of(operand.dtype)) + " " +
                            to_string(operand.shape));
  if (operand.data == nullptr) return unsupported(expects);
  return {};
}

Status check_bounds(int64_t zero, int64_t lo, int64_t hi, DType dtype) {
  const int64_t limit = dtype == DType::kI16 ? 32768 : 128;
  if (-limit <= lo && lo <= hi && hi < limit && -limit <= zero && zero < limit) return {};
  return invalid_argument("expects y_min <= y_max and y_zero within " +
                          std::string(name_of(dtype)) + ", found " + std::to_string(lo) + ", " +
                          std::to_string(hi) + " and " + std::to_string(zero));
}

}  // namespace

Status RequantiseConstants::prepare(const PrepareContext& context, int64_t groups, int32_t offset) {
  const int64_t channels = context.inputs[1].shape[0];
  n_ = channels / groups;
  n_padded_ = (n_ + kernels::kPanelS8 - 1) / kernels::kPanelS8 * kernels::kPanelS8;
  const auto size = static_cast<size_t>(groups * n_padded_);
  const bool fixed = context.model.requantise == numeric::RequantiseVariant::kFixed;
  const bool has_zero = context.inputs.size() > 5 && context.inputs[5].present();

  NIBBLE_RETURN_IF_ERROR(check_constant(context, {2, "bias", DType::kI32}, channels));
  NIBBLE_RETURN_IF_ERROR(
      check_constant(context, {3, "multiplier", fixed ? DType::kI32 : DType::kF32}, channels));
  if (fixed)
    NIBBLE_RETURN_IF_ERROR(check_constant(context, {4, "exponent", DType::kI32}, channels));
  if (has_zero)
    NIBBLE_RETURN_IF_ERROR(check_constant(context, {5, "w_zero", DType::kI32}, channels));

  bias_.assign(size, 0);
  w_zero_.assign(size, 0);
  multiplier_.assign(fixed ? 0 : size, 0.0f);
  m0_.assign(fixed ? size : 0, 0);
  shift_.assign(fixed ? size : 0, 31);
  for (int64_t c = 0; c < channels; ++c) {
    const size_t i = padded(c);
    bias_[i] = context.inputs[2].as<int32_t>()[c];
    const int32_t zero = has_zero ? context.inputs[5].as<int32_t>()[c] : 0;
    if (zero < -128 || zero > 255)
      return invalid_argument("expects a w_zero of an 8-bit grid, found " + std::to_string(zero) +
                              " for channel " + std::to_string(c));
    w_zero_[i] = offset + zero;
    shared_.same_zero = (c == 0 || shared_.same_zero) && w_zero_[i] == w_zero_[0];
    if (!fixed) {
      multiplier_[i] = context.inputs[3].as<float>()[c] + 0.0f;  // -0 becomes 0
      if (!(std::isfinite(multiplier_[i]) && multiplier_[i] >= 0))
        return invalid_argument("expects finite multipliers that are not negative, found " +
                                std::to_string(multiplier_[i]) + " for channel " +
                                std::to_string(c));
      continue;
    }
    m0_[i] = context.inputs[3].as<int32_t>()[c];
    const int64_t shift = int64_t{31} - context.inputs[4].as<int32_t>()[c];
    if (shift < 1 || shift > 62 || m0_[i] < 0)
      return invalid_argument("expects multipliers below 2^30, found " + std::to_string(m0_[i]) +
                              " * 2^-" + std::to_string(shift) + " for channel " +
                              std::to_string(c));
    shift_[i] = static_cast<int32_t>(shift);
  }

  const auto& attributes = context.node.attributes;
  const DType dtype = context.outputs[0].dtype;
  const int64_t limit = dtype == DType::kI16 ? 32768 : 128;
  const int64_t zero = attributes.get_int(Attr::y_zero, 0);
  const int64_t lo = attributes.get_int(Attr::y_min, -limit);
  const int64_t hi = attributes.get_int(Attr::y_max, limit - 1);
  NIBBLE_RETURN_IF_ERROR(check_bounds(zero, lo, hi, dtype));
  shared_.y_zero = static_cast<int32_t>(zero);
  shared_.y_min = static_cast<int32_t>(lo);
  shared_.y_max = static_cast<int32_t>(hi);
  shared_.binary = attributes.get_int(Attr::binary, 0) != 0;
  if (shared_.binary && (dtype != DType::kI8 || zero != 0))
    return invalid_argument("expects binary codes of i8 without a zero point, found " +
                            std::string(name_of(dtype)) + " with y_zero " + std::to_string(zero));
  return read_residual(context);
}

Status RequantiseConstants::read_residual(const PrepareContext& context) {
  if (context.inputs.size() <= 6 || !context.inputs[6].present()) return {};
  const Operand &residual = context.inputs[6], &y = context.outputs[0];
  if (residual.dtype != DType::kI8 || y.dtype != DType::kI8 || residual.shape != y.shape)
    return invalid_argument("expects a residual of i8 " + to_string(y.shape) + ", found " +
                            std::string(name_of(residual.dtype)) + " " + to_string(residual.shape));
  const auto& attributes = context.node.attributes;
  const auto m = attributes.get_floats(Attr::sum_multiplier);
  const auto fits = [](float factor) { return std::abs(factor) <= 0x1p29f; };  // NaN does not
  if (multiplier_.empty() || shared_.binary || m.size() != 2 || !fits(m[0]) || !fits(m[1]))
    return invalid_argument("expects a residual in variant float, with two factors up to 2^29");
  const int64_t r_zero = attributes.get_int(Attr::residual_zero, 0);
  const int64_t zero = attributes.get_int(Attr::sum_zero, 0);
  const int64_t lo = attributes.get_int(Attr::sum_min, -128);
  const int64_t hi = attributes.get_int(Attr::sum_max, 127);
  NIBBLE_RETURN_IF_ERROR(check_bounds(zero, lo, hi, DType::kI8));
  NIBBLE_RETURN_IF_ERROR(check_bounds(r_zero, lo, hi, DType::kI8));
  shared_.residual = {m[0],
                      m[1],
                      static_cast<int32_t>(r_zero),
                      static_cast<int32_t>(zero),
                      static_cast<int32_t>(lo),
                      static_cast<int32_t>(hi)};
  return {};
}

void RequantiseConstants::repeat(int64_t fold) {
  const auto copy = [&](auto& values) {
    if (values.empty()) return;
    const auto n = static_cast<size_t>(n_);
    for (size_t i = n; i < static_cast<size_t>(fold) * n; ++i) values[i] = values[i - n];
  };
  copy(bias_), copy(w_zero_), copy(multiplier_), copy(m0_), copy(shift_);
}

kernels::OutputS8 RequantiseConstants::output(int64_t g) const {
  kernels::OutputS8 out = shared_;
  const int64_t at = g * n_padded_;
  out.bias = bias_.data() + at;
  out.w_zero = w_zero_.data() + at;
  if (!multiplier_.empty()) {
    out.multiplier = multiplier_.data() + at;
  } else {
    out.m0 = m0_.data() + at;
    out.shift = shift_.data() + at;
  }
  return out;
}

}  // namespace nibble::run
