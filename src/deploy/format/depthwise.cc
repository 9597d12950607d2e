#include "deploy/format/depthwise.h"

#include <cstring>

namespace nibble::format {
namespace {

template <class F>
void for_each_code(const PackedRecord& r, F f) {
  int64_t row = 0;
  for (int64_t channel = 0; channel < r.n; ++channel)
    for (int64_t ky = 0; ky < r.kh; ++ky)
      for (int64_t kx = 0; kx < r.kw; ++kx) f(row++, depthwise_offset(r, channel, ky, kx));
}

}  // namespace

void rows_to_depthwise(const PackedRecord& record, const uint8_t* rows, uint8_t* vectors) {
  std::memset(vectors, 0, depthwise8_bytes(record));
  for_each_code(record, [&](int64_t row, int64_t at) { vectors[at] = rows[row]; });
}

void depthwise_to_rows(const PackedRecord& record, const uint8_t* vectors, uint8_t* rows) {
  for_each_code(record, [&](int64_t row, int64_t at) { rows[row] = vectors[at]; });
}

}  // namespace nibble::format
