#include "quant/pipeline/runner.h"

#include <algorithm>

#include "quant/graph/error.h"

namespace nibble::pipeline {
namespace {

/// The batch the model insists on, or `wanted` where dimension 0 of its inputs is free.
int64_t batch_of(const model::Model& model, int64_t wanted) {
  for (int index : model.inputs) {
    const Shape& shape = model.tensors[index].shape;
    if (shape.rank() > 0 && shape[0] != kUnknownDim) return shape[0];
  }
  return wanted;
}

/// `tensor` with dimension 0 grown to `count` by repeating its first sample.
Tensor fill_up(const Tensor& tensor, int64_t count) {
  Shape shape = tensor.shape();
  const size_t have = tensor.bytes();
  const size_t one = have / static_cast<size_t>(shape[0]);
  shape[0] = count;
  Tensor full(tensor.dtype(), shape);
  std::copy_n(tensor.data(), have, full.data());
  for (size_t at = have; at < full.bytes(); at += one)
    std::copy_n(tensor.data(), one, full.data() + at);
  return full;
}

}  // namespace

Isa ceiling_from_environment() {
  const auto isa = isa_from_environment();
  throw_if_error(isa.status(), ErrorKind::kUsage);
  return isa.value();
}

std::unique_ptr<run::Session> make_session(std::shared_ptr<const model::Model> model,
                                           const RunOptions& options) {
  const std::string source = model->source;
  auto table = kernels::KernelTable::from_environment();
  throw_if_error(table.status(), ErrorKind::kUsage);
  auto session = run::Session::create(
      std::move(model),
      {.threads = options.threads,
       .isa = options.isa,
       .table = std::make_shared<const kernels::KernelTable>(std::move(table).value())});
  throw_if_error(session.status(), ErrorKind::kModel, source);
  return std::move(session).value();
}

void for_each_batch(
    run::Session& session, data::Dataset& dataset, int64_t samples, int64_t batch,
    const std::string& stage, const Progress& progress,
    const std::function<void(const data::Batch&, const std::vector<TensorView>&)>& consume) {
  const model::Model& model = session.model();
  const int64_t step = std::max<int64_t>(1, batch_of(model, batch));
  samples = std::min(samples, dataset.size());
  for (int64_t first = 0; first < samples; first += step) {
    data::Batch data = dataset.read(first, std::min(step, samples - first));
    const bool short_batch = data.count < step && batch_of(model, 0) != 0;
    std::vector<Tensor> filled;
    std::vector<TensorView> inputs;
    for (Tensor& tensor : data.inputs) {
      if (short_batch) filled.push_back(fill_up(tensor, step));
    }
    for (size_t i = 0; i < data.inputs.size(); ++i)
      inputs.push_back(short_batch ? filled[i].view() : data.inputs[i].view());
    throw_if_error(session.run(inputs), ErrorKind::kModel, model.source);
    std::vector<TensorView> outputs;
    for (size_t i = 0; i < model.outputs.size(); ++i) {
      TensorView view = session.output(i);
      if (short_batch && view.shape.rank() > 0 && view.shape[0] == step) view.shape[0] = data.count;
      outputs.push_back(view);
    }
    consume(data, outputs);
    if (progress) progress(stage, first + data.count, samples);
  }
}

}  // namespace nibble::pipeline
