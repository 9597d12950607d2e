// Constants that reach the network through DequantizeLinear or a QuantizeLinear/DequantizeLinear
// pair.

#include <algorithm>
#include <charconv>

#include "deploy/numeric/quantize.h"
#include "deploy/numeric/scale_index.h"
#include "quant/graph/error.h"
#include "quant/importer/fold_qdq.h"
#include "quant/importer/node_grid.h"

namespace nibble::importer {
namespace {

using graph::Attr;
using graph::kNoValue;
using graph::Op;
using numeric::QuantParams;

/// Codes of fewer bits than their type, as the file's own metadata says. Throws Error(kModel) when
/// the codes do not fit that width.
void narrow_to_stated_bits(const graph::Value& value, const Tensor& codes, const Context& context,
                           QuantParams& params) {
  const auto stated = context.bits.find(value.name);
  if (stated == context.bits.end()) return;
  const auto fail = [&](const std::string& what) {
    return Error(ErrorKind::kModel, "metadata 'nibble.bits." + value.name + "': " + what,
                 context.graph.source);
  };
  const bool ternary = stated->second == "T";
  const bool centred = params.qmin < 0;
  int bits = ternary ? 2 : 0;
  const char* end = stated->second.data() + stated->second.size();
  const bool is_number = std::from_chars(stated->second.data(), end, bits).ptr == end;
  if ((!is_number && !ternary) || bits < 1 || bits > params.bits || (ternary && !centred))
    throw fail("found '" + stated->second + "', expected T (signed types) or 1 to " +
               std::to_string(params.bits));
  params.bits = bits;
  if (ternary || (bits == 1 && centred)) {
    params.grid = ternary ? numeric::GridId::kTernary : numeric::GridId::kBinary;
    params.range = numeric::RangeKind::kRestricted;
    params.qmin = -1;
    params.qmax = 1;
  } else {
    params.qmin = centred ? -(1 << (bits - 1)) : 0;
    params.qmax = params.qmin + (1 << bits) - 1;
  }
  visit_dtype(codes.dtype(), [&]<class T>(std::type_identity<T>) {
    for (const T code : codes.span<T>())
      if (static_cast<int64_t>(code) < params.qmin || static_cast<int64_t>(code) > params.qmax ||
          (params.grid == numeric::GridId::kBinary && code == 0))
        throw fail("code " + std::to_string(code) + " does not fit " + std::to_string(bits) +
                   " bits");
  });
  if (const Status status = numeric::check(params, codes.shape()); !status.ok())
    throw fail(status.message());
}

/// Signed codes that never use their lowest number belong to the restricted range: it is what
/// symmetric weights have by custom, and the same codes either way.
void restrict_range(const Tensor& codes, QuantParams& params) {
  if (params.range != numeric::RangeKind::kFull) return;
  const bool uses_lowest = visit_dtype(codes.dtype(), [&]<class T>(std::type_identity<T>) {
    const auto span = codes.span<T>();
    return std::any_of(span.begin(), span.end(),
                       [&](T q) { return static_cast<int64_t>(q) == params.qmin; });
  });
  if (uses_lowest) return;
  params.range = numeric::RangeKind::kRestricted;
  ++params.qmin;
}

/// int32 codes (a bias): their real numbers, each rounded once.
std::optional<Tensor> dequantize_int32(const graph::Node& node, const Tensor& codes,
                                       const Context& context) {
  const auto params = scales_of_node(node, codes.shape(), context);
  if (!params) return std::nullopt;
  std::vector<int32_t> zeros(params->scales.size(), 0);
  if (node.inputs.size() > 2 && node.inputs[2] != kNoValue) {
    const auto& zero = context.graph.value(node.inputs[2]).constant;
    if (!zero || zero->dtype() != DType::kI32 || zero->size() != static_cast<int64_t>(zeros.size()))
      return std::nullopt;
    std::copy_n(zero->span<int32_t>().begin(), zeros.size(), zeros.begin());
  }
  Tensor real(DType::kF32, codes.shape());
  const numeric::ScaleIndex index(*params, codes.shape());
  for (int64_t i = 0; i < codes.size(); ++i) {
    const size_t unit = index[i];
    const int64_t code = int64_t{codes.span<int32_t>()[static_cast<size_t>(i)]} - zeros[unit];
    real.span<float>()[static_cast<size_t>(i)] =
        static_cast<float>(static_cast<double>(code) * static_cast<double>(params->scales[unit]));
  }
  return real;
}

/// Makes the output of `node` a constant when its input is; true if the node is now dead.
bool fold_dequantize(const graph::Node& node, Context& context) {
  graph::Value& out = context.graph.value(node.outputs[0]);
  const auto codes = context.graph.value(node.inputs[0]).constant;
  if (!codes) return false;
  if (codes->dtype() == DType::kI32) {
    auto real = dequantize_int32(node, *codes, context);
    if (!real) return false;
    out.constant = std::make_shared<const Tensor>(std::move(*real));
    return true;
  }
  auto params = grid_of_node(node, codes->shape(), context);
  if (!params) return false;
  Tensor real(DType::kF32, codes->shape());
  if (!numeric::dequantize(codes->view(), *params, real.view()).ok()) return false;
  narrow_to_stated_bits(out, *codes, context, *params);
  restrict_range(*codes, *params);
  out.constant = std::make_shared<const Tensor>(std::move(real));
  out.quant = graph::QuantInfo{std::move(*params), "imported QDQ"};
  return true;
}

/// QuantizeLinear of a real constant: its codes, as if the file had held them.
bool fold_quantize(const graph::Node& node, Context& context) {
  const auto real = context.graph.value(node.inputs[0]).constant;
  if (!real || real->dtype() != DType::kF32) return false;
  const auto params = grid_of_node(node, real->shape(), context);
  const auto type = code_type_of(node, context);
  if (!params) return false;
  Tensor codes(*onnx::info_of(*type).dtype, real->shape());
  if (!numeric::quantize(real->view(), *params, codes.view()).ok()) return false;
  context.stored[node.outputs[0]] = *type;
  context.graph.value(node.outputs[0]).constant = std::make_shared<const Tensor>(std::move(codes));
  return true;
}

}  // namespace

void fold_constants(Context& context) {
  std::erase_if(context.graph.nodes, [&](const graph::Node& node) {
    if (node.op == Op::kQuantizeLinear) return fold_quantize(node, context);
    return node.op == Op::kDequantizeLinear && fold_dequantize(node, context);
  });
}

}  // namespace nibble::importer
