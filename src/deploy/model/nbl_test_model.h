#pragma once

#include <cstring>
#include <initializer_list>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "deploy/model/nbl.h"

namespace nibble::model {

/// Builds small models for the tests of the reader and writer; owns the constants' bytes.
class TestModel {
 public:
  Model model;

  int activation(const std::string& name, const Shape& shape, DType dtype = DType::kF32) {
    return add({name, dtype, shape, {}, {}, {}, false});
  }
  int constant(const std::string& name, const Shape& shape, DType dtype) {
    TensorInfo t{name, dtype, shape, {}, {}, {}, true};
    return fill(add(std::move(t)));
  }
  int packed(const std::string& name, const Shape& shape, const format::PackedRecord& record) {
    TensorInfo t{name, DType::kI8, shape, {}, record, {}, true};
    return fill(add(std::move(t)));
  }
  NodeInfo& node(Op op, const std::string& name, std::vector<int> in, std::vector<int> out) {
    NodeInfo n;
    n.op = op;
    n.name = name;
    n.inputs = std::move(in);
    n.outputs = std::move(out);
    model.nodes.push_back(std::move(n));
    return model.nodes.back();
  }
  TensorInfo& tensor(int i) { return model.tensors[static_cast<size_t>(i)]; }

  /// A Relu between an input and an output, to be broken in one place.
  static TestModel relu() {
    TestModel m;
    const int x = m.activation("x", {kUnknownDim, 4}), y = m.activation("y", {kUnknownDim, 4});
    m.node(Op::kRelu, "relu", {x}, {y});
    m.model.inputs = {x};
    m.model.outputs = {y};
    return m;
  }

  /// 1x1 convolution with packed 4-bit weights, an island, and a constant of every type.
  static TestModel full() {
    TestModel m;
    m.model.phase = Phase::kInteger;
    m.model.requantise = numeric::RequantiseVariant::kFixed;
    m.model.metadata = {{"tool", "test"}, {"empty", ""}};
    const int x = m.activation("x", {kUnknownDim, 2, 2, 5}, DType::kI8);
    m.tensor(x).quant = grid_of({0.25f}, {-3});
    const int w = m.packed("w", {3, 1, 1, 5}, format::make_record(4, true, 1, 3, 1, 1, 5));
    const int b = m.constant("b", {3}, DType::kI32);
    const int s = m.constant("s", {3}, DType::kF32);
    const int y = m.activation("y", {kUnknownDim, 2, 2, 3}, DType::kI8);
    m.tensor(y).quant = grid_of({1.5f}, {0});
    Attributes& a = m.node(Op::kQConv, "conv", {x, w, b, s}, {y}).attributes;
    a.set(Attr::group, int64_t{1});
    a.set(Attr::pads, std::vector<int64_t>{0, 1, 0, -1});
    a.set(Attr::strides, std::vector<int64_t>{});
    a.set(Attr::auto_pad, std::string("NOTSET"));
    a.set(Attr::clip_min, -0.0f);
    a.set(Attr::multiplier, std::vector<float>{1.0f, 0.5f});
    const int dw = m.packed("dw", {3, 3, 3, 1}, format::make_depthwise_record(7, false, 3, 3, 3));
    const int scale = m.constant("scale", {}, DType::kF32);
    const int z = m.activation("z", {3, 3, 3, 1});
    m.node(Op::kDequantizeLinear, "island", {dw, scale}, {z});
    m.model.inputs = {x};
    m.model.outputs = {y, z};
    for (int d = 1; is_dtype(d); ++d) {
      const auto dtype = static_cast<DType>(d);
      m.model.outputs.push_back(m.constant("c_" + std::string(name_of(dtype)), {2, 3}, dtype));
    }
    m.model.outputs.push_back(m.constant("none", {0, 3}, DType::kI64));
    return m;
  }

  static numeric::QuantParams grid_of(std::vector<float> scales, std::vector<int32_t> zeros) {
    numeric::QuantParams q;
    q.range = numeric::RangeKind::kAsymmetric;
    q.qmin = -128;
    q.qmax = 127;
    q.scales = std::move(scales);
    q.zero_points = std::move(zeros);
    return q;
  }

 private:
  std::vector<std::shared_ptr<std::vector<std::byte>>> bytes_;

  int add(TensorInfo t) {
    model.tensors.push_back(std::move(t));
    return static_cast<int>(model.tensors.size()) - 1;
  }
  int fill(int i) {
    TensorInfo& t = tensor(i);
    auto bytes = std::make_shared<std::vector<std::byte>>(stored_bytes(t));
    for (size_t k = 0; k < bytes->size(); ++k)
      (*bytes)[k] = static_cast<std::byte>(t.dtype == DType::kBool ? k % 2 : 7 * k + 1);
    t.data = *bytes;
    bytes_.push_back(std::move(bytes));
    return i;
  }
};

inline Result<std::shared_ptr<const Model>> reread(const Buffer& bytes, size_t length,
                                                   bool verify = true) {
  auto copy = std::make_shared<Buffer>(length);
  if (length) std::memcpy(copy->data(), bytes.data(), length);
  return parse_nbl(copy, "m.nbl", {verify});
}
inline Result<std::shared_ptr<const Model>> reread(const Model& model, bool verify = true) {
  const Buffer bytes = write_nbl(model);
  return reread(bytes, bytes.size(), verify);
}

}  // namespace nibble::model
