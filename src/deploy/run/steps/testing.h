#pragma once

// For tests alone: one node as a model, bound and run.

#include <gtest/gtest.h>

#include <cstring>
#include <functional>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "deploy/run/step.h"

namespace nibble::run::testing {

struct Input {
  Tensor tensor;
  bool constant = false;
  format::PackedRecord packed = {};  // of `stream`, when the constant is packed
  std::vector<std::byte> stream = {};
  bool present = true;
};

struct Node {
  model::Op op;
  model::Attributes attributes;
  std::vector<Input> inputs;
  DType dtype;  // of the first output
  Shape shape;
  numeric::RequantiseVariant requantise = numeric::RequantiseVariant::kFloat;
  std::vector<std::pair<DType, Shape>> further_outputs = {};
  const kernels::KernelTable* table = &kernels::KernelTable::built_in();
};

/// Activations, in order.
template <class... Tensors>
std::vector<Input> activations(Tensors&&... tensors) {
  std::vector<Input> inputs;
  (inputs.push_back({std::forward<Tensors>(tensors)}), ...);
  return inputs;
}

inline Isa best_isa() {
  return isa_from_environment().value();
}

/// Prepares and runs the node; twice, so that state left behind by a run shows. What a run leaves
/// unwritten is NaN, or -1 in integers. Returns no outputs, and fails, where the node has no step.
inline std::vector<Tensor> run_all(const Node& node, Isa isa = best_isa(), int threads = 1,
                                   std::string* kernel = nullptr) {
  model::Model model;
  model.requantise = node.requantise;
  model::NodeInfo info{node.op, "node", node.attributes, {}, {}};
  std::vector<Buffer> streams;
  for (const Input& input : node.inputs) {
    info.inputs.push_back(input.present ? static_cast<int>(model.tensors.size())
                                        : model::kNoTensor);
    if (!input.present) continue;
    model::TensorInfo tensor;
    tensor.dtype = input.tensor.dtype();
    tensor.shape = input.tensor.shape();
    tensor.packed = input.packed;
    tensor.is_constant = input.constant;
    if (input.constant) tensor.data = {input.tensor.data(), input.tensor.bytes()};
    if (!input.stream.empty()) {
      Buffer& stream = streams.emplace_back(input.stream.size());
      std::memcpy(stream.data(), input.stream.data(), input.stream.size());
      tensor.data = {stream.data(), stream.size()};
    }
    model.tensors.push_back(std::move(tensor));
  }
  std::vector<std::pair<DType, Shape>> made = {{node.dtype, node.shape}};
  made.insert(made.end(), node.further_outputs.begin(), node.further_outputs.end());
  std::vector<Tensor> results;
  for (const auto& [dtype, shape] : made) {
    info.outputs.push_back(static_cast<int>(model.tensors.size()));
    model::TensorInfo& tensor = model.tensors.emplace_back();
    tensor.dtype = dtype;
    tensor.shape = shape;
    results.emplace_back(dtype, shape);
  }
  model.nodes.push_back(info);

  std::vector<Operand> inputs(info.inputs.size()), outputs(results.size());
  const auto bind = [&](bool known_only) {
    for (size_t i = 0; i < inputs.size(); ++i) {
      if (info.inputs[i] == model::kNoTensor) continue;
      const model::TensorInfo& tensor = model.tensors[static_cast<size_t>(info.inputs[i])];
      inputs[i] = {&tensor, tensor.dtype, tensor.shape, nullptr};
      if (tensor.is_constant)
        inputs[i].data = const_cast<std::byte*>(tensor.data.data());
      else if (!known_only)
        inputs[i].data = const_cast<std::byte*>(node.inputs[i].tensor.data());
    }
    for (size_t i = 0; i < outputs.size(); ++i) {
      const model::TensorInfo& tensor = model.tensors[static_cast<size_t>(info.outputs[i])];
      outputs[i] = {&tensor, tensor.dtype, tensor.shape, known_only ? nullptr : results[i].data()};
    }
  };
  auto step = make_step(model, model.nodes[0]);
  if (!step.ok()) return ADD_FAILURE() << step.status().message(), std::vector<Tensor>{};
  ThreadPool pool(threads);
  for (int round = 0; round < 2; ++round) {
    for (Tensor& result : results)
      if (result.bytes() > 0) std::memset(result.data(), 0xff, result.bytes());
    bind(true);
    PrepareContext prepare{model, model.nodes[0], inputs, outputs, isa, *node.table, threads};
    if (const Status status = step.value()->prepare(prepare); !status.ok())
      return ADD_FAILURE() << status.message(), std::vector<Tensor>{};
    Buffer scratch(prepare.scratch_bytes + 4 * kAlignment);  // and guard bytes
    std::memset(scratch.data(), 0x7b, scratch.size());
    bind(false);
    Status fault;
    step.value()->run({inputs, outputs, scratch.data(), pool, &fault});
    EXPECT_TRUE(fault.ok()) << fault.message();
    for (size_t i = prepare.scratch_bytes; i < scratch.size(); ++i)
      EXPECT_EQ(scratch.data()[i], std::byte{0x7b}) << "wrote past its scratch, byte " << i;
  }
  if (kernel) *kernel = step.value()->kernel();
  return results;
}

/// The first output alone.
inline Tensor run(const Node& node, Isa isa = best_isa(), int threads = 1,
                  std::string* kernel = nullptr) {
  std::vector<Tensor> results = run_all(node, isa, threads, kernel);
  return results.empty() ? Tensor(node.dtype, node.shape) : std::move(results[0]);
}

/// Short for ops without packed operands: RunOp{op, attributes}({x, y}, {{dtype, shape}, ...}). All
/// inputs are known while preparing, as constants are.
struct RunOp {
  model::Op op;
  model::Attributes attributes = {};
  Isa isa = Isa::kPortable;
  int threads = 1;
  std::vector<size_t> absent = {};  // indices of inputs to leave out

  std::vector<Tensor> operator()(const std::vector<std::reference_wrapper<const Tensor>>& tensors,
                                 const std::vector<std::pair<DType, Shape>>& outputs) const {
    Node node{op, attributes, {}, outputs[0].first, outputs[0].second};
    node.further_outputs = {outputs.begin() + 1, outputs.end()};
    for (const Tensor& tensor : tensors)
      node.inputs.push_back({.tensor = tensor.clone(), .constant = true});
    for (size_t i : absent) node.inputs[i].present = false;
    return run_all(node, isa, threads);
  }
};

template <class T>
Tensor tensor(const Shape& shape, const std::vector<T>& values) {
  return Tensor::of<T>(shape, std::span<const T>(values));
}
template <class T>
Tensor tensor(const Shape& shape, std::initializer_list<T> values) {
  return Tensor::of<T>(shape, std::span<const T>(values.begin(), values.size()));
}
template <class T>
std::vector<T> values(const Tensor& t) {
  return {t.span<T>().begin(), t.span<T>().end()};
}

}  // namespace nibble::run::testing
