#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "deploy/base/cpu.h"
#include "deploy/base/thread_pool.h"
#include "deploy/kernels/matmul/window.h"
#include "deploy/kernels/requantise/code_map.h"
#include "deploy/kernels/simd/output_s8.h"

namespace nibble::kernels {

/// Convolutions of 3x3 taps at stride 1 by Winograd's minimal filtering F(2x2, 3x3) (Lavin and
/// Gray, "Fast Algorithms for Convolutional Neural Networks", 2016, section 4.1): four outputs from
/// 16 products a channel instead of 36.
///
///   V = B'dB of a 4x4 patch d of codes,  U = (2G) w (2G)' of the 3x3 weights w (zero points taken
///   off),  M = sum over channels of U V (elements),  4 y = A'MA
///
/// In integers, modulo 2^32: no fraction arises (2G has none), 4 y is exact as long as |4 y| < 2^31
/// (winograd_fits()), so the results are those of every other kernel. |U| <= 9 * 383 and |V| <= 4 *
/// 128 fit int16.
///
/// U is made at load: [n / 16][16 elements][channels / 2][16][2], missing channels of n 0.
struct WinogradS8 {
  const int16_t* u = nullptr;  // 64-byte aligned
  int64_t channels = 0;        // a multiple of kWinogradChannels
  int64_t n = 0;
  OutputS8 output{};
};

inline constexpr int64_t kWinogradTile = 16;      // output channels
inline constexpr int64_t kWinogradChannels = 16;  // input channels come in such groups
inline constexpr int64_t kWinogradRows = 6;       // M has room for multiples of so many tiles

/// Weights less their zero points: of 8 bits, with zero points of either signedness.
inline constexpr int32_t kWinogradMostWeight = 383;

/// Whether the family computes these windows: two axes of 3 taps, stride and dilation 1, one group,
/// whole groups of channels, sums that fit.
bool winograd_fits(const Windows& windows);

/// What an ISA brings.
struct WinogradS8Core {
  /// v[i * plane + c] = element i of B'dB; `patch`: the 16 pixels of d.
  void (*input)(const int8_t* const* patch, int64_t channels, int16_t* v, int64_t plane);
  /// m[t][16] = sum over c of v[t][c] u[c / 2][.][c % 2], tiles t; may write up to a multiple of
  /// kWinogradRows of them.
  void (*product)(const int16_t* v, int64_t tiles, const int16_t* u, int64_t channels, int32_t* m);
  /// sums[line][2 t + column][16] = A'MA / 4 of tile t, lines `line` apart; m[element * plane + t *
  /// 16].
  void (*output)(const int32_t* m, int64_t plane, int64_t tiles, int32_t* sums, int64_t line);
  /// The output stage for the 16 channels of a tile from n on.
  void (*finish)(const OutputS8& output, int64_t n, const TileRows& rows);
};

struct WinogradS8Variant {
  Isa isa;
  std::string_view name;  // "winograd_s8/avx2"
  const WinogradS8Core* core;
};

/// All variants of this build, worst first.
std::span<const WinogradS8Variant> winograd_s8_variants();

/// Elements of U.
int64_t winograd_s8_weights(int64_t n, int64_t channels);
/// U from weights [n][3][3][channels], |w| <= kWinogradMostWeight.
void pack_winograd_s8(const int16_t* w, int64_t n, int64_t channels, int16_t* u);

/// Bytes that winograd_s8() works in.
size_t winograd_s8_workspace(const WinogradS8& p, const Windows& windows, int threads);

/// The whole convolution, channels last, codes outside the image `padding`. `residual` is laid out
/// as `out`, or null; `copy`: of `out`.
void winograd_s8(const WinogradS8Variant& variant, const WinogradS8& p, const Windows& windows,
                 const int8_t* image, int8_t padding, const int8_t* residual, int8_t* out,
                 std::byte* workspace, ThreadPool& pool, const CodeCopy& copy = {});

#define NIBBLE_WINOGRAD_S8(isa, space)     \
  namespace space {                        \
  extern const WinogradS8Core kWinogradS8; \
  }
#include "deploy/kernels/winograd/kernels.inc"
#undef NIBBLE_WINOGRAD_S8

}  // namespace nibble::kernels
