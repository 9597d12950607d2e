#include <algorithm>
#include <cstring>

#include "deploy/kernels/move/move.h"

namespace nibble::kernels {
namespace {

template <class T>
void fill_with(void* dst, const void* value, int64_t count) {
  T v;
  std::memcpy(&v, value, sizeof(T));
  std::fill_n(static_cast<T*>(dst), count, v);
}

}  // namespace

void fill_elements(void* dst, const void* value, size_t element_size, int64_t count) {
  switch (element_size) {
    case 1:
      return fill_with<uint8_t>(dst, value, count);
    case 2:
      return fill_with<uint16_t>(dst, value, count);
    case 4:
      return fill_with<uint32_t>(dst, value, count);
    case 8:
      return fill_with<uint64_t>(dst, value, count);
  }
}

MappedCopy plan_mapped_copy(std::span<const std::vector<int64_t>> maps,
                            std::span<const int64_t> src_dims, size_t element_size) {
  // Trailing axes that are copied as they are join the axis before them.
  const auto is_whole = [&](size_t axis) {
    if (static_cast<int64_t>(maps[axis].size()) != src_dims[axis]) return false;
    for (size_t i = 0; i < maps[axis].size(); ++i)
      if (maps[axis][i] != static_cast<int64_t>(i)) return false;
    return true;
  };
  size_t last = maps.size();
  int64_t chunk = 1;  // elements that move together
  while (last > 1 && is_whole(last - 1)) chunk *= src_dims[--last];

  MappedCopy plan;
  plan.element_size = element_size;
  if (last == 0) {  // a scalar
    plan.runs = {{0, 0, 1}};
    plan.row = plan.units = 1;
    return plan;
  }
  --last;
  plan.row = static_cast<int64_t>(maps[last].size()) * chunk;
  plan.units = plan.row > 0 ? 1 : 0;
  int64_t stride = src_dims[last] * chunk;
  for (size_t axis = last; axis-- > 0;) {
    plan.maps.insert(plan.maps.begin(), maps[axis]);
    plan.strides.insert(plan.strides.begin(), stride);
    stride *= src_dims[axis];
    plan.units *= static_cast<int64_t>(maps[axis].size());
  }
  for (size_t i = 0; i < maps[last].size(); ++i) {
    const int64_t from = maps[last][i] < 0 ? -1 : maps[last][i] * chunk;
    if (!plan.runs.empty()) {
      MappedCopy::Run& run = plan.runs.back();
      if (from < 0 ? run.src < 0 : run.src >= 0 && from == run.src + run.length) {
        run.length += chunk;
        continue;
      }
    }
    plan.runs.push_back({static_cast<int64_t>(i) * chunk, from, chunk});
  }
  return plan;
}

void mapped_copy(const MappedCopy& plan, const void* src, const void* value, void* dst,
                 int64_t begin, int64_t end) {
  const size_t size = plan.element_size;
  for (int64_t unit = begin; unit < end; ++unit) {
    int64_t rest = unit, from = 0;
    bool inside = true;
    for (size_t axis = plan.maps.size(); axis-- > 0;) {
      const auto length = static_cast<int64_t>(plan.maps[axis].size());
      const int64_t position = plan.maps[axis][static_cast<size_t>(rest % length)];
      rest /= length;
      inside = inside && position >= 0;
      from += position * plan.strides[axis];
    }
    auto* to = static_cast<std::byte*>(dst) + static_cast<size_t>(unit * plan.row) * size;
    if (!inside) {
      fill_elements(to, value, size, plan.row);
      continue;
    }
    for (const MappedCopy::Run& run : plan.runs) {
      std::byte* at = to + static_cast<size_t>(run.dst) * size;
      if (run.src < 0)
        fill_elements(at, value, size, run.length);
      else
        std::memcpy(at,
                    static_cast<const std::byte*>(src) + static_cast<size_t>(from + run.src) * size,
                    static_cast<size_t>(run.length) * size);
    }
  }
}

}  // namespace nibble::kernels
