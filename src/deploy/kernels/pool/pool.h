// One window of a pool, for `channels` neighbouring channels.
//
//   maximum:  y[c] = max over taps of x[tap][c]                      NaN wins; taps >= 1
//   average:  y[c] = (extra + sum over taps of x[tap][c]) / divisor  binary32: taps in order, one
//   division;
//                                                                    codes: exact sum, half to even
// The taps are a box: x + i0 stride[0] + i1 stride[1] + i2 stride[2], i < count. Rows have any
// length and alignment. Every ISA gives the same bytes.
#pragma once

#include <cstdint>
#include <span>

#include "deploy/kernels/simd/select.h"

namespace nibble::kernels {

struct Box {
  int64_t count[3];
  int64_t stride[3];  // elements
  int64_t taps() const { return count[0] * count[1] * count[2]; }
};

/// 8-bit codes are summed in int32: at most this many taps.
inline constexpr int64_t kMaxTaps = int64_t{1} << 22;

template <class T>
struct PoolKernels {
  void (*maximum)(const T* x, const Box& box, int64_t channels, T* y);
  void (*average)(const T* x, const Box& box, int64_t channels, int64_t extra, int64_t divisor,
                  T* y);
};

struct PoolTable {
  const char* name;  // "pool/avx2"
  PoolKernels<float> f32;
  PoolKernels<int8_t> i8;
  PoolKernels<uint8_t> u8;
  PoolKernels<int16_t> i16;

  template <class T>
  const PoolKernels<T>& of() const;
};
template <>
inline const PoolKernels<float>& PoolTable::of<float>() const {
  return f32;
}
template <>
inline const PoolKernels<int8_t>& PoolTable::of<int8_t>() const {
  return i8;
}
template <>
inline const PoolKernels<uint8_t>& PoolTable::of<uint8_t>() const {
  return u8;
}
template <>
inline const PoolKernels<int16_t>& PoolTable::of<int16_t>() const {
  return i16;
}

/// The best table at or below the ceiling `isa`.
const PoolTable& pool_kernels(Isa isa);

/// The tables of this build, worst first.
std::span<const Variant<PoolTable>> pool_variants();

#define NIBBLE_VECTOR_ISA(isa, space) \
  namespace space {                   \
  extern const PoolTable kPoolTable;  \
  }
#include "deploy/kernels/simd/vector_isas.inc"
#undef NIBBLE_VECTOR_ISA

}  // namespace nibble::kernels
