// Relu and Clip between an op and its quantised result. Clipping before quantising is clamping the
// codes: q(clip(x, lo, hi)) = clamp(q(x), q(lo), q(hi)), because quantisation is monotone.

#include <cmath>
#include <limits>

#include "deploy/numeric/grid.h"
#include "quant/importer/fold_qdq.h"

namespace nibble::importer {
namespace {

using graph::Attr;
using graph::kNoValue;
using graph::Node;
using graph::Op;
using graph::ValueId;
using numeric::QuantParams;
using numeric::RangeKind;

constexpr float kInfinity = std::numeric_limits<float>::infinity();

struct Bounds {
  float low = -kInfinity, high = kInfinity;
};

/// The bound in input `index` of a Clip: `otherwise` when absent, empty when it is no constant.
std::optional<float> bound(const graph::Graph& graph, const Node& node, size_t index,
                           float otherwise) {
  if (index >= node.inputs.size() || node.inputs[index] == kNoValue) return otherwise;
  const auto& tensor = graph.value(node.inputs[index]).constant;
  if (!tensor || tensor->dtype() != DType::kF32 || tensor->size() != 1) return std::nullopt;
  const float value = tensor->span<float>()[0];
  return std::isnan(value) ? std::nullopt : std::optional(value);
}

std::optional<Bounds> bounds_of(const graph::Graph& graph, const Node& node) {
  if (node.op == Op::kRelu) return Bounds{0.0f, kInfinity};
  if (node.op != Op::kClip) return std::nullopt;
  const auto low = bound(graph, node, 1, -kInfinity), high = bound(graph, node, 2, kInfinity);
  if (!low || !high || !(*low <= *high)) return std::nullopt;
  return Bounds{*low, *high};
}

/// Ops that carry clip_min and clip_max (docs/numerics.md).
bool takes_bounds(Op op) {
  return op == Op::kConv || op == Op::kConvTranspose || op == Op::kGemm || op == Op::kMatMul ||
         op == Op::kAdd || op == Op::kMul;
}

/// Narrows the grid to the codes inside the bounds, if they are all codes of some narrower width.
bool narrow(QuantParams& grid, numeric::CodeRange inside) {
  if (grid.grid != numeric::GridId::kAffine) return false;
  const bool shifted = grid.zero_point(0) != 0;
  for (int bits = 1; bits < grid.bits || (bits == grid.bits && grid.qmin < 0); ++bits)
    for (const RangeKind kind :
         {RangeKind::kRestricted, RangeKind::kFull, RangeKind::kAsymmetric}) {
      if (grid.qmin < 0 ? shifted != (kind == RangeKind::kAsymmetric)
                        : kind != RangeKind::kAsymmetric)
        continue;
      if (numeric::is_symmetric(kind) && bits < numeric::kMinBits) continue;
      numeric::CodeRange codes = numeric::code_range(kind, bits);
      const int32_t shift = grid.qmin < 0 && kind == RangeKind::kAsymmetric ? 1 << (bits - 1) : 0;
      codes = {codes.qmin - shift, codes.qmax - shift};
      const bool same = codes == numeric::CodeRange{grid.qmin, grid.qmax};
      const int32_t zero = grid.zero_point(0);
      if (codes != inside || same || zero < codes.qmin || zero > codes.qmax) continue;
      grid.bits = bits;
      grid.range = kind;
      grid.qmin = codes.qmin;
      grid.qmax = codes.qmax;
      return true;
    }
  return false;
}

class Folder {
 public:
  explicit Folder(graph::Graph& graph)
      : graph_(graph), uses_(graph), dead_(graph.nodes.size(), 0) {}

  void run() {
    for (ValueId id = 0; id < static_cast<ValueId>(graph_.values.size()); ++id)
      while (fold_producer(id)) {
      }
    size_t i = 0;
    std::erase_if(graph_.nodes, [&](const Node&) { return dead_[i++] != 0; });
  }

 private:
  /// Folds the Relu or Clip that makes `id`; false when there is none, or none that can be folded.
  bool fold_producer(ValueId id) {
    auto& quant = graph_.value(id).quant;
    const int index = uses_.producer[id];
    if (!quant || index < 0) return false;
    Node& clip = graph_.nodes[static_cast<size_t>(index)];
    const auto bounds = bounds_of(graph_, clip);
    if (!bounds) return false;
    QuantParams& grid = quant->params;
    const auto code = [&](float x) { return numeric::quantize_one(x, grid); };
    const numeric::CodeRange inside{code(bounds->low), code(bounds->high)};
    const bool whole = inside == numeric::CodeRange{grid.qmin, grid.qmax};

    const ValueId raw = clip.inputs[0];
    const int before = uses_.producer[raw];
    const bool shared = uses_.readers[raw].size() != 1 || uses_.is_output[raw];
    if (graph_.value(raw).quant || shared) {
      // Others read what comes in: a copy on the narrower grid.
      if (!narrow(grid, inside) && !whole) return false;
      clip.op = Op::kRequantize;
      clip.inputs = {raw};
      return false;
    }
    if (before < 0) {  // a graph input
      if (uses_.is_output[id] || (!narrow(grid, inside) && !whole)) return false;
      graph_.value(raw).quant = std::move(quant);
      quant.reset();
      graph_.replace_uses(id, raw);
      dead_[static_cast<size_t>(index)] = 1;
      return false;
    }
    Node& producer = graph_.nodes[static_cast<size_t>(before)];
    if (!narrow(grid, inside) && !fuse(producer, *bounds) && !whole) return false;
    // The producer writes the value itself.
    for (ValueId& out : producer.outputs)
      if (out == raw) out = id;
    uses_.producer[id] = before;
    dead_[static_cast<size_t>(index)] = 1;
    return true;
  }

  bool fuse(Node& producer, Bounds bounds) {
    const bool has =
        producer.attributes.has(Attr::clip_min) || producer.attributes.has(Attr::clip_max);
    if (!takes_bounds(producer.op) || has) return false;
    if (bounds.low > -kInfinity) producer.attributes.set(Attr::clip_min, bounds.low);
    if (bounds.high < kInfinity) producer.attributes.set(Attr::clip_max, bounds.high);
    return true;
  }

  graph::Graph& graph_;
  graph::Uses uses_;
  std::vector<char> dead_;
};

}  // namespace

void fold_clips(graph::Graph& graph) {
  Folder(graph).run();
}

}  // namespace nibble::importer
