// Variant fixed: integers only, one rounding.
#include <algorithm>

#include "deploy/kernels/requantise/codes.h"
#include "deploy/kernels/requantise/table.h"

namespace nibble::kernels {
namespace {

template <class Y>
Y shifted(int64_t sum, int shift, const CodeRange& r) {
  const int64_t v = ((sum + (int64_t{1} << (shift - 1))) >> shift) + r.zero;
  return static_cast<Y>(std::clamp<int64_t>(v, r.lo, r.hi));
}

template <class Q, class Y>
void requantize(const void* in, void* out, int64_t n, const CodeFactors& f, CodeRange r) {
  const Q* q = static_cast<const Q*>(in);
  Y* y = static_cast<Y*>(out);
  for (int64_t i = 0; i < n; ++i)
    y[i] = shifted<Y>(int64_t{q[i] - f.zero_a} * f.fixed_a, f.shift, r);
}

template <class A, class B, class Y>
void add(const void* left, int64_t a_step, const void* right, int64_t b_step, void* out, int64_t n,
         const CodeFactors& f, CodeRange r) {
  const A* a = static_cast<const A*>(left);
  const B* b = static_cast<const B*>(right);
  Y* y = static_cast<Y*>(out);
  for (int64_t i = 0; i < n; ++i)
    y[i] = shifted<Y>(int64_t{a[i * a_step] - f.zero_a} * f.fixed_a +
                          int64_t{b[i * b_step] - f.zero_b} * f.fixed_b,
                      f.shift, r);
}

template <class A, class B, class Y>
void multiply(const void* left, int64_t a_step, const void* right, int64_t b_step, void* out,
              int64_t n, const CodeFactors& f, CodeRange r) {
  const A* a = static_cast<const A*>(left);
  const B* b = static_cast<const B*>(right);
  Y* y = static_cast<Y*>(out);
  for (int64_t i = 0; i < n; ++i)
    y[i] = shifted<Y>(int64_t{(a[i * a_step] - f.zero_a) * (b[i * b_step] - f.zero_b)} * f.fixed_a,
                      f.shift, r);
}

}  // namespace

const CodeKernels& fixed_code_kernels() {
  static const CodeKernels kernels = [] {
    CodeKernels k = portable::kCodeKernels;
    constexpr RequantizeKernel* kRequantize[kContainers][kContainers] =
        NIBBLE_CODE_PAIRS(requantize);
    constexpr CodeBinaryKernel* kAdd[kContainers][kContainers][kContainers] =
        NIBBLE_CODE_TRIPLES(add);
    constexpr CodeBinaryKernel* kMultiply[kContainers][kContainers][kContainers] =
        NIBBLE_CODE_TRIPLES(multiply);
    k.name = "codes_fixed/portable";
    for (int q = 0; q < kContainers; ++q)
      for (int y = 0; y < kContainers; ++y) {
        k.requantize[q][y] = kRequantize[q][y];
        for (int b = 0; b < kContainers; ++b) {
          k.add[q][b][y] = kAdd[q][b][y];
          k.multiply[q][b][y] = kMultiply[q][b][y];
        }
      }
    return k;
  }();
  return kernels;
}

}  // namespace nibble::kernels
