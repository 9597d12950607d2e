#include "quant/graph/shape_values.h"

#include <algorithm>
#include <utility>

namespace nibble::graph {
namespace {

using Elements = ShapeValues::Elements;
using Element = std::optional<int64_t>;

constexpr size_t kMostElements = 64;  // shapes are short; anything longer is data

Element combine(Op op, Element a, Element b) {
  if (!a || !b) return std::nullopt;
  int64_t result = 0;
  bool overflow = false;
  switch (op) {
    case Op::kAdd:
      overflow = __builtin_add_overflow(*a, *b, &result);
      break;
    case Op::kSub:
      overflow = __builtin_sub_overflow(*a, *b, &result);
      break;
    case Op::kMul:
      overflow = __builtin_mul_overflow(*a, *b, &result);
      break;
    case Op::kDiv:
      if (*b == 0 || *b == -1) return std::nullopt;
      result = *a / *b;
      break;
    default:
      return std::nullopt;
  }
  return overflow ? std::nullopt : Element(result);
}

Elements read_constant(const Tensor& tensor) {
  Elements elements;
  if (tensor.dtype() == DType::kI64)
    for (const int64_t x : tensor.span<int64_t>()) elements.emplace_back(x);
  else
    for (const int32_t x : tensor.span<int32_t>()) elements.emplace_back(x);
  return elements;
}

}  // namespace

const Elements* ShapeValues::find(ValueId id) {
  if (id == kNoValue) return nullptr;
  if (const auto it = known_.find(id); it != known_.end()) return &it->second;
  const auto& constant = graph_.value(id).constant;
  if (!constant || constant->shape().rank() > 1) return nullptr;
  if (constant->dtype() != DType::kI64 && constant->dtype() != DType::kI32) return nullptr;
  if (static_cast<size_t>(constant->size()) > kMostElements) return nullptr;
  return &known_.emplace(id, read_constant(*constant)).first->second;
}

void ShapeValues::evaluate(const Node& node) {
  if (node.outputs.size() != 1 || node.outputs[0] == kNoValue) return;
  auto result = result_of(node);
  if (!result || result->size() > kMostElements) return;
  // Trust it only where it has the shape that inference gives the node.
  const Value& out = graph_.value(node.outputs[0]);
  const Shape& shape = out.shape;
  if (out.dtype != DType::kI64 && out.dtype != DType::kI32) return;
  if (shape.rank() > 1 || !shape.known() || shape.size() != static_cast<int64_t>(result->size()))
    return;
  known_[node.outputs[0]] = std::move(*result);
}

const std::vector<int64_t>* ShapeValues::numbers(ValueId id, bool reshape_target) {
  auto& cache = reshape_target ? targets_ : numbers_;
  if (const auto it = cache.find(id); it != cache.end()) return &it->second;
  const Elements* elements = find(id);
  if (!elements) return nullptr;
  std::vector<int64_t> list;
  bool left_over = false;
  for (const Element& element : *elements) {
    if (!element && !reshape_target) return nullptr;
    const int64_t x = element.value_or(-1);
    if (reshape_target && x == -1 && std::exchange(left_over, true)) return nullptr;
    list.push_back(x);
  }
  return &cache.emplace(id, std::move(list)).first->second;
}

void ShapeValues::fill(ValueId id, Shape& shape) {
  const Elements* elements = find(id);
  if (!elements || static_cast<int>(elements->size()) != shape.rank()) return;
  for (int i = 0; i < shape.rank(); ++i)
    if (const Element& dim = (*elements)[static_cast<size_t>(i)];
        shape[i] == kUnknownDim && dim && *dim > 0)
      shape[i] = *dim;
}

std::optional<Elements> ShapeValues::slice(const Node& node) {
  const Elements* x = find(node.inputs[0]);
  if (!x || node.inputs.size() < 3) return std::nullopt;
  const auto one = [&](size_t index, int64_t otherwise) -> Element {
    if (index >= node.inputs.size() || node.inputs[index] == kNoValue) return otherwise;
    const Elements* list = find(node.inputs[index]);
    return list && list->size() == 1 ? (*list)[0] : std::nullopt;
  };
  const auto start = one(1, 0), end = one(2, 0), step = one(4, 1);
  if (!start || !end || step != Element(1)) return std::nullopt;
  const auto size = static_cast<int64_t>(x->size());
  const auto clamp = [&](int64_t i) {
    return std::clamp<int64_t>(i < 0 ? std::max<int64_t>(i, -size) + size : i, 0, size);
  };
  const int64_t first = clamp(*start), last = std::max(first, clamp(*end));
  return Elements(x->begin() + first, x->begin() + last);
}

std::optional<Elements> ShapeValues::result_of(const Node& node) {
  const auto input = [&](size_t i) {
    return i < node.inputs.size() ? find(node.inputs[i]) : nullptr;
  };
  switch (node.op) {
    case Op::kShape: {
      const Shape& shape = graph_.value(node.inputs[0]).shape;
      const int64_t rank = shape.rank();
      const auto clamp = [&](int64_t i) {
        return std::clamp<int64_t>(i < 0 ? std::max<int64_t>(i, -rank) + rank : i, 0, rank);
      };
      Elements dims;
      const int64_t end = clamp(node.attributes.get_int(Attr::end, rank));
      for (int64_t i = clamp(node.attributes.get_int(Attr::start, 0)); i < end; ++i) {
        const int64_t dim = shape[static_cast<int>(i)];
        dims.push_back(dim == kUnknownDim ? Element() : Element(dim));
      }
      return dims;
    }
    case Op::kIdentity:
    case Op::kSqueeze:
    case Op::kUnsqueeze:
    case Op::kReshape:
    case Op::kCast:
      return input(0) ? std::optional(*input(0)) : std::nullopt;
    case Op::kGather: {
      const Elements *x = input(0), *indices = input(1);
      if (!x || !indices) return std::nullopt;
      Elements picked;
      for (const Element& index : *indices) {
        const auto size = static_cast<int64_t>(x->size());
        if (!index || *index < -size || *index >= size) return std::nullopt;
        picked.push_back((*x)[static_cast<size_t>(*index < 0 ? *index + size : *index)]);
      }
      return picked;
    }
    case Op::kConcat: {
      Elements joined;
      for (const ValueId id : node.inputs) {
        const Shape& shape = graph_.value(id).shape;
        const Elements* part = find(id);
        if (!part && (shape.rank() != 1 || !shape.known() ||
                      static_cast<size_t>(shape.size()) > kMostElements))
          return std::nullopt;
        if (part)
          joined.insert(joined.end(), part->begin(), part->end());
        else
          joined.resize(joined.size() + static_cast<size_t>(shape.size()));
      }
      return joined;
    }
    case Op::kSlice:
      return slice(node);
    case Op::kAdd:
    case Op::kSub:
    case Op::kMul:
    case Op::kDiv: {
      const Elements *a = input(0), *b = input(1);
      if (!a || !b || a->empty() || b->empty()) return std::nullopt;
      const size_t size = std::max(a->size(), b->size());
      if ((a->size() != size && a->size() != 1) || (b->size() != size && b->size() != 1))
        return std::nullopt;
      Elements result;
      for (size_t i = 0; i < size; ++i)
        result.push_back(
            combine(node.op, (*a)[a->size() == 1 ? 0 : i], (*b)[b->size() == 1 ? 0 : i]));
      return result;
    }
    default:
      return std::nullopt;
  }
}

}  // namespace nibble::graph
