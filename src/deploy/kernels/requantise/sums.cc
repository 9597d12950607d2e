#include "deploy/kernels/requantise/sums.h"

#include <algorithm>
#include <bit>

#include "deploy/numeric/requantise.h"

namespace nibble::kernels {
namespace {

inline __attribute__((always_inline)) int32_t accumulated(const RowOfSums& sums,
                                                          const OutputS8& out, int64_t channel,
                                                          int64_t i) {
  const auto u = [](int32_t v) { return static_cast<uint32_t>(v); };
  const uint32_t sum = u(sums.low[i]) + (sums.high ? u(sums.high[i]) << 8 : 0);
  return static_cast<int32_t>((sum << out.sum_shift) + u(out.bias[channel + i]) -
                              u(out.w_zero[channel + i]) * u(sums.row_sum));
}

/// Variant float. Codes have at most 16 bits: adding 1.5 * 2^23 leaves the rounded integer in the
/// low bits of the sum, in a loop that compilers turn into vectors.
template <class Y>
void rounded(const RowOfSums& sums, const OutputS8& out, int64_t channel, int64_t n, Y* y) {
  const auto lo = static_cast<float>(out.y_min - out.y_zero);
  const auto hi = static_cast<float>(out.y_max - out.y_zero);
  const int32_t zero = out.y_zero - 0x4b400000;
  for (int64_t i = 0; i < n; ++i) {
    const float v =
        static_cast<float>(accumulated(sums, out, channel, i)) * out.multiplier[channel + i];
    const float raised = v < lo ? lo : v, held = raised > hi ? hi : raised;
    y[i] = static_cast<Y>(std::bit_cast<int32_t>(held + 12582912.0f) + zero);
  }
}

}  // namespace

template <class Y>
void codes_of_sums(const RowOfSums& sums, const OutputS8& out, int64_t channel, int64_t n, Y* y) {
  if (out.multiplier && !out.binary) return rounded(sums, out, channel, n, y);
  const int64_t lo = out.y_min - out.y_zero, hi = out.y_max - out.y_zero;
  for (int64_t i = 0; i < n; ++i) {
    const int32_t acc = accumulated(sums, out, channel, i);
    const int64_t c = channel + i;
    const int64_t v = out.binary && out.multiplier ? numeric::binary_float(acc, out.multiplier[c])
                      : out.binary                 ? numeric::binary_fixed(acc, {out.m0[c], 0})
                                   : numeric::requantise_fixed(acc, {out.m0[c], 31 - out.shift[c]});
    y[i] = static_cast<Y>(std::clamp(v, lo, hi) + out.y_zero);
  }
}

template void codes_of_sums(const RowOfSums&, const OutputS8&, int64_t, int64_t, int8_t*);
template void codes_of_sums(const RowOfSums&, const OutputS8&, int64_t, int64_t, int16_t*);

void split_bytes(const int16_t* q, int64_t n, int8_t* high, int8_t* low) {
  for (int64_t i = 0; i < n; ++i) {
    high[i] = high_byte(q[i]);
    low[i] = low_byte(q[i]);
  }
}

}  // namespace nibble::kernels
