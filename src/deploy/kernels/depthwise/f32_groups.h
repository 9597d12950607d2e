#pragma once

#include "deploy/kernels/depthwise/depthwise.h"
#include "deploy/kernels/simd/unroll.h"

// For files compiled for one vector ISA; internal linkage, so that no copy meets another ISA's.
namespace nibble::kernels {
namespace {

/// One vector of channels of kOutputs neighbouring outputs: a weight is loaded once for all of
/// them, and their sums hide each other's latency. `some`: which lanes exist.
template <class Lanes, int kOutputs, class Some>
inline void f32_sums(const DepthwiseF32& p, const Tap<float>* taps, int64_t first, int64_t c,
                     Some some, float* out, int64_t out_step) {
  const int64_t padded =
      (p.channels + kDepthwiseBlockF32 - 1) / kDepthwiseBlockF32 * kDepthwiseBlockF32;
  typename Lanes::Vector acc[kOutputs];
  const auto bias = Lanes::load(p.bias + c);
  NIBBLE_UNROLL for (int i = 0; i < kOutputs; ++i) acc[i] = bias;
  const float* w = p.weights + c;
  for (int64_t t = 0; t < p.taps; ++t, w += padded) {
    const int64_t step = taps[t].step;
    const float* x = taps[t].at + first * step + c;
    const auto weight = Lanes::load(w);
    NIBBLE_UNROLL for (int i = 0; i < kOutputs; ++i) acc[i] =
        Lanes::fma(Lanes::load(x + i * step, some), weight, acc[i]);
  }
  const auto lo = Lanes::splat(p.lo), hi = Lanes::splat(p.hi);
  NIBBLE_UNROLL for (int i = 0; i < kOutputs; ++i)
      Lanes::store(out + (first + i) * out_step + c, Lanes::clip(acc[i], lo, hi), some);
}

/// All channels of kOutputs neighbouring outputs. The last vector reaches back over channels that
/// are done: they get the same values again.
template <class Lanes, int kOutputs>
void f32_group(const DepthwiseF32& p, const Tap<float>* taps, int64_t first, float* out,
               int64_t out_step) {
  constexpr int64_t kLanes = Lanes::kLanes;
  if (p.channels < kLanes)
    return f32_sums<Lanes, kOutputs>(p, taps, first, 0, Lanes::below(p.channels), out, out_step);
  for (int64_t c = 0; c < p.channels; c += kLanes)
    f32_sums<Lanes, kOutputs>(p, taps, first, c + kLanes <= p.channels ? c : p.channels - kLanes,
                              typename Lanes::All(), out, out_step);
}

/// DepthwiseF32Core: groups of up to eight outputs, as even as they come.
template <class Lanes>
void f32_groups(const DepthwiseF32& p, const Tap<float>* taps, int64_t outputs, float* out,
                int64_t out_step) {
  using Group = void(const DepthwiseF32&, const Tap<float>*, int64_t, float*, int64_t);
  constexpr Group* kGroups[] = {f32_group<Lanes, 1>, f32_group<Lanes, 2>, f32_group<Lanes, 3>,
                                f32_group<Lanes, 4>, f32_group<Lanes, 5>, f32_group<Lanes, 6>,
                                f32_group<Lanes, 7>, f32_group<Lanes, 8>};
  for (int64_t first = 0, groups = (outputs + 7) / 8; groups > 0; --groups) {
    const int64_t size = (outputs - first + groups - 1) / groups;
    kGroups[size - 1](p, taps, first, out, out_step);
    first += size;
  }
}

}  // namespace
}  // namespace nibble::kernels
