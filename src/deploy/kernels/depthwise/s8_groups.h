#pragma once

#include <type_traits>

#include "deploy/kernels/depthwise/depthwise.h"
#include "deploy/kernels/simd/unroll.h"

// For files compiled for one vector ISA; internal linkage, so that no copy meets another ISA's.
namespace nibble::kernels {
namespace {

/// Whether the pairs are those of a 3x3 filter at stride 1: three, then two, each the one before it
/// moved by one output, so that what is loaded and interleaved for one output serves its neighbours
/// too.
inline bool slides_3x3(const Tap<int8_t>* taps, int64_t pairs) {
  const auto moved = [&](int64_t q) {
    const Tap<int8_t>* t = taps + 2 * q;
    return t[0].step == t[-2].step && t[0].at == t[-2].at + t[0].step && t[1].step == t[-1].step &&
           t[1].at == t[-1].at + t[1].step;
  };
  return pairs == 5 && moved(1) && moved(2) && moved(4);
}

/// One block of channels from c on of kOutputs neighbouring outputs; `some`: the channels that
/// exist.
template <class Lanes, int kOutputs, class Some>
inline void s8_sums(const DepthwiseS8& p, bool slides, const Tap<int8_t>* taps, int64_t first,
                    int64_t c, Some some, int8_t* out, int64_t out_step) {
  typename Lanes::Vector acc[kOutputs][2];
  NIBBLE_UNROLL for (int i = 0; i < kOutputs; ++i) acc[i][0] = acc[i][1] = Lanes::zero();
  const int16_t* w = p.weights + c / 32 * p.pairs * kDepthwisePairS8 + c % 32;
  const auto slide = [&]<int kPairs>(std::integral_constant<int, kPairs>) {
    const int64_t step0 = taps[0].step, step1 = taps[1].step;
    const int8_t *x0 = taps[0].at + first * step0 + c, *x1 = taps[1].at + first * step1 + c;
    NIBBLE_UNROLL for (int i = 0; i < kOutputs + kPairs - 1; ++i) {
      const auto a = Lanes::load(x0 + i * step0, some), b = Lanes::load(x1 + i * step1, some);
      const auto low = Lanes::low(a, b), high = Lanes::high(a, b);
      NIBBLE_UNROLL for (int q = 0; q < kPairs; ++q) {
        if (i < q || i - q >= kOutputs) continue;
        const int16_t* weights = w + q * kDepthwisePairS8;
        acc[i - q][0] = Lanes::dot(acc[i - q][0], low, weights);
        acc[i - q][1] = Lanes::dot(acc[i - q][1], high, weights + 32);
      }
    }
    taps += 2 * kPairs;
    w += kPairs * kDepthwisePairS8;
  };
  if (slides) {
    slide(std::integral_constant<int, 3>());
    slide(std::integral_constant<int, 2>());
  } else {
    for (int64_t q = 0; q < p.pairs; ++q) slide(std::integral_constant<int, 1>());
  }
  int8_t* const to = out + first * out_step + c;
  if (p.output.multiplier && p.output.sum_shift == 0 && !p.output.binary) {
    const typename Lanes::PlainOutput codes(p.output, c);
    NIBBLE_UNROLL for (int i = 0; i < kOutputs; ++i)
        Lanes::store(to + i * out_step, codes(acc[i]), some);
  } else {
    for (int i = 0; i < kOutputs; ++i)
      Lanes::store(to + i * out_step, Lanes::codes(p.output, c, acc[i]), some);
  }
}

/// All channels of kOutputs neighbouring outputs.
template <class Lanes, int kOutputs>
void s8_group(const DepthwiseS8& p, bool slides, const Tap<int8_t>* taps, int64_t first,
              int8_t* out, int64_t out_step) {
  int64_t c = 0;
  for (; c + Lanes::kChannels <= p.channels; c += Lanes::kChannels)
    s8_sums<Lanes, kOutputs>(p, slides, taps, first, c, typename Lanes::All(), out, out_step);
  if (c < p.channels)
    s8_sums<Lanes, kOutputs>(p, slides, taps, first, c, typename Lanes::Below{p.channels - c}, out,
                             out_step);
}

/// DepthwiseS8Core: groups of up to four outputs, as even as they come.
template <class Lanes>
void s8_groups(const DepthwiseS8& p, const Tap<int8_t>* taps, int64_t outputs, int8_t* out,
               int64_t out_step) {
  using Group = void(const DepthwiseS8&, bool, const Tap<int8_t>*, int64_t, int8_t*, int64_t);
  constexpr Group* kGroups[] = {s8_group<Lanes, 1>, s8_group<Lanes, 2>, s8_group<Lanes, 3>,
                                s8_group<Lanes, 4>};
  const bool slides = slides_3x3(taps, p.pairs);
  for (int64_t first = 0, groups = (outputs + 3) / 4; groups > 0; --groups) {
    const int64_t size = (outputs - first + groups - 1) / groups;
    kGroups[size - 1](p, slides, taps, first, out, out_step);
    first += size;
  }
}

}  // namespace
}  // namespace nibble::kernels
