// Softmax and LogSoftmax along one axis, or over all axes from `axis` on (flatten_from_axis):
//   m = max x, e = exp(x - m), s = sum of e in ascending order;  e / s   or   (x - m) - ln s
// each operation rounded to binary32. Rows along the axis are walked by vectors over the axes
// behind it.

#include <algorithm>
#include <memory>

#include "deploy/kernels/float/float.h"
#include "deploy/kernels/reduce/reduce.h"
#include "deploy/run/step_factories.h"

namespace nibble::run {
namespace {

using kernels::FloatBinary;
using kernels::Unary;
using model::Attr;

class SoftmaxStep : public Step {
 public:
  explicit SoftmaxStep(bool logarithm) : logarithm_(logarithm) {}

  Status prepare(PrepareContext& context) override {
    const Shape& x = context.inputs[0].shape;
    const bool flatten = context.node.attributes.get_int(Attr::flatten_from_axis, 0) != 0;
    const int64_t axis = context.node.attributes.get_int(Attr::axis, flatten ? 1 : -1);
    const int at = x.rank() == 0                 ? 0
                   : flatten && axis == x.rank() ? x.rank()
                                                 : normalize_axis(axis, x.rank());
    outer_ = x.size(0, at);
    length_ = flatten || x.rank() == 0 ? x.size(at, x.rank()) : x[at];
    inner_ = flatten || x.rank() == 0 ? 1 : x.size(at + 1, x.rank());
    table_ = &kernels::float_kernels(context.isa);
    // Maximum and sum of each column.
    context.scratch_bytes = 2 * static_cast<size_t>(outer_ * inner_) * sizeof(float);
    return {};
  }

  void run(const RunContext& context) override {
    const int64_t slab = length_ * inner_;
    if (slab == 0) return;
    const float* x = context.inputs[0].as<float>();
    float* y = context.outputs[0].as<float>();
    float* maximum = reinterpret_cast<float*>(context.scratch);
    float* sum = maximum + outer_ * inner_;
    context.pool.parallel_for(
        outer_, std::max<int64_t>(8, 4096 / slab), [&](int64_t begin, int64_t end) {
          for (int64_t i = begin; i < end; i += 8) {
            const int64_t n = std::min<int64_t>(8, end - i), at = i * slab, column = i * inner_;
            exponentials(n, x + at, y + at, maximum + column, sum + column);
            for (int64_t k = 0; k < n; ++k)
              finish(x + at + k * slab, y + at + k * slab, maximum + column + k * inner_,
                     sum + column + k * inner_);
          }
        });
  }
  std::string_view kernel() const override { return table_->name; }

 private:
  /// y[k] = f(x[k], column) for each k along the axis of one slab.
  void each(FloatBinary f, const float* x, const float* column, float* y) const {
    kernels::BinaryKernel* kernel = (*table_)[f];
    if (inner_ == 1) {
      kernel(x, 1, column, 0, y, length_);
      return;
    }
    for (int64_t k = 0; k < length_; ++k)
      kernel(x + k * inner_, 1, column, 1, y + k * inner_, inner_);
  }
  /// column = f(... f(f(column, x[0]), x[1]) ...)
  void fold(FloatBinary f, const float* x, float* column) const {
    for (int64_t k = 0; k < length_; ++k)
      (*table_)[f](column, 1, x + k * inner_, 1, column, inner_);
  }

  /// y = exp(x - maximum) and its sums, of `slabs` slabs.
  void exponentials(int64_t slabs, const float* x, float* y, float* maximum, float* sum) const {
    const int64_t slab = length_ * inner_;
    for (int64_t i = 0; i < slabs; ++i) {
      const float* from = x + i * slab;
      float *to = y + i * slab, *most = maximum + i * inner_;
      if (inner_ == 1) {
        *most = table_->maximum(from, length_);
      } else {
        std::copy_n(from, inner_, most);
        fold(FloatBinary::kMax, from, most);
      }
      each(FloatBinary::kSub, from, most, to);
      (*table_)[Unary::kExp](to, to, slab, {});
    }
    if (inner_ == 1) {
      kernels::row_sums(y, slabs, length_, length_, sum);
      return;
    }
    std::fill_n(sum, slabs * inner_, 0.0f);
    for (int64_t i = 0; i < slabs; ++i) fold(FloatBinary::kAdd, y + i * slab, sum + i * inner_);
  }

  void finish(const float* x, float* y, const float* maximum, float* sum) const {
    if (!logarithm_) {
      each(FloatBinary::kDiv, y, sum, y);
      return;
    }
    (*table_)[Unary::kLog](sum, sum, inner_, {});
    each(FloatBinary::kSub, x, maximum, y);
    each(FloatBinary::kSub, y, sum, y);
  }

  bool logarithm_;
  int64_t outer_ = 1, length_ = 1, inner_ = 1;
  const kernels::FloatKernels* table_ = nullptr;
};

}  // namespace

std::unique_ptr<Step> softmax_step(const model::Model& model, const model::NodeInfo& node) {
  if (model.tensors[static_cast<size_t>(node.inputs[0])].dtype != DType::kF32) return nullptr;
  return std::make_unique<SoftmaxStep>(node.op == model::Op::kLogSoftmax);
}

}  // namespace nibble::run
