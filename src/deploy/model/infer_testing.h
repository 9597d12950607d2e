#pragma once

// For tests alone: shape inference of one node as text.

#include <initializer_list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "deploy/model/infer_shapes.h"

namespace nibble::model::testing {

inline constexpr int64_t N = kUnknownDim;

/// An input: shape and type, and its value where it is known.
struct In {
  ShapeInput input;
  std::shared_ptr<Tensor> value = nullptr;

  In(std::initializer_list<int64_t> dims, DType dtype = DType::kF32)
      : input{true, dtype, Shape(dims), nullptr} {}
  /// A known vector.
  template <class T>
  static In of(std::vector<T> values) {
    In in({static_cast<int64_t>(values.size())}, dtype_of<T>());
    in.value = std::make_shared<Tensor>(Tensor::of<T>(in.input.shape, std::span<const T>(values)));
    // An empty tensor is a known value as well.
    static const int64_t nothing = 0;
    in.input.data = values.empty() ? static_cast<const void*>(&nothing) : in.value->data();
    return in;
  }
  static In ints(std::vector<int64_t> values) { return of<int64_t>(std::move(values)); }
  static In absent() {
    In in({});
    in.input.present = false;
    return in;
  }
};

inline Attributes attributes(std::initializer_list<std::pair<Attr, AttrValue>> entries) {
  Attributes result;
  for (const auto& [key, value] : entries) result.set(key, value);
  return result;
}
using Ints = std::vector<int64_t>;

/// "f32 1x2, i64 scalar", or the error. `declared`: the outputs' types before inference.
inline std::string infer(Op op, const std::vector<In>& inputs, const Attributes& attributes = {},
                         size_t outputs = 1, DType declared = DType::kF32) {
  std::vector<ShapeInput> in;
  for (const In& i : inputs) in.push_back(i.input);
  std::vector<ShapeOutput> out(outputs, {declared, {}});
  const Status status = infer_shapes(op, attributes, in, out);
  if (!status.ok()) return status.message();
  std::string text;
  for (const ShapeOutput& o : out)
    text += (text.empty() ? "" : ", ") + std::string(name_of(o.dtype)) + " " + to_string(o.shape);
  return text;
}

}  // namespace nibble::model::testing
