#pragma once

#include <memory>
#include <span>
#include <vector>

#include "quant/data/source.h"

namespace nibble::data {

/// Brings the samples of a source into the form that a model takes.
class Adapter {
 public:
  virtual ~Adapter() = default;
  /// Names and dtypes as the model has them, dimension 0 unknown, all others known.
  const std::vector<InputSpec>& inputs() const { return inputs_; }
  /// Fills one buffer an input with sample `index` of `source`.
  virtual void read(Source& source, int64_t index, std::span<const std::span<std::byte>> out) = 0;

 protected:
  std::vector<InputSpec> inputs_;
};

/// Pictures through resize, crop and preprocessing into the one input, CxHxW or HxWxC as its shape
/// asks. `wanted` empty: CxHxW, u8 without preprocessing. Throws Error(kData) that names both
/// shapes when they do not fit, with the key that would help.
std::unique_ptr<Adapter> make_image_adapter(const Spec& spec, Source& source,
                                            const std::vector<InputSpec>& wanted);

/// Arrays by name, or the only array into the only input. Values are converted where that keeps
/// them (any number to a float, integers to an integer type that holds each of them); NaN is an
/// error. Throws Error(kData) that names both shapes when they do not fit.
std::unique_ptr<Adapter> make_array_adapter(const Spec& spec, Source& source,
                                            const std::vector<InputSpec>& wanted);

/// `shape` with an unknown dimension in front: of a batch.
Shape batched(const Shape& shape);
/// True when `sample` has the dimensions of `batch` behind its first; unknown ones fit all.
bool fits(const Shape& sample, const Shape& batch);

}  // namespace nibble::data
