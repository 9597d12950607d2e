#include "deploy/kernels/float/trigonometric.h"

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

#define NIBBLE_ISA_NAMESPACE portable
#define NIBBLE_VECTOR_BYTES 16
#include "deploy/kernels/float/math.h"

namespace nibble::kernels {
namespace {

/// The first 256 bits of 2/pi behind the point.
constexpr uint32_t kTwoOverPi[] = {0xa2f9836e, 0x4e441529, 0xfc2757d1, 0xf534ddc0,
                                   0xdb629599, 0x3c439041, 0xfe5163ab, 0xdebbc561};

/// 128 bits of 2/pi from bit `first` behind the point on (bit 0 is worth 1/2). first <= 102.
unsigned __int128 two_over_pi(int first) {
  const uint32_t* words = kTwoOverPi + first / 32;
  const int shift = first % 32;
  unsigned __int128 bits = static_cast<uint64_t>(words[4]) >> (32 - shift);
  for (int i = 0; i < 4; ++i)
    bits |= static_cast<unsigned __int128>(words[i]) << (96 - 32 * i + shift);
  return bits;
}

}  // namespace

float sine_of_huge(float x, int quarter) {
  if (!std::isfinite(x)) return std::numeric_limits<float>::quiet_NaN();
  const uint32_t bits = std::bit_cast<uint32_t>(x);
  const int exponent = static_cast<int>(bits >> 23 & 0xff) - 150;  // |x| = mantissa 2^exponent
  const uint32_t mantissa = (bits & 0x7fffff) | 0x800000;
  // |x| 2/pi / 4 modulo 1, in units of 2^-128: bits of 2/pi that weigh a multiple of 4 do not
  // count.
  const unsigned __int128 turn = mantissa * two_over_pi(exponent - 2);
  const auto n = static_cast<int>((turn + (static_cast<unsigned __int128>(1) << 125)) >> 126);
  const auto rest = static_cast<__int128>(turn - (static_cast<unsigned __int128>(n) << 126));
  const double r = static_cast<double>(rest) * 0x1p-126 * 0x1.921fb54442d18p+0;
  // sin(-x + q pi/2) = -sin(x - q pi/2)
  const bool negative = bits >> 31;
  const int64_t q = negative ? n - quarter : n + quarter;
  const double y =
      portable::sine_of_quarter(portable::splat<portable::D>(r), portable::DI{} + q)[0];
  return static_cast<float>(negative ? -y : y);
}

}  // namespace nibble::kernels
