#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "deploy/base/thread_pool.h"
#include "deploy/kernels/matmul/rows.h"

namespace nibble::kernels {

/// Sliding windows over an image [batch, in0, in1, in2, groups * channels]; 1-D and 2-D images have
/// leading axes of length 1. Output y of an axis sees inputs y stride - pad + k dilation, k = 0 ..
/// kernel-1.
struct Windows {
  int64_t batch = 1;
  int64_t groups = 1;
  int64_t channels = 1;  // of one group
  std::array<int64_t, 3> in{1, 1, 1}, out{1, 1, 1}, kernel{1, 1, 1};
  std::array<int64_t, 3> stride{1, 1, 1}, dilation{1, 1, 1}, pad{0, 0, 0};

  int64_t taps() const { return kernel[0] * kernel[1] * kernel[2]; }
};

/// Turns windows into rows of an implicit matrix, k = (kernel0, kernel1, kernel2, channel). Where a
/// window leaves the image, or a group's channels are stored with padding (channels_stored), the
/// image is first copied into one that is large enough: every window is then inside, and taps that
/// are neighbours in memory make one segment.
class WindowPlan {
 public:
  WindowPlan() = default;
  WindowPlan(const Windows& windows, int64_t channels_stored);

  bool copies() const { return copies_; }
  /// Elements of the copy.
  int64_t copy_size() const;
  /// Pixels of the image that rows() speaks of.
  int64_t pixels() const;
  const RowPlan& rows() const { return rows_; }
  const Windows& windows() const { return windows_; }
  int64_t channels_stored() const { return channels_stored_; }

  /// Makes the copy: pixels outside the image are `padding`, channels beyond a group's are 0.
  template <class T>
  void copy(const T* image, T padding, T* to, ThreadPool& pool) const;

 private:
  Windows windows_;
  int64_t channels_stored_ = 0;
  bool copies_ = false;
  RowPlan rows_;
};

/// `count` groups of c elements, each stored as `stored` with zeros behind.
template <class T>
void widen(const T* from, int64_t c, int64_t stored, int64_t count, T* to) {
  const auto fixed = [&]<int kC>(std::integral_constant<int, kC>) {
    for (int64_t i = 0; i < count; ++i, from += kC, to += 4)
      for (int j = 0; j < 4; ++j) to[j] = j < kC ? from[j] : T{};
  };
  if (stored == 4 && c == 3) return fixed(std::integral_constant<int, 3>());
  if (stored == 4 && c == 1) return fixed(std::integral_constant<int, 1>());
  for (int64_t i = 0; i < count; ++i, from += c, to += stored) {
    std::memcpy(to, from, static_cast<size_t>(c) * sizeof(T));
    std::memset(to + c, 0, static_cast<size_t>(stored - c) * sizeof(T));
  }
}

template <class T>
void WindowPlan::copy(const T* image, T padding, T* to, ThreadPool& pool) const {
  const auto& [s0, s1, s2] = rows_.size;
  const int64_t size0 = s0, size1 = s1, size2 = s2, pixel = rows_.pixel;
  const Windows& w = windows_;
  const int64_t c = w.channels, from_pixel = w.groups * c;
  const auto fill = [&](T* p, int64_t pixels) {
    if (c == channels_stored_) {
      std::fill(p, p + pixels * pixel, padding);
      return;
    }
    for (int64_t i = 0; i < pixels * w.groups; ++i, p += channels_stored_)
      for (int64_t j = 0; j < channels_stored_; ++j) p[j] = j < c ? padding : T{};
  };
  const auto lines = [&](int64_t begin, int64_t end) {
    for (int64_t line = begin; line < end; ++line) {
      T* p = to + line * size2 * pixel;
      const int64_t x1 = line % size1 - w.pad[1];
      const int64_t x0 = line / size1 % size0 - w.pad[0];
      const int64_t b = line / size1 / size0;
      if (x0 < 0 || x0 >= w.in[0] || x1 < 0 || x1 >= w.in[1]) {
        fill(p, size2);
        continue;
      }
      const int64_t left = w.pad[2] < size2 ? w.pad[2] : size2;
      const int64_t room = size2 - left;
      const int64_t inside = w.in[2] < room ? w.in[2] : room;
      fill(p, left);
      p += left * pixel;
      const T* from = image + ((b * w.in[0] + x0) * w.in[1] + x1) * w.in[2] * from_pixel;
      if (c == channels_stored_) {
        std::memcpy(p, from, static_cast<size_t>(inside * pixel) * sizeof(T));
      } else {
        widen(from, c, channels_stored_, inside * w.groups, p);
      }
      fill(p + inside * pixel, room - inside);
    }
  };
  constexpr int64_t kGrainBytes = 32 * 1024;
  const int64_t line_bytes = size2 * pixel * static_cast<int64_t>(sizeof(T));
  pool.parallel_for(w.batch * size0 * size1, kGrainBytes / (line_bytes + 1) + 1, lines);
}

}  // namespace nibble::kernels
