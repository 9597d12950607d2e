#include "deploy/run/steps/code_arithmetic.h"

#include <cmath>
#include <limits>
#include <span>
#include <string>

namespace nibble::run {
namespace {

using model::Attr;

template <class T>
CodeBounds bounds() {
  return {std::numeric_limits<T>::min(), std::numeric_limits<T>::max()};
}

// An attribute that must lie in [lo, hi].
Status read(const model::Attributes& attributes, Attr key, int64_t otherwise, CodeBounds allowed,
            int32_t& value) {
  const int64_t found = attributes.get_int(key, otherwise);
  if (found < allowed.lo || found > allowed.hi)
    return invalid_argument(std::string(name_of(key)) + " " + std::to_string(found) +
                            ", expected " + std::to_string(allowed.lo) + " to " +
                            std::to_string(allowed.hi));
  value = static_cast<int32_t>(found);
  return {};
}

Status wrong_count(Attr key, size_t found, size_t expected) {
  return invalid_argument(std::to_string(found) + " values of " + std::string(name_of(key)) +
                          ", expected " + std::to_string(expected));
}

Status read_float(const model::Attributes& attributes, bool sum, kernels::CodeFactors& factors) {
  const auto m = attributes.get_floats(Attr::multiplier);
  if (m.size() != (sum ? 2 : 1)) return wrong_count(Attr::multiplier, m.size(), sum ? 2 : 1);
  for (float f : m)
    if (!(std::isfinite(f) && f >= 0))
      return invalid_argument("multiplier " + std::to_string(f) +
                              ", expected a finite number that is not negative");
  factors.m_a = m[0];
  factors.m_b = sum ? m[1] : 0;
  return {};
}

Status read_fixed(const model::Attributes& attributes, bool sum, kernels::CodeFactors& factors) {
  const auto m = attributes.get_ints(Attr::fixed_multiplier);
  const auto e = attributes.get_ints(Attr::fixed_exponent);
  if (m.size() != (sum ? 2 : 1)) return wrong_count(Attr::fixed_multiplier, m.size(), sum ? 2 : 1);
  if (e.size() != 1) return wrong_count(Attr::fixed_exponent, e.size(), 1);
  for (int64_t m0 : m)
    if (m0 < 0 || m0 > std::numeric_limits<int32_t>::max())
      return invalid_argument("fixed_multiplier " + std::to_string(m0) +
                              ", expected 0 to 2^31 - 1");
  if (e[0] < -31 || e[0] > 30)
    return invalid_argument("fixed_exponent " + std::to_string(e[0]) + ", expected -31 to 30");
  factors.fixed_a = static_cast<int32_t>(m[0]);
  factors.fixed_b = sum ? static_cast<int32_t>(m[1]) : 0;
  factors.shift = static_cast<int>(31 - e[0]);
  return {};
}

}  // namespace

CodeBounds container_bounds(DType dtype) {
  if (dtype == DType::kI8) return bounds<int8_t>();
  if (dtype == DType::kU8) return bounds<uint8_t>();
  return dtype == DType::kI16 ? bounds<int16_t>() : bounds<uint16_t>();
}

Result<CodeArithmetic> code_arithmetic(const PrepareContext& context) {
  const model::Attributes& attributes = context.node.attributes;
  const bool sum = context.node.op == model::Op::kQAdd;
  CodeArithmetic arithmetic;
  kernels::CodeFactors& factors = arithmetic.factors;
  kernels::CodeRange& range = arithmetic.range;
  const CodeBounds x = container_bounds(context.inputs[0].dtype);
  const CodeBounds y = container_bounds(context.outputs[0].dtype);
  NIBBLE_RETURN_IF_ERROR(read(attributes, Attr::x_zero, 0, x, factors.zero_a));
  if (context.inputs.size() > 1) {
    const CodeBounds b = container_bounds(context.inputs[1].dtype);
    NIBBLE_RETURN_IF_ERROR(read(attributes, Attr::b_zero, 0, b, factors.zero_b));
  }
  NIBBLE_RETURN_IF_ERROR(read(attributes, Attr::y_zero, 0, y, range.zero));
  NIBBLE_RETURN_IF_ERROR(read(attributes, Attr::y_min, y.lo, y, range.lo));
  NIBBLE_RETURN_IF_ERROR(read(attributes, Attr::y_max, y.hi, {range.lo, y.hi}, range.hi));
  arithmetic.binary = attributes.get_int(Attr::binary, 0) != 0;
  if (arithmetic.binary && (context.outputs[0].dtype != DType::kI8 || range.zero != 0))
    return invalid_argument("binary codes of " + std::string(name_of(context.outputs[0].dtype)) +
                            " with y_zero " + std::to_string(range.zero) +
                            ", expected i8 without a zero point");
  if (context.model.requantise == numeric::RequantiseVariant::kFixed) {
    NIBBLE_RETURN_IF_ERROR(read_fixed(attributes, sum, factors));
    arithmetic.kernels = &kernels::fixed_code_kernels();
  } else {
    NIBBLE_RETURN_IF_ERROR(read_float(attributes, sum, factors));
    arithmetic.kernels = &kernels::code_kernels(context.isa);
  }
  return arithmetic;
}

}  // namespace nibble::run
