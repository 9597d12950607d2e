#include "deploy/kernels/bitserial/bitserial.h"

#include <algorithm>

namespace nibble::kernels {
namespace {

bool nothing() {
  return true;
}
#if defined(__x86_64__)
bool vpopcntdq() {
  return cpu_has_vpopcntdq();
}
#endif

constexpr BitSerialVariant kVariants[] = {
#define NIBBLE_BITSERIAL(isa, space, needs) \
  {Isa::isa, "bitserial/" #space, space::bitserial, space::bit_planes, needs},
#include "deploy/kernels/bitserial/kernels.inc"
#undef NIBBLE_BITSERIAL
};

constexpr double kSerialWords = 30e3;  // ANDs of words: below a few us a second thread does not pay
constexpr int64_t kRowTile = 4;

}  // namespace

std::span<const BitSerialVariant> bitserial_variants() {
  return kVariants;
}

const BitSerialVariant& select_bitserial(Isa ceiling) {
  const BitSerialVariant* best = kVariants;
  for (const BitSerialVariant& v : kVariants)
    if (allowed(v.isa, ceiling) && v.runs()) best = &v;
  return *best;
}

void bitserial(const BitSerialVariant& variant, BitSerial p, const RowPlan& plan, const uint64_t* a,
               const int32_t* row_sums, int8_t* out, const int8_t* residual, int64_t stride,
               ThreadPool& pool, const CodeCopy& copy) {
  p.segment = plan.segment.data();
  p.segments = static_cast<int64_t>(plan.segment.size());
  p.length = plan.length;
  const int64_t m = plan.count(), tiles = (p.n + kBitTile - 1) / kBitTile;
  if (m == 0 || tiles == 0) return;
  const double words = static_cast<double>(m * tiles * kBitTile) *
                       static_cast<double>(p.words() * p.w_planes * p.a_planes);
  const bool serial = words < kSerialWords;
  const Tasks tasks =
      cut_tasks(m, tiles, p.words() * 8 * p.a_planes, kRowTile, 1, serial ? 1 : pool.threads());
  const auto work = [&](int64_t begin, int64_t end) {
    const uint64_t* rows[RowPlan::kMaxRows];
    for (int64_t task = begin; task < end; ++task) {
      const int64_t i = task / tasks.panel_blocks * tasks.row_block;
      const int64_t t = task % tasks.panel_blocks * tasks.panel_block;
      const int64_t stop = std::min(t + tasks.panel_block, tiles);
      const int64_t count = std::min(tasks.row_block, m - i);
      plan.pointers(a, i, count, rows);
      variant.product(p, rows, row_sums + i, count, out + i * stride,
                      residual ? residual + i * stride : nullptr, stride, t, stop);
      const int64_t n = t * kBitTile;
      copy(out + i * stride + n, count, std::min(stop * kBitTile, p.n) - n, stride);
    }
  };
  pool.parallel_for(tasks.count(), serial ? tasks.count() : 1, work);
}

void pack_bitserial(const uint8_t* codes, int bits, int64_t n, int64_t taps, int64_t channels,
                    uint64_t* words) {
  const int64_t pixel = (channels + 63) / 64, row = taps * pixel;
  std::fill(words, words + bitserial_words(bits, n, taps, channels), uint64_t{0});
  for (int64_t i = 0; i < n; ++i)
    for (int64_t t = 0; t < taps; ++t)
      for (int64_t c = 0; c < channels; ++c) {
        const uint8_t code = codes[(i * taps + t) * channels + c];
        for (int b = 0; b < bits; ++b) {
          const int64_t word = (i / kBitTile * bits + b) * row + t * pixel + c / 64;
          words[word * kBitTile + i % kBitTile] |= uint64_t{code >> b & 1u} << c % 64;
        }
      }
}

}  // namespace nibble::kernels
