#include "deploy/kernels/matmul/panels_s8.h"

#include <algorithm>

#include "deploy/format/panel8.h"
#include "deploy/kernels/matmul/matmul_s8.h"

namespace nibble::kernels {

static_assert(kPanelS8 == format::kPanelChannels);

void pack_panels_s8(const int8_t* b, int64_t k, int64_t n, int64_t begin, int64_t end, uint8_t* out,
                    int32_t* sums) {
  const int64_t k_padded = format::round_up(k, format::kStep);
  for (int64_t panel = begin; panel < end; ++panel) {
    const int64_t first = panel * kPanelS8, width = std::min(kPanelS8, n - first);
    uint8_t* to = out + first * k_padded;
    std::fill(to, to + kPanelS8 * k_padded, uint8_t{128});
    std::fill(sums + first, sums + first + kPanelS8, 0);
    for (int64_t i = 0; i < k; ++i) {
      for (int64_t j = 0; j < width; ++j) {
        const int code = b[i * n + first + j];
        sums[first + j] = static_cast<int32_t>(static_cast<uint32_t>(sums[first + j]) +
                                               static_cast<uint32_t>(code));
        to[format::panel8_offset(kPanelS8, k_padded, j, i)] = static_cast<uint8_t>(code + 128);
      }
    }
  }
}

}  // namespace nibble::kernels
