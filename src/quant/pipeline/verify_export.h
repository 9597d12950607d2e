#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "deploy/base/tensor.h"
#include "deploy/model/model.h"
#include "quant/pipeline/runner.h"

namespace nibble::pipeline {

/// Inputs of one verification run, in the model's order, and what the model in memory made of them.
struct Sample {
  std::vector<Tensor> inputs;
  std::vector<Tensor> outputs;
};

/// Runs `model` on the inputs of every sample and returns its outputs.
std::vector<std::vector<Tensor>> run_samples(std::shared_ptr<const model::Model> model,
                                             const std::vector<Sample>& samples,
                                             const RunOptions& options);

/// SQNR in dB of `outputs` (of some other runtime) against the samples' own, over all float
/// outputs.
double sqnr_of(const std::vector<Sample>& samples, const std::vector<std::vector<Tensor>>& outputs);

/// Throws Error(kVerification) naming both figures unless `db`, the SQNR of `path` in `runtime`
/// against the integer model, exceeds `quantization_db`, or 90 dB (binary32 sums in another order)
/// where quantisation costs less than that.
void require_sqnr(double db, double quantization_db, const std::string& path, const char* runtime);

/// The written .nbl, loaded from disk with checksums, must give the samples' bytes. Throws
/// Error(kVerification).
void verify_nbl(const std::string& path, const std::vector<Sample>& samples,
                const RunOptions& options);

/// The written ONNX file, read back and run as plain float Q/DQ, must differ from the integers by
/// less than quantisation itself does: its SQNR must exceed `quantization_db`. Throws
/// Error(kVerification) with both figures.
void verify_onnx(const std::string& path, const std::vector<Sample>& samples,
                 double quantization_db, const RunOptions& options);

/// The same through ONNX Runtime at its basic level, in a Python of its own ($NIBBLE_PYTHON or
/// python3). Empty where that Python cannot import onnxruntime and numpy. Throws
/// Error(kVerification) where it runs and disagrees.
std::optional<bool> verify_in_onnxruntime(const std::string& path,
                                          const std::vector<Sample>& samples,
                                          double quantization_db);

}  // namespace nibble::pipeline
