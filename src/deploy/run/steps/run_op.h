#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <functional>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "deploy/base/cpu.h"
#include "deploy/base/tensor.h"
#include "deploy/run/step.h"

namespace nibble::run {

/// For tests: runs one node on `inputs` and returns its outputs. All inputs are known while
/// preparing, as constants are.
struct RunOp {
  model::Op op;
  model::Attributes attributes = {};
  Isa isa = Isa::kPortable;
  int threads = 1;
  std::vector<size_t> absent = {};  // indices of inputs to leave out

  std::vector<Tensor> operator()(const std::vector<std::reference_wrapper<const Tensor>>& tensors,
                                 const std::vector<std::pair<DType, Shape>>& outputs) const {
    std::vector<TensorView> inputs;
    for (const Tensor& t : tensors) inputs.push_back(t.view());
    model::Model model;
    model::NodeInfo node{op, "node", attributes, {}, {}};
    for (size_t i = 0; i < inputs.size(); ++i) {
      model.tensors.push_back(
          {"x" + std::to_string(i), inputs[i].dtype, inputs[i].shape, {}, {}, {}, true});
      node.inputs.push_back(static_cast<int>(i));
    }
    for (size_t i : absent) node.inputs[i] = model::kNoTensor;
    std::vector<Tensor> results;
    for (const auto& [dtype, shape] : outputs) {
      node.outputs.push_back(static_cast<int>(model.tensors.size()));
      model.tensors.push_back({"y", dtype, shape, {}, {}, {}, false});
      results.emplace_back(dtype, shape);
      // What run() leaves unwritten shows up as NaN or -1.
      if (results.back().bytes() > 0)
        std::memset(results.back().data(), 0xff, results.back().bytes());
    }
    std::vector<Operand> in(inputs.size()), out(outputs.size());
    for (size_t i = 0; i < inputs.size(); ++i)
      if (node.inputs[i] != model::kNoTensor)
        in[i] = {&model.tensors[i], inputs[i].dtype, inputs[i].shape, inputs[i].data};
    for (size_t i = 0; i < outputs.size(); ++i)
      out[i] = {&model.tensors[inputs.size() + i], outputs[i].first, outputs[i].second, nullptr};
    auto step = make_step(model, node);
    if (!step.ok()) return ADD_FAILURE() << step.status().message(), std::vector<Tensor>{};
    PrepareContext prepare{model, node, in, out, isa, threads};
    if (const Status status = step.value()->prepare(prepare); !status.ok())
      return ADD_FAILURE() << status.message(), std::vector<Tensor>{};
    for (size_t i = 0; i < outputs.size(); ++i) out[i].data = results[i].data();
    Buffer scratch(prepare.scratch_bytes);
    ThreadPool pool(threads);
    step.value()->run({in, out, scratch.data(), pool});
    return results;
  }
};

template <class T>
Tensor tensor(const Shape& shape, std::initializer_list<T> values) {
  return Tensor::of<T>(shape, std::span<const T>(values.begin(), values.size()));
}
template <class T>
std::vector<T> values(const Tensor& t) {
  return {t.span<T>().begin(), t.span<T>().end()};
}

}  // namespace nibble::run
