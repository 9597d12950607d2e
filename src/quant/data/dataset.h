#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "deploy/base/tensor.h"

namespace nibble::data {

/// What the model takes: one entry per graph input, dimension 0 is the batch (kUnknownDim allowed).
struct InputSpec {
  std::string name;
  DType dtype = DType::kF32;
  Shape shape;
};

/// Samples [first, first + count) of a data set, as the model takes them.
struct Batch {
  std::vector<Tensor> inputs;   // in the model's input order, dimension 0 = count
  std::vector<int64_t> labels;  // count entries, or empty when the data has none; token data: count
                                // * positions targets
  int64_t count = 0;
};

/// A data set behind a data spec (docs/data.md). Reads on demand, never all at once; files
/// are read, not mapped, so peak memory does not depend on the number of samples.
class Dataset {
 public:
  virtual ~Dataset() = default;
  /// "CIFAR-10 binary, 10,000 images 3x32x32, labels"
  virtual std::string describe() const = 0;
  virtual int64_t size() const = 0;
  virtual bool has_labels() const = 0;
  /// What read() gives: the model's inputs, all dimensions but the batch known; without a model the
  /// samples' own names and shapes.
  virtual const std::vector<InputSpec>& inputs() const = 0;
  /// True for token windows: labels are next tokens and the metric is perplexity.
  virtual bool is_language() const { return false; }
  /// Reads samples, first + count <= size(); throws Error(kData) naming the file and the sample.
  virtual Batch read(int64_t first, int64_t count) = 0;
};

/// Which part of a folder that holds a whole known set is meant.
enum class Part { kTrain, kTest };

/// Opens `spec` ("PATH[,PATH...][@key=value,...]" or "synthetic:SEED") for a model with these
/// inputs. The reader is found from the content. Throws Error(kUsage) for a wrong key, Error(kData)
/// for data that cannot be read, is empty, or does not fit an input (both shapes named). `inputs`
/// empty: samples in their natural shape (nibble convert); pixels without preprocessing stay u8.
/// `samples` > 0 stands in for the key where the spec does not give it.
std::unique_ptr<Dataset> open_dataset(const std::string& spec, const std::vector<InputSpec>& inputs,
                                      Part part, int64_t samples = 0);

}  // namespace nibble::data
