#pragma once

// For tests alone: one node as a model, bound and run.

#include <gtest/gtest.h>

#include <cstring>
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
  DType dtype;  // of the output
  Shape shape;
  numeric::RequantiseVariant requantise = numeric::RequantiseVariant::kFloat;
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

/// Prepares and runs the node; twice, so that state left behind by a run shows.
inline Tensor run(const Node& node, Isa isa = best_isa(), int threads = 1,
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
  model::TensorInfo made;
  made.dtype = node.dtype;
  made.shape = node.shape;
  info.outputs.push_back(static_cast<int>(model.tensors.size()));
  model.tensors.push_back(std::move(made));
  model.nodes.push_back(info);

  Tensor output(node.dtype, node.shape);
  if (output.bytes()) std::memset(output.data(), 0x5a, output.bytes());
  std::vector<Operand> inputs(info.inputs.size()), outputs(1);
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
    outputs[0] = {&model.tensors.back(), node.dtype, node.shape,
                  known_only ? nullptr : output.data()};
  };
  auto step = make_step(model, model.nodes[0]);
  EXPECT_TRUE(step.ok()) << step.status().message();
  if (!step.ok()) return output;
  ThreadPool pool(threads);
  for (int round = 0; round < 2; ++round) {
    bind(true);
    PrepareContext prepare{model, model.nodes[0], inputs, outputs, isa, threads};
    const Status status = step.value()->prepare(prepare);
    EXPECT_TRUE(status.ok()) << status.message();
    if (!status.ok()) return output;
    Buffer scratch(prepare.scratch_bytes + 4 * kAlignment);  // and guard bytes
    std::memset(scratch.data(), 0x7b, scratch.size());
    bind(false);
    step.value()->run({inputs, outputs, scratch.data(), pool});
    for (size_t i = prepare.scratch_bytes; i < scratch.size(); ++i)
      EXPECT_EQ(scratch.data()[i], std::byte{0x7b}) << "wrote past its scratch, byte " << i;
  }
  if (kernel) *kernel = step.value()->kernel();
  return output;
}

template <class T>
Tensor tensor(const Shape& shape, const std::vector<T>& values) {
  return Tensor::of<T>(shape, std::span<const T>(values));
}

}  // namespace nibble::run::testing
