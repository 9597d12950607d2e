// The definitions: numeric/'s functions, one element at a time.
#include <algorithm>

#include "deploy/kernels/requantise/codes.h"
#include "deploy/kernels/requantise/table.h"
#include "deploy/numeric/requantise.h"
#include "deploy/numeric/rounding.h"

namespace nibble::kernels {
namespace portable {
namespace {

template <class Y>
void quantize(const float* x, void* out, int64_t n, float scale, CodeRange r) {
  Y* y = static_cast<Y*>(out);
  for (int64_t i = 0; i < n; ++i)
    y[i] = static_cast<Y>(numeric::quantize_affine(x[i], scale, r.zero, r.lo, r.hi));
}

template <class Q>
void dequantize(const void* in, float* y, int64_t n, float scale, int32_t zero) {
  const Q* q = static_cast<const Q*>(in);
  for (int64_t i = 0; i < n; ++i) y[i] = static_cast<float>(q[i] - zero) * scale;
}

template <class Q, class Y>
void requantize(const void* in, void* out, int64_t n, const CodeFactors& f, CodeRange r) {
  const Q* q = static_cast<const Q*>(in);
  Y* y = static_cast<Y*>(out);
  for (int64_t i = 0; i < n; ++i)
    y[i] = static_cast<Y>(
        numeric::requantise_float(q[i] - f.zero_a, f.m_a, r.lo - r.zero, r.hi - r.zero) + r.zero);
}

template <class A, class B, class Y>
void add(const void* left, int64_t a_step, const void* right, int64_t b_step, void* out, int64_t n,
         const CodeFactors& f, CodeRange r) {
  const A* a = static_cast<const A*>(left);
  const B* b = static_cast<const B*>(right);
  Y* y = static_cast<Y*>(out);
  for (int64_t i = 0; i < n; ++i)
    y[i] = static_cast<Y>(numeric::add_float(a[i * a_step] - f.zero_a, b[i * b_step] - f.zero_b,
                                             f.m_a, f.m_b, r.lo - r.zero, r.hi - r.zero) +
                          r.zero);
}

template <class A, class B, class Y>
void multiply(const void* left, int64_t a_step, const void* right, int64_t b_step, void* out,
              int64_t n, const CodeFactors& f, CodeRange r) {
  const A* a = static_cast<const A*>(left);
  const B* b = static_cast<const B*>(right);
  Y* y = static_cast<Y*>(out);
  for (int64_t i = 0; i < n; ++i) {
    const int32_t product = (a[i * a_step] - f.zero_a) * (b[i * b_step] - f.zero_b);
    y[i] = static_cast<Y>(numeric::requantise_float(product, f.m_a, r.lo - r.zero, r.hi - r.zero) +
                          r.zero);
  }
}

void map_codes(const CodeMap& f, const int8_t* x, int8_t* y, int64_t n) {
  for (int64_t i = 0; i < n; ++i) y[i] = f.of[static_cast<uint8_t>(x[i])];
}

}  // namespace

const CodeKernels kCodeKernels = NIBBLE_CODE_KERNELS("codes/portable");

}  // namespace portable

int32_t code_at(DType dtype, const void* codes, int64_t i) {
  if (codes == nullptr) return 0;
  if (dtype == DType::kI8) return static_cast<const int8_t*>(codes)[i];
  if (dtype == DType::kU8) return static_cast<const uint8_t*>(codes)[i];
  if (dtype == DType::kI16) return static_cast<const int16_t*>(codes)[i];
  if (dtype == DType::kU16) return static_cast<const uint16_t*>(codes)[i];
  return static_cast<const int32_t*>(codes)[i];
}

void quantize_columns(const float* x, DType dtype, void* y, int64_t n, const float* scale,
                      const void* zero, int32_t lo, int32_t hi) {
  for (int64_t i = 0; i < n; ++i) {
    const int32_t q = numeric::quantize_affine(x[i], scale[i], code_at(dtype, zero, i), lo, hi);
    if (size_of(dtype) == 1)  // two's complement: the low bytes are the code, signed or not
      static_cast<uint8_t*>(y)[i] = static_cast<uint8_t>(q);
    else
      static_cast<uint16_t*>(y)[i] = static_cast<uint16_t>(q);
  }
}

namespace {

template <class Q, class Z>
void dequantize_each(const void* codes, float* y, int64_t n, const float* scale, int64_t step,
                     const void* zeros, int32_t offset) {
  const Q* q = static_cast<const Q*>(codes);
  const Z* zero = static_cast<const Z*>(zeros);
  for (int64_t i = 0; i < n; ++i) {
    const int64_t z = int64_t{offset} + (zero ? zero[i * step] : Z{0});
    y[i] = static_cast<float>(int64_t{q[i]} - z) * scale[i * step];
  }
}

}  // namespace

void dequantize_columns(DType dtype, const void* q, float* y, int64_t n, const float* scale,
                        int64_t step, DType zero_dtype, const void* zero, int32_t offset) {
  if (dtype == DType::kU8 && zero_dtype == DType::kI8)
    return dequantize_each<uint8_t, int8_t>(q, y, n, scale, step, zero, offset);
  if (dtype == DType::kI8)
    return dequantize_each<int8_t, int8_t>(q, y, n, scale, step, zero, offset);
  if (dtype == DType::kU8)
    return dequantize_each<uint8_t, uint8_t>(q, y, n, scale, step, zero, offset);
  if (dtype == DType::kI16)
    return dequantize_each<int16_t, int16_t>(q, y, n, scale, step, zero, offset);
  if (dtype == DType::kU16)
    return dequantize_each<uint16_t, uint16_t>(q, y, n, scale, step, zero, offset);
  dequantize_each<int32_t, int32_t>(q, y, n, scale, step, zero, offset);
}

}  // namespace nibble::kernels
