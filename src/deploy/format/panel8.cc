#include "deploy/format/panel8.h"

#include <cstring>

namespace nibble::format {
namespace {

// Calls f(position in rows, position in panel8) for every code, in row order.
template <class F>
void for_each_code(const PackedRecord& r, int64_t channels, F f) {
  const int64_t k_padded = padded_k(r);
  int64_t row = 0;
  for (int64_t g = 0; g < r.groups; ++g)
    for (int64_t n = 0; n < r.n; ++n) {
      const int64_t start = g * channels * k_padded + panel8_offset(channels, k_padded, n, 0);
      const int64_t step =
          panel8_offset(channels, 2 * kStep, n, kStep) - panel8_offset(channels, 2 * kStep, n, 0);
      for (int64_t tap = 0; tap < r.kh * r.kw; ++tap)
        for (int64_t c = 0; c < r.c; ++c) {
          const int64_t k = tap * r.c_pad + c;
          f(row++, start + k / kStep * step + k % kStep / 4 * kVectorBytes + k % 4);
        }
    }
}

}  // namespace

void rows_to_panel8(const PackedRecord& record, int64_t channels, const uint8_t* rows,
                    uint8_t* panel8) {
  std::memset(panel8, record.offset,
              static_cast<size_t>(record.groups * channels * padded_k(record)));
  for_each_code(record, channels, [&](int64_t row, int64_t at) { panel8[at] = rows[row]; });
}

void panel8_to_rows(const PackedRecord& record, int64_t channels, const uint8_t* panel8,
                    uint8_t* rows) {
  for_each_code(record, channels, [&](int64_t row, int64_t at) { rows[row] = panel8[at]; });
}

}  // namespace nibble::format
