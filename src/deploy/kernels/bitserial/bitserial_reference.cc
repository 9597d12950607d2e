#include "deploy/kernels/bitserial/bitserial.h"
#include "deploy/kernels/simd/output_s8_reference.h"

namespace nibble::kernels::portable {
namespace {

/// popcounts of one plane of a row and one of 16 channels, added up over the words.
void count(const BitSerial& p, const uint64_t* row, const uint64_t* w, int64_t* counts) {
  for (int64_t s = 0; s < p.segments; ++s)
    for (int64_t k = 0; k < p.length; ++k, w += kBitTile)
      for (int c = 0; c < kBitTile; ++c)
        counts[c] += __builtin_popcountll(row[p.segment[s] + k] & w[c]);
}

}  // namespace

void bitserial(const BitSerial& p, const uint64_t* const* rows, const int32_t* row_sums, int64_t m,
               int8_t* out, const int8_t* residual, int64_t stride, int64_t begin, int64_t end) {
  for (int64_t t = begin; t < end; ++t) {
    for (int64_t i = 0; i < m; ++i) {
      int64_t sums[kBitTile] = {};
      for (int a = 0; a < p.a_planes; ++a)
        for (int b = 0; b < p.w_planes; ++b) {
          int64_t counts[kBitTile] = {};
          count(p, rows[i] + a * p.a_plane, p.w + (t * p.w_planes + b) * p.words() * kBitTile,
                counts);
          const bool negative = p.a_signed && a + 1 == p.a_planes;
          for (int c = 0; c < kBitTile; ++c)
            sums[c] += (negative ? -counts[c] : counts[c]) * (int64_t{1} << (a + b));
        }
      for (int64_t n = t * kBitTile; n < p.n && n < (t + 1) * kBitTile; ++n) {
        const int64_t at = i * stride + n;
        out[at] = output_s8(p.output, n, static_cast<int32_t>(sums[n % kBitTile]), row_sums[i]);
        if (residual) out[at] = add_residual_s8(p.output, out[at], residual[at]);
      }
    }
  }
}

void bit_planes(const int8_t* x, int64_t pixels, int64_t channels, int planes, int64_t plane,
                uint64_t* out) {
  const int64_t pixel = (channels + 63) / 64;
  for (int64_t i = 0; i < pixels; ++i, x += channels)
    for (int b = 0; b < planes; ++b)
      for (int64_t word = 0; word < pixel; ++word) {
        uint64_t bits = 0;
        for (int64_t c = word * 64; c < channels && c < word * 64 + 64; ++c)
          bits |= static_cast<uint64_t>(x[c] >> b & 1) << c % 64;
        out[b * plane + i * pixel + word] = bits;
      }
}

}  // namespace nibble::kernels::portable
