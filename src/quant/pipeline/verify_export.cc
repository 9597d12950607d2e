#include "quant/pipeline/verify_export.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>

#include "deploy/model/nbl.h"
#include "quant/graph/error.h"
#include "quant/importer/importer.h"
#include "quant/pipeline/metrics.h"
#include "quant/pipeline/network.h"

namespace nibble::pipeline {
namespace {

/// Where nothing (or nothing that shows) is quantised, runtimes differ by the order of their
/// binary32 sums: 2^-24 a term, some 140 dB, less what long networks add up to.
constexpr double kRoundingDb = 90;

std::string decibels(double db) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f dB", db);
  return text;
}

}  // namespace

void require_sqnr(double db, double quantization_db, const std::string& path, const char* runtime) {
  if (db > std::min(quantization_db, kRoundingDb)) return;
  throw Error(ErrorKind::kVerification,
              std::string("in ") + runtime + " it differs from the integer model by " +
                  decibels(db) + " SQNR; quantisation itself costs " + decibels(quantization_db),
              path);
}

std::vector<std::vector<Tensor>> run_samples(std::shared_ptr<const model::Model> model,
                                             const std::vector<Sample>& samples,
                                             const RunOptions& options) {
  auto session = make_session(model, options);
  std::vector<std::vector<Tensor>> all;
  for (const Sample& sample : samples) {
    std::vector<TensorView> inputs;
    for (const Tensor& t : sample.inputs) inputs.push_back(t.view());
    throw_if_error(session->run(inputs), ErrorKind::kModel, model->source);
    std::vector<Tensor>& outputs = all.emplace_back();
    for (size_t i = 0; i < model->outputs.size(); ++i) {
      const TensorView view = session->output(i);
      Tensor copy(view.dtype, view.shape);
      if (view.bytes()) std::memcpy(copy.data(), view.data, view.bytes());
      outputs.push_back(std::move(copy));
    }
  }
  return all;
}

double sqnr_of(const std::vector<Sample>& samples,
               const std::vector<std::vector<Tensor>>& outputs) {
  Sqnr sqnr;
  for (size_t s = 0; s < samples.size(); ++s)
    for (size_t i = 0; i < samples[s].outputs.size(); ++i) {
      const Tensor& expected = samples[s].outputs[i];
      if (outputs[s][i].size() != expected.size())
        throw Error(ErrorKind::kVerification, "output " + std::to_string(i) + " is " +
                                                  to_string(outputs[s][i].shape()) + ", expected " +
                                                  to_string(expected.shape()));
      if (expected.dtype() == DType::kF32)
        sqnr.add(expected.span<float>(), outputs[s][i].span<float>());
    }
  return sqnr.db();
}

void verify_nbl(const std::string& path, const std::vector<Sample>& samples,
                const RunOptions& options) {
  auto model = model::load_nbl(path);
  throw_if_error(model.status(), ErrorKind::kVerification);
  const auto outputs = run_samples(model.value(), samples, options);
  for (size_t s = 0; s < samples.size(); ++s)
    for (size_t i = 0; i < outputs[s].size(); ++i) {
      const Tensor &a = samples[s].outputs[i], &b = outputs[s][i];
      if (a.bytes() != b.bytes() || std::memcmp(a.data(), b.data(), a.bytes()) != 0)
        throw Error(ErrorKind::kVerification,
                    "the written file gives other bytes than the model in memory (output " +
                        std::to_string(i) + ", sample " + std::to_string(s) + ")",
                    path);
    }
}

void verify_onnx(const std::string& path, const std::vector<Sample>& samples,
                 double quantization_db, const RunOptions& options) {
  const graph::Graph graph = importer::import_onnx(path, /*fold_qdq=*/false);
  const auto outputs = run_samples(runnable(graph), samples, options);
  require_sqnr(sqnr_of(samples, outputs), quantization_db, path, "nibble's float executor");
}

}  // namespace nibble::pipeline
