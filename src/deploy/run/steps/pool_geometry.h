#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "deploy/base/status.h"
#include "deploy/kernels/pool/pool.h"
#include "deploy/run/step.h"

namespace nibble::run {

/// The windows of a pool, resolved for one input shape. Space always has three axes; missing ones
/// are of length 1, in front.
struct PoolGeometry {
  /// One output position of one axis: the taps that read the input, and how many count for a mean
  /// that includes padding.
  struct Position {
    int64_t first;    // input coordinate of the first tap inside the input
    int64_t taps;     // taps inside the input
    int64_t counted;  // taps inside the input or its padding
  };

  int64_t batch = 1, channels = 1;
  bool channels_last = false;
  std::array<int64_t, 3> input{1, 1, 1}, output{1, 1, 1}, dilation{1, 1, 1};
  std::array<std::vector<Position>, 3> positions;

  /// Elements between neighbours along axis `axis`, and between channels, of the input.
  int64_t stride(size_t axis) const;
  int64_t channel_stride() const { return channels_last ? 1 : input[0] * input[1] * input[2]; }
  int64_t outputs() const { return output[0] * output[1] * output[2]; }
  int64_t max_taps() const;

  /// One window: its box of taps, where it starts within one image, and its numbers of taps.
  struct Window {
    kernels::Box box;
    int64_t offset;
    int64_t taps, counted;
  };
  Window window(int64_t output_index) const;
};

/// Of MaxPool and AveragePool by their attributes, of the global pools by the shape alone.
Result<PoolGeometry> pool_geometry(const PrepareContext& context);

}  // namespace nibble::run
