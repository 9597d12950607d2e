#include "deploy/kernels/winograd/winograd_s8.h"

#include <algorithm>

#include "deploy/base/divide.h"
#include "deploy/base/tensor.h"
#include "deploy/format/format.h"

namespace nibble::kernels {
namespace {

constexpr WinogradS8Variant kVariants[] = {
#define NIBBLE_WINOGRAD_S8(isa, space) {Isa::isa, "winograd_s8/" #space, &space::kWinogradS8},
#include "deploy/kernels/winograd/kernels.inc"
#undef NIBBLE_WINOGRAD_S8
};

constexpr int64_t kElements = 16;
constexpr int64_t kMostTiles = 48;              // at once: M of them fits a first-level cache
constexpr int64_t kTransformedBytes = 1 << 18;  // V of them half a second-level one

using format::round_up;

/// How the image is cut into blocks of tiles, in the order of (image, line, column), and where the
/// workspace of a worker goes.
struct Cut {
  int64_t lines, columns;  // of tiles
  int64_t tiles;           // in all
  int64_t block;           // tiles at once, a multiple of kWinogradRows
  size_t m_at, sums_at, padding_at, worker_bytes;

  Cut(const WinogradS8& p, const Windows& w, int threads)
      : lines(divide_up(w.out[1], 2)),
        columns(divide_up(w.out[2], 2)),
        tiles(w.batch * lines * columns) {
    const int64_t fit = std::clamp<int64_t>(kTransformedBytes / (kElements * p.channels * 2),
                                            kWinogradRows, kMostTiles);
    block = std::min(fit / kWinogradRows * kWinogradRows,
                     round_up(divide_up(tiles, threads), kWinogradRows));
    block = std::max(block, kWinogradRows);
    m_at = align_up(static_cast<size_t>(kElements * block * p.channels) * 2);
    sums_at = m_at + static_cast<size_t>(kElements * block * kWinogradTile) * 4;
    padding_at = sums_at + static_cast<size_t>(4 * block * kWinogradTile) * 4;
    worker_bytes = align_up(padding_at + static_cast<size_t>(p.channels));
  }
};

class Worker {
 public:
  Worker(const WinogradS8Core& core, const WinogradS8& p, const Windows& w, const Cut& cut,
         int8_t padding, std::byte* workspace)
      : core_(core),
        p_(p),
        w_(w),
        cut_(cut),
        v_(reinterpret_cast<int16_t*>(workspace)),
        m_(reinterpret_cast<int32_t*>(workspace + cut.m_at)),
        sums_(reinterpret_cast<int32_t*>(workspace + cut.sums_at)),
        padding_(reinterpret_cast<int8_t*>(workspace + cut.padding_at)) {
    std::fill(padding_, padding_ + p.channels, padding);
  }

  void block(int64_t first, const int8_t* image, const int8_t* residual, int8_t* out,
             const CodeCopy& copy) {
    const int64_t count = std::min(cut_.block, cut_.tiles - first);
    for (int64_t t = 0; t < count; ++t) transform(first + t, image, v_ + t * p_.channels);
    for (int64_t n = 0; n < p_.n; n += kWinogradTile) {
      const int16_t* u = p_.u + n * kElements * p_.channels;
      for (int64_t i = 0; i < kElements; ++i)
        core_.product(v_ + i * v_plane(), count, u + i * p_.channels * kWinogradTile, p_.channels,
                      m_ + i * m_plane());
      each_line(first, count, [&](int64_t t, int64_t tiles) {
        finish(first + t, tiles, n, m_ + t * kWinogradTile, residual, out);
      });
    }
    each_line(first, count, [&](int64_t t, int64_t tiles) {
      each_row(first + t, tiles, [&](int64_t, int64_t pixel, int64_t pixels) {
        copy(out + pixel * p_.n, pixels, p_.n, p_.n);
      });
    });
  }

 private:
  int64_t v_plane() const { return cut_.block * p_.channels; }
  int64_t m_plane() const { return cut_.block * kWinogradTile; }

  void transform(int64_t tile, const int8_t* image, int16_t* v) const {
    const int64_t y1 = tile / cut_.columns % cut_.lines * 2, y2 = tile % cut_.columns * 2;
    const int64_t b = tile / cut_.columns / cut_.lines;
    const int64_t x1 = y1 - w_.pad[1], x2 = y2 - w_.pad[2];
    const bool whole = x1 >= 0 && x1 + 4 <= w_.in[1] && x2 >= 0 && x2 + 4 <= w_.in[2];
    const int8_t* patch[kElements];
    for (int64_t i = 0; i < 4; ++i)
      for (int64_t j = 0; j < 4; ++j) {
        const bool inside =
            whole || (x1 + i >= 0 && x1 + i < w_.in[1] && x2 + j >= 0 && x2 + j < w_.in[2]);
        const int64_t pixel = (b * w_.in[1] + x1 + i) * w_.in[2] + x2 + j;
        patch[4 * i + j] = inside ? image + pixel * p_.channels : padding_;
      }
    core_.input(patch, p_.channels, v, v_plane());
  }

  /// f(t, tiles) of the tiles [first, first + count) that lie in one line: `tiles` from first + t.
  template <class F>
  void each_line(int64_t first, int64_t count, F f) const {
    for (int64_t t = 0, next; t < count; t = next) {
      next = std::min(count, t + cut_.columns - (first + t) % cut_.columns);
      f(t, next - t);
    }
  }

  /// f(i, pixel, pixels): row i of the results of `count` tiles side by side.
  template <class F>
  void each_row(int64_t tile, int64_t count, F f) const {
    const int64_t y1 = tile / cut_.columns % cut_.lines * 2, y2 = tile % cut_.columns * 2;
    const int64_t b = tile / cut_.columns / cut_.lines;
    for (int64_t i = 0; i < std::min<int64_t>(2, w_.out[1] - y1); ++i)
      f(i, (b * w_.out[1] + y1 + i) * w_.out[2] + y2, std::min(2 * count, w_.out[2] - y2));
  }

  /// The results of `count` tiles side by side, channels from n on.
  void finish(int64_t tile, int64_t count, int64_t n, const int32_t* m, const int8_t* residual,
              int8_t* out) const {
    const int64_t line = 2 * count * kWinogradTile;
    core_.output(m, m_plane(), count, sums_, line);
    each_row(tile, count, [&](int64_t i, int64_t pixel, int64_t pixels) {
      const int64_t at = pixel * p_.n + n;
      core_.finish(p_.output, n,
                   {.sums = sums_ + i * line,
                    .rows = pixels,
                    .channels = std::min(kWinogradTile, p_.n - n),
                    .out = out + at,
                    .residual = residual ? residual + at : nullptr,
                    .stride = p_.n});
    });
  }

  const WinogradS8Core& core_;
  const WinogradS8& p_;
  const Windows& w_;
  const Cut& cut_;
  int16_t* v_;
  int32_t *m_, *sums_;
  int8_t* padding_;
};

}  // namespace

std::span<const WinogradS8Variant> winograd_s8_variants() {
  return kVariants;
}

bool winograd_fits(const Windows& w) {
  constexpr int64_t kMostChannels =
      (int64_t{1} << 29) / (9 * kWinogradMostWeight * 128);  // |4 y| < 2^31
  return w.groups == 1 && w.in[0] == 1 && w.kernel == std::array<int64_t, 3>{1, 3, 3} &&
         w.stride[1] == 1 && w.stride[2] == 1 && w.dilation[1] == 1 && w.dilation[2] == 1 &&
         w.pad[0] == 0 && w.out[0] == 1 && w.channels % kWinogradChannels == 0 && w.channels > 0 &&
         w.channels <= kMostChannels;
}

int64_t winograd_s8_weights(int64_t n, int64_t channels) {
  return round_up(n, kWinogradTile) * kElements * channels;
}

void pack_winograd_s8(const int16_t* w, int64_t n, int64_t channels, int16_t* u) {
  std::fill(u, u + winograd_s8_weights(n, channels), int16_t{0});
  // 2G of three weights.
  const auto transform = [](int w0, int w1, int w2, int(&to)[4]) {
    to[0] = 2 * w0, to[1] = w0 + w1 + w2, to[2] = w0 - w1 + w2, to[3] = 2 * w2;
  };
  for (int64_t o = 0; o < n; ++o) {
    int16_t* const tile = u + o / kWinogradTile * kElements * kWinogradTile * channels;
    for (int64_t c = 0; c < channels; ++c) {
      const int16_t* taps = w + o * 9 * channels + c;
      int columns[3][4];
      for (int j = 0; j < 3; ++j)
        transform(taps[j * channels], taps[(3 + j) * channels], taps[(6 + j) * channels],
                  columns[j]);
      for (int i = 0; i < 4; ++i) {
        int row[4];
        transform(columns[0][i], columns[1][i], columns[2][i], row);
        for (int j = 0; j < 4; ++j)
          tile[((4 * i + j) * channels + c / 2 * 2) * kWinogradTile + o % kWinogradTile * 2 +
               c % 2] = static_cast<int16_t>(row[j]);
      }
    }
  }
}

size_t winograd_s8_workspace(const WinogradS8& p, const Windows& windows, int threads) {
  return static_cast<size_t>(threads) * Cut(p, windows, threads).worker_bytes;
}

void winograd_s8(const WinogradS8Variant& variant, const WinogradS8& p, const Windows& windows,
                 const int8_t* image, int8_t padding, const int8_t* residual, int8_t* out,
                 std::byte* workspace, ThreadPool& pool, const CodeCopy& copy) {
  constexpr double kSerialMacs = 100e3;  // below a few us a second thread does not pay
  const Cut cut(p, windows, pool.threads());
  if (cut.tiles == 0 || p.n == 0) return;
  const double macs = 36.0 * static_cast<double>(cut.tiles * p.n) * static_cast<double>(p.channels);
  const int64_t blocks = divide_up(cut.tiles, cut.block);
  pool.parallel_for(blocks, macs < kSerialMacs ? blocks : 1,
                    [&](int64_t begin, int64_t end, int worker) {
                      Worker w(*variant.core, p, windows, cut, padding,
                               workspace + static_cast<size_t>(worker) * cut.worker_bytes);
                      for (int64_t i = begin; i < end; ++i)
                        w.block(i * cut.block, image, residual, out, copy);
                    });
}

}  // namespace nibble::kernels
