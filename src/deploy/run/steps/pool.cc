// MaxPool, AveragePool and the global pools, on reals and on codes, 1 to 3 spatial axes, either
// layout. The kernels run over neighbouring channels; where space lies innermost they see one
// channel at a time.

#include <algorithm>
#include <limits>
#include <memory>

#include "deploy/kernels/pool/pool.h"
#include "deploy/run/step_factories.h"
#include "deploy/run/steps/fused_clip.h"
#include "deploy/run/steps/pool_geometry.h"

namespace nibble::run {
namespace {

using model::Attr;
using model::Op;

/// Calls f(image, plane, output index) for all results, split over threads. With channels last a
/// result is all channels of a position (plane 0), else one position of one channel.
template <class F>
void for_results(const PoolGeometry& g, ThreadPool& pool, F f) {
  const int64_t planes = g.channels_last ? 1 : g.channels, width = g.channels_last ? g.channels : 1;
  const int64_t outputs = g.outputs();
  if (outputs == 0 || g.channels == 0) return;
  const int64_t grain = std::max<int64_t>(1, 16384 / std::max<int64_t>(1, width * g.max_taps()));
  pool.parallel_for(g.batch * planes * outputs, grain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i)
      f(i / outputs / planes, i / outputs % planes, i % outputs);
  });
}

template <class T>
T lowest() {
  return std::numeric_limits<T>::has_infinity ? -std::numeric_limits<T>::infinity()
                                              : std::numeric_limits<T>::lowest();
}

template <class T>
class PoolStep : public Step {
 public:
  explicit PoolStep(Op op) : average_(op == Op::kAveragePool || op == Op::kGlobalAveragePool) {}

  Status prepare(PrepareContext& context) override {
    auto geometry = pool_geometry(context);
    if (!geometry.ok()) return geometry.status();
    geometry_ = std::move(geometry).value();
    if (average_ && sizeof(T) == 1 && geometry_.max_taps() > kernels::kMaxTaps)
      return unsupported("a mean over " + std::to_string(geometry_.max_taps()) +
                         " codes; at most " + std::to_string(kernels::kMaxTaps) +
                         " are summed exactly");
    const kernels::PoolTable& table = kernels::pool_kernels(context.isa);
    kernels_ = table.of<T>();
    name_ = table.name;
    include_pad_ = context.node.attributes.get_int(Attr::count_include_pad, 0) != 0;
    zero_ = context.node.attributes.get_int(Attr::x_zero, 0);
    if constexpr (std::is_same_v<T, float>) clip_ = FusedClip(context.node.attributes, context.isa);
    return {};
  }

  void run(const RunContext& context) override {
    const PoolGeometry& g = geometry_;
    const T* x = context.inputs[0].as<T>();
    T* y = context.outputs[0].as<T>();
    const int64_t n = g.channels_last ? g.channels : 1;
    const int64_t image = g.channels * g.input[0] * g.input[1] * g.input[2],
                  out = g.channels * g.outputs();
    for_results(g, context.pool, [&](int64_t b, int64_t plane, int64_t index) {
      const PoolGeometry::Window w = g.window(index);
      const T* from = x + b * image + plane * g.channel_stride() + w.offset;
      T* to = y + b * out + plane * g.outputs() + index * n;
      if (average_)
        mean(w, from, n, to);
      else if (w.taps == 0)
        std::fill_n(to, n, lowest<T>());
      else
        kernels_.maximum(from, w.box, n, to);
      if constexpr (std::is_same_v<T, float>) clip_.apply(to, n);
    });
  }
  std::string_view kernel() const override { return name_; }

 private:
  /// A window that lies in the padding alone gives the code of zero.
  void mean(const PoolGeometry::Window& w, const T* from, int64_t n, T* to) const {
    const int64_t divisor = include_pad_ ? w.counted : w.taps;
    if (w.taps == 0)
      std::fill_n(to, n, static_cast<T>(zero_));
    else
      kernels_.average(from, w.box, n, (divisor - w.taps) * zero_, divisor, to);
  }

  bool average_;
  bool include_pad_ = false;
  int64_t zero_ = 0;
  PoolGeometry geometry_;
  kernels::PoolKernels<T> kernels_{};
  std::string_view name_;
  FusedClip clip_;
};

/// MaxPool with its second output: the index of each maximum in the tensor as [N, C, spatial...],
/// whatever the layout (the first of equals; storage_order 1: the spatial part counts columns
/// first).
template <class T>
class ArgMaxPoolStep : public Step {
 public:
  Status prepare(PrepareContext& context) override {
    auto geometry = pool_geometry(context);
    if (!geometry.ok()) return geometry.status();
    geometry_ = std::move(geometry).value();
    columns_first_ = context.node.attributes.get_int(Attr::storage_order, 0) != 0;
    return {};
  }

  void run(const RunContext& context) override {
    const PoolGeometry& g = geometry_;
    const T* x = context.inputs[0].as<T>();
    T* y = context.outputs[0].as<T>();
    int64_t* indices = context.outputs[1].as<int64_t>();
    const int64_t space = g.input[0] * g.input[1] * g.input[2];
    for_results(g, context.pool, [&](int64_t b, int64_t plane, int64_t index) {
      const PoolGeometry::Window w = g.window(index);
      for (int64_t k = 0; k < (g.channels_last ? g.channels : 1); ++k) {
        const int64_t c = g.channels_last ? k : plane;
        const int64_t at = g.channels_last ? (b * g.outputs() + index) * g.channels + c
                                           : (b * g.channels + c) * g.outputs() + index;
        const T* from = x + b * g.channels * space + c * g.channel_stride();
        T best = lowest<T>();
        int64_t where = 0;
        bool found = false;
        for (int64_t i = 0; i < w.box.count[0]; ++i)
          for (int64_t j = 0; j < w.box.count[1]; ++j)
            for (int64_t l = 0; l < w.box.count[2]; ++l) {
              const int64_t offset =
                  w.offset + i * w.box.stride[0] + j * w.box.stride[1] + l * w.box.stride[2];
              if (found && !(from[offset] > best)) continue;
              found = true;
              best = from[offset];
              where = offset;
            }
        y[at] = best;
        indices[at] = (b * g.channels + c) * space + position(where);
      }
    });
  }

 private:
  /// Index within one plane of the element at `offset` from the plane's start.
  int64_t position(int64_t offset) const {
    const PoolGeometry& g = geometry_;
    if (g.channels_last) offset /= g.channels;
    if (!columns_first_) return offset;
    const int64_t w = offset % g.input[2], h = offset / g.input[2] % g.input[1],
                  d = offset / g.input[2] / g.input[1];
    return (w * g.input[1] + h) * g.input[0] + d;
  }

  PoolGeometry geometry_;
  bool columns_first_ = false;
};

template <class T>
std::unique_ptr<Step> make(const model::NodeInfo& node) {
  const bool indices =
      node.op == Op::kMaxPool && node.outputs.size() > 1 && node.outputs[1] != model::kNoTensor;
  if (indices) return std::make_unique<ArgMaxPoolStep<T>>();
  return std::make_unique<PoolStep<T>>(node.op);
}

}  // namespace

std::unique_ptr<Step> pool_step(const model::Model& model, const model::NodeInfo& node) {
  if (node.attributes.has(Attr::multiplier) || node.attributes.has(Attr::fixed_multiplier))
    return global_mean_step(model, node);
  switch (model.tensors[static_cast<size_t>(node.inputs[0])].dtype) {
    case DType::kF32:
      return make<float>(node);
    case DType::kI8:
      return make<int8_t>(node);
    case DType::kU8:
      return make<uint8_t>(node);
    case DType::kI16:
      return make<int16_t>(node);
    default:
      return nullptr;
  }
}

}  // namespace nibble::run
