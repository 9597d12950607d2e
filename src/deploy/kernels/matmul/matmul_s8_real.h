// Products of codes to reals, with the scales of blocks (matmul_s8.h, MatmulRealS8). Included by
// ISA files with `Ops`, the registers of the ISA (RegistersAvx2, RegistersAvx512, RealsNeon among
// them); internal linkage.
//
// Some steps of a panel at a time become bytes on the stack, which a batch of rows then shares: one
// core serves all widths. How four products a lane are added is a `Quad`:
//   Acc                     sums of a register of codes; Acc{}: zeros
//   Row(a)                  four codes of a row, for all lanes
//   add(acc, u, row)        adds the products of one quad
//   take(acc)               the sums as int32
//   room(bits)              quads after which take() must make room
//   kRows                   rows whose sums fit the registers
//   kChains                 sums of a single row, or the latency of add() would show
//   kOffset                 what add() takes off every code u
#pragma once

#include "deploy/kernels/matmul/codes_s8.h"

namespace nibble::kernels {
namespace {

/// A batch of rows by one panel.
template <class Ops, class Quad>
class RealPanel {
 public:
  using V = typename Ops::V;
  using F = typename Ops::F;
  static constexpr int64_t kMostRows = 24;  // a multiple of every Quad::kRows

  /// Rows 0..m of `a` and `sums`, m <= kMostRows.
  RealPanel(const MatmulRealS8& p, int64_t panel, const int8_t* a, const int32_t* sums, int64_t m)
      : p_(p), panel_(panel), m_(m), a_(a), sums_(sums), room_(Quad::room(p.bits)) {
    // Groups of rows may reach behind m.
    const int64_t all = m + Quad::kRows <= kMostRows ? m + Quad::kRows : kMostRows;
    __builtin_memset(real_, 0, sizeof real_[0] * static_cast<size_t>(all));
  }

  void multiply() {
    alignas(64) uint8_t bytes[kPanelS8 * kChunk];
    const std::byte* stream = p_.b + panel_ * kPanelS8 * p_.k_padded / 8 * p_.bits;
    const int tiles = p_.n - panel_ * kPanelS8 > kTileS8 ? 2 : 1;
    for (int64_t k = 0; k < p_.k_padded; k += kChunk) {
      const int64_t end = k + kChunk < p_.k_padded ? k + kChunk : p_.k_padded;
      const auto* codes = reinterpret_cast<const uint8_t*>(stream);
      if (p_.bits < 8) {
        unpack_s8<Ops>(p_.bits, stream, 2 * (end - k) / kStepS8, bytes);
        codes = bytes;
      }
      for (int t = 0; t < tiles; ++t) multiply_rows(codes + t * kTileBytesS8, k, end, t);
      stream += kPanelS8 * (end - k) / 8 * p_.bits;
    }
  }

  /// `out`: rows of n reals.
  void write(const float* row_scales, float* out) const {
    for (int t = 0; t < 2; ++t) {
      const int64_t n = panel_ * kPanelS8 + t * kTileS8, width = p_.n - n;
      for (int64_t m = 0; m < m_ && width > 0; ++m) {
        float tail[kTileS8];
        float* const y = out + m * p_.n + n;
        float* const to = width < kTileS8 ? tail : y;
        for (int v = 0; v < kVectors; ++v) {
          const F value = Ops::fma(Ops::load_f(real_[m][t] + v * kLanes), Ops::splat(row_scales[m]),
                                   Ops::load_f(p_.bias + n + v * kLanes));
          Ops::store_f(to + v * kLanes, Ops::clip(value, Ops::splat(p_.lo), Ops::splat(p_.hi)));
        }
        if (to == tail)
          for (int64_t c = 0; c < width; ++c) y[c] = tail[c];
      }
    }
  }

 private:
  static constexpr int kVectors = 64 / int(sizeof(V)), kLanes = kTileS8 / kVectors;
  static constexpr int64_t kChunk = 4 * kStepS8;  // codes of a channel that are bytes at a time

  /// All rows by tile t. A group of a few rows costs as much as a full one.
  void multiply_rows(const uint8_t* codes, int64_t begin, int64_t end, int t) {
    for (int64_t i = 0; i < m_;) {
      const bool many = m_ - i > (Quad::kRows + 2) / 3;
      if (many)
        multiply_tile<Quad::kRows>(codes, begin, end, t, i);
      else
        multiply_tile<1>(codes, begin, end, t, i);
      i += many ? Quad::kRows : 1;
    }
  }

  /// kRows rows from row i on by tile t, its codes of k in [begin, end), block by block.
  template <int kRows>
  void multiply_tile(const uint8_t* codes, int64_t begin, int64_t end, int t, int64_t i) {
    const int8_t* rows[kRows];
    NIBBLE_UNROLL for (int m = 0; m < kRows; ++m) rows[m] =
        a_ + (i + m < m_ ? i + m : m_ - 1) * p_.k_padded;
    for (int64_t k = begin, block = begin / p_.block; k < end; ++block) {
      const int64_t block_end = (block + 1) * p_.block;
      const int64_t stop = block_end < end ? block_end : end;
      multiply_run<kRows>(codes, begin, rows, k, stop, block, t, i);
      k = stop;
    }
  }

  /// The products of k in [k, stop), part of `block`: with its scale where they end it, else added
  /// to its sums.
  template <int kRows>
  NIBBLE_ALWAYS_INLINE void multiply_run(const uint8_t* codes, int64_t begin,
                                         const int8_t* const (&rows)[kRows], int64_t k,
                                         int64_t stop, int64_t block, int t, int64_t i) {
    constexpr int kChains = kRows == 1 ? Quad::kChains : 1;
    typename Quad::Acc acc[kChains][kRows][kVectors] = {};
    bool carried = k > block * p_.block;
    const auto total = [&](int m, int v) NIBBLE_ALWAYS_INLINE {
      V sum = carried ? Ops::load(total_[i + m][t] + v * kLanes) : Ops::splat32(0);
      NIBBLE_UNROLL for (int c = 0; c < kChains; ++c) {
        sum = Ops::add32(sum, Quad::take(acc[c][m][v]));
        acc[c][m][v] = typename Quad::Acc{};
      }
      return sum;
    };
    const auto hold = [&]() NIBBLE_ALWAYS_INLINE {
      NIBBLE_UNROLL for (int m = 0; m < kRows; ++m) {
        NIBBLE_UNROLL for (int v = 0; v < kVectors; ++v)
            Ops::store(total_[i + m][t] + v * kLanes, total(m, v));
      }
      carried = true;
    };
    int64_t left = room_;
    while (k < stop) {
      const uint8_t* b = codes + (k - begin) / kStepS8 * (2 * kTileBytesS8) + k % kStepS8 * kTileS8;
      int64_t quads = (kStepS8 - k % kStepS8) / 4;  // of this step; a multiple of 4
      if ((stop - k) / 4 < quads) quads = (stop - k) / 4;
      if (left < quads) quads = left;
      for (int64_t j = 0; j < quads; j += kChains) {
        NIBBLE_UNROLL for (int c = 0; c < kChains; ++c, b += 64) {
          V u[kVectors];
          NIBBLE_UNROLL for (int v = 0; v < kVectors; ++v) u[v] = Ops::load(b + v * sizeof(V));
          NIBBLE_UNROLL for (int m = 0; m < kRows; ++m) {
            const typename Quad::Row row(rows[m] + k + 4 * (j + c));
            NIBBLE_UNROLL for (int v = 0; v < kVectors; ++v) acc[c][m][v] =
                Quad::add(acc[c][m][v], u[v], row);
          }
        }
      }
      k += 4 * quads;
      left -= quads;
      if (left == 0 && k < stop) hold(), left = room_;
    }
    if (stop < (block + 1) * p_.block && stop < p_.k_padded) return hold();
    const int64_t blocks = p_.blocks(), at = (panel_ * blocks + block) * kPanelS8 + t * kTileS8;
    const int32_t offset = p_.offset - Quad::kOffset;
    NIBBLE_UNROLL for (int v = 0; v < kVectors; ++v) {
      const F scale = Ops::load_f(p_.scales + at + v * kLanes);
      V zero = Ops::splat32(offset);
      if (p_.zeros) zero = Ops::add32(zero, Ops::widen_to_32(p_.zeros + at + v * kLanes));
      NIBBLE_UNROLL for (int m = 0; m < kRows; ++m) {
        const int32_t codes_sum = sums_[(i + m < m_ ? i + m : m_ - 1) * blocks + block];
        V sum = total(m, v);
        if (p_.sum_shift) sum = Ops::shift_left32(sum, p_.sum_shift);
        // A product of registers costs several times one of scalars.
        sum = p_.zeros ? Ops::sub32(sum, Ops::multiply32(zero, Ops::splat32(codes_sum)))
                       : Ops::add32(sum, Ops::splat32(minus_product(offset, codes_sum)));
        float* const real = real_[i + m][t] + v * kLanes;
        Ops::store_f(real, Ops::fma(Ops::to_float(sum), scale, Ops::load_f(real)));
      }
    }
  }

  const MatmulRealS8& p_;
  int64_t panel_, m_;
  const int8_t* a_;
  const int32_t* sums_;
  int64_t room_;
  alignas(64) int32_t total_[kMostRows][2][kTileS8];  // of the block that is being summed
  alignas(64) float real_[kMostRows][2][kTileS8];
};

/// RealCoreS8 of an ISA.
template <class Ops, class Quad>
void real_panels(const MatmulRealS8& p, const int8_t* a, const int32_t* sums,
                 const float* row_scales, int64_t m, float* out, int64_t panel_begin,
                 int64_t panel_end) {
  using Panel = RealPanel<Ops, Quad>;
  static_assert(Panel::kMostRows % Quad::kRows == 0);
  for (int64_t panel = panel_begin; panel < panel_end; ++panel)
    for (int64_t i = 0; i < m; i += Panel::kMostRows) {
      const int64_t rows = m - i < Panel::kMostRows ? m - i : Panel::kMostRows;
      Panel batch(p, panel, a + i * p.k_padded, sums + i * p.blocks(), rows);
      batch.multiply();
      batch.write(row_scales + i, out + i * p.n);
    }
}

}  // namespace
}  // namespace nibble::kernels
