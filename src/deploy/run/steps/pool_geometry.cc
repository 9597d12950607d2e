#include "deploy/run/steps/pool_geometry.h"

#include <algorithm>

#include "deploy/model/window.h"

namespace nibble::run {
namespace {

using model::Attr;
using model::Op;

std::vector<PoolGeometry::Position> positions_of(const model::Window& w) {
  std::vector<PoolGeometry::Position> positions(static_cast<size_t>(w.output));
  for (int64_t o = 0; o < w.output; ++o) {
    PoolGeometry::Position p{0, 0, 0};
    for (int64_t t = 0; t < w.kernel; ++t) {
      const int64_t at = o * w.stride - w.pad_begin + t * w.dilation;
      p.counted +=
          at < w.input + w.pad_end;  // ceil_mode: the last window may reach beyond the padding
      if (at < 0 || at >= w.input) continue;
      if (p.taps++ == 0) p.first = at;
    }
    positions[static_cast<size_t>(o)] = p;
  }
  return positions;
}

}  // namespace

int64_t PoolGeometry::stride(size_t axis) const {
  int64_t stride = channels_last ? channels : 1;
  for (size_t i = axis + 1; i < 3; ++i) stride *= input[i];
  return stride;
}

int64_t PoolGeometry::max_taps() const {
  int64_t taps = 1;
  for (const auto& axis : positions) {
    int64_t most = 0;
    for (const Position& p : axis) most = std::max(most, p.counted);
    taps *= most;
  }
  return taps;
}

PoolGeometry::Window PoolGeometry::window(int64_t output_index) const {
  Window w{};
  w.taps = w.counted = 1;
  for (size_t i = 3; i-- > 0;) {
    const Position& p = positions[i][static_cast<size_t>(output_index % output[i])];
    output_index /= output[i];
    w.box.count[i] = p.taps;
    w.box.stride[i] = dilation[i] * stride(i);
    w.offset += p.first * stride(i);
    w.taps *= p.taps;
    w.counted *= p.counted;
  }
  return w;
}

Result<PoolGeometry> pool_geometry(const PrepareContext& context) {
  const model::NodeInfo& node = context.node;
  const Shape& x = context.inputs[0].shape;
  PoolGeometry g;
  g.channels_last = node.attributes.get_int(Attr::channels_last, 0) != 0;
  g.batch = x[0];
  g.channels = g.channels_last ? x[x.rank() - 1] : x[1];
  const auto space = x.dims().subspan(g.channels_last ? 1 : 2, static_cast<size_t>(x.rank()) - 2);

  std::vector<model::Window> windows;
  if (node.op == Op::kMaxPool || node.op == Op::kAveragePool) {
    auto resolved = model::resolve_windows(node.op, node.attributes, space,
                                           node.attributes.get_ints(Attr::kernel_shape));
    if (!resolved.ok()) return resolved.status();
    windows = std::move(resolved).value();
  } else {
    // One window over all of space, whatever its rank.
    const int64_t all = x.size(g.channels_last ? 1 : 2, x.rank() - (g.channels_last ? 1 : 0));
    windows.push_back({.input = all, .kernel = all, .output = 1});
  }
  while (windows.size() < 3)
    windows.insert(windows.begin(), {.input = 1, .kernel = 1, .output = 1});
  for (size_t i = 0; i < 3; ++i) {
    g.input[i] = windows[i].input;
    g.output[i] = windows[i].output;
    g.dilation[i] = windows[i].dilation;
    g.positions[i] = positions_of(windows[i]);
  }
  return g;
}

}  // namespace nibble::run
