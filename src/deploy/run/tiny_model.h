#pragma once

// For tests alone: models of a few nodes, built by hand.

#include <initializer_list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "deploy/base/tensor.h"
#include "deploy/model/model.h"

namespace nibble::run::testing {

class TinyModel {
 public:
  TinyModel() { model_.source = "tiny"; }

  int input(const std::string& name, const Shape& shape, DType dtype = DType::kF32) {
    const int t = tensor(name, shape, dtype);
    model_.inputs.push_back(t);
    return t;
  }
  template <class T>
  int constant(const Shape& shape, std::initializer_list<T> values) {
    auto held = std::make_shared<Tensor>(
        Tensor::of<T>(shape, std::span<const T>(values.begin(), values.size())));
    const int t = tensor("c" + std::to_string(model_.tensors.size()), shape, held->dtype());
    model_.tensors.back().is_constant = true;
    model_.tensors.back().data = {held->data(), held->bytes()};
    constants_->push_back(std::move(held));
    return t;
  }
  /// One output; its shape is left to the session.
  int node(model::Op op, std::vector<int> inputs, DType dtype = DType::kF32,
           model::Attributes attributes = {}) {
    const int t = tensor("t" + std::to_string(model_.tensors.size()), {}, dtype);
    add(op, std::move(inputs), {t}, std::move(attributes));
    return t;
  }
  int tensor(const std::string& name, const Shape& shape, DType dtype = DType::kF32) {
    model::TensorInfo info;
    info.name = name;
    info.dtype = dtype;
    info.shape = shape;
    model_.tensors.push_back(std::move(info));
    return static_cast<int>(model_.tensors.size()) - 1;
  }
  void add(model::Op op, std::vector<int> inputs, std::vector<int> outputs,
           model::Attributes attributes = {}) {
    model_.nodes.push_back({op, "n" + std::to_string(model_.nodes.size()), std::move(attributes),
                            std::move(inputs), std::move(outputs)});
  }
  std::shared_ptr<const model::Model> build(std::initializer_list<int> outputs) {
    model_.outputs = outputs;
    model_.memory = constants_;
    return std::make_shared<const model::Model>(model_);
  }

 private:
  model::Model model_;
  std::shared_ptr<std::vector<std::shared_ptr<Tensor>>> constants_ =
      std::make_shared<std::vector<std::shared_ptr<Tensor>>>();
};

}  // namespace nibble::run::testing
