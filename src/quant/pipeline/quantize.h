#pragma once

#include <optional>
#include <string>
#include <vector>

#include "quant/lower/lower.h"
#include "quant/pipeline/runner.h"
#include "quant/recipe/recipe.h"

namespace nibble::pipeline {

struct QuantizeResult {
  std::vector<std::string> outputs;  // paths written: .onnx, .nbl, .recipe.yaml
  std::string metric;                // "top1", "perplexity"; empty without --eval
  std::optional<double> metric_float, metric_quantized;
  std::optional<double> sqnr_db;                // on at most 256 calibration samples
  size_t bytes_float = 0, bytes_quantized = 0;  // the .onnx read, the .nbl written
  size_t bytes_limit = 0;                       // what the size rule allows the .nbl
  std::optional<bool> verified_in_onnxruntime;
  double seconds = 0;
  size_t peak_bytes = 0;               // peak resident set of the process
  std::vector<std::string> notes;      // what deviates from the scheme, what ONNX could not hold
  std::vector<lower::Island> islands;  // nodes that stay float, and why
};

struct QuantizeOptions {
  bool dry_run = false;            // do everything but write
  std::optional<double> max_drop;  // largest fall of the metric that is accepted; needs recipe.eval
};

/// Post-training quantisation, from a model file to verified files: import, transforms, placement,
/// calibration, lowering, export; every file is loaded, run and compared before anything appears
/// under its name (exit 5 and no file otherwise). `output` is the .onnx to write; .nbl and
/// .recipe.yaml stand beside it.
/// Throws Error(kBudget) where the metric falls by more than `max_drop`; nothing is written then.
QuantizeResult quantize(const recipe::Recipe& recipe, const std::string& output,
                        const QuantizeOptions& what, const RunOptions& options,
                        const Progress& progress);

}  // namespace nibble::pipeline
