#include "quant/pipeline/evaluate.h"

#include <chrono>
#include <cstring>
#include <vector>

#include "quant/data/npy.h"
#include "quant/graph/error.h"
#include "quant/pipeline/metrics.h"

namespace nibble::pipeline {
namespace {

/// Collects the first output of every sample.
class Predictions {
 public:
  void add(const TensorView& view) {
    if (view.dtype != DType::kF32)
      throw Error(ErrorKind::kUsage, "--predictions: the first output is " +
                                         std::string(name_of(view.dtype)) + ", expected f32");
    const auto values = view.span<const float>();
    values_.insert(values_.end(), values.begin(), values.end());
    if (shape_.rank() == 0)
      shape_ = view.shape;
    else
      shape_[0] += view.shape[0];
  }
  void write(const std::string& path) {
    data::write_npy(path, {DType::kF32, shape_, values_.data()});
  }

 private:
  Shape shape_;
  std::vector<float> values_;
};

}  // namespace

Evaluation evaluate(const Network& network, data::Dataset& dataset, const Network* reference,
                    const std::string& predictions, const RunOptions& options,
                    const Progress& progress) {
  const auto start = std::chrono::steady_clock::now();
  auto session = make_session(network.model, options);
  std::unique_ptr<run::Session> reference_session;
  if (reference) reference_session = make_session(reference->model, options);

  LabelMetric metric(dataset.is_language());
  Sqnr sqnr;
  Agreement agreement;
  Predictions collected;
  Evaluation result;
  for_each_batch(*session, dataset, dataset.size(), options.batch, "evaluate", progress,
                 [&](const data::Batch& batch, const std::vector<TensorView>& outputs) {
                   result.samples += batch.count;
                   if (!batch.labels.empty()) metric.add(outputs[0], batch.labels);
                   if (!predictions.empty()) collected.add(outputs[0]);
                   if (!reference_session) return;
                   std::vector<TensorView> inputs;
                   for (const Tensor& tensor : batch.inputs) inputs.push_back(tensor.view());
                   throw_if_error(reference_session->run(inputs), ErrorKind::kModel,
                                  reference->path);
                   const TensorView expected = reference_session->output(0);
                   if (!(expected.shape == outputs[0].shape))
                     throw Error(ErrorKind::kData,
                                 "its first output is " + to_string(expected.shape) + ", " +
                                     network.path + " gives " + to_string(outputs[0].shape),
                                 reference->path);
                   sqnr.add(expected.span<const float>(), outputs[0].span<const float>());
                   agreement.add(expected, outputs[0]);
                 });
  if (dataset.has_labels()) {
    result.metric = metric.name();
    result.value = metric.value();
    result.top5 = metric.top5();
  }
  if (reference) {
    result.sqnr_db = sqnr.db();
    result.agreement = agreement.value();
  }
  if (!predictions.empty()) collected.write(predictions);
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return result;
}

}  // namespace nibble::pipeline
