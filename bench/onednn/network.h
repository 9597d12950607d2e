#pragma once

#include <cstdint>
#include <istream>
#include <string>
#include <vector>

namespace nibble::bench {

/// A convolution with bias; a linear layer is one with 1x1 images and a 1x1 kernel, `linear` set.
struct LayerShape {
  std::string name;
  bool linear = false, relu = false;
  int64_t batch = 0, channels = 0, height = 0, width = 0;  // of the input
  int64_t outputs = 0, kernel_h = 0, kernel_w = 0, stride_h = 0, stride_w = 0;
  int64_t top = 0, left = 0, bottom = 0, right = 0;  // padding
  int64_t groups = 1;

  int64_t out_height() const { return (height + top + bottom - kernel_h) / stride_h + 1; }
  int64_t out_width() const { return (width + left + right - kernel_w) / stride_w + 1; }
  int64_t fan_in() const { return channels / groups * kernel_h * kernel_w; }
};

/// One layer a line: `conv|linear NAME RELU` and the numbers above in their order, RELU 0 or 1.
/// Throws std::runtime_error with the line that is not so.
std::vector<LayerShape> read_network(std::istream& in);

}  // namespace nibble::bench
