// ReduceSum, ReduceMean, ReduceMax, ReduceMin, ReduceProd over any axes. Neighbouring axes that are
// both kept or both reduced are one. Elements are combined in ascending index order; a mean is the
// sum divided once.

#include <algorithm>
#include <memory>
#include <vector>

#include "deploy/kernels/elementwise/typed.h"
#include "deploy/kernels/float/float.h"
#include "deploy/kernels/reduce/reduce.h"
#include "deploy/run/step_factories.h"
#include "deploy/run/steps/fused_clip.h"

namespace nibble::run {
namespace {

using kernels::Fold;
using model::Attr;
using model::Op;

Fold fold_of(Op op) {
  if (op == Op::kReduceMax) return Fold::kMax;
  if (op == Op::kReduceMin) return Fold::kMin;
  if (op == Op::kReduceProd) return Fold::kProduct;
  return Fold::kSum;
}

struct Axis {
  int64_t length;
  int64_t stride;  // elements of the input
};

/// Offset of element `index` of the space spanned by `axes`, the last one fastest.
int64_t offset_of(const std::vector<Axis>& axes, int64_t index) {
  int64_t offset = 0;
  for (size_t i = axes.size(); i-- > 0;) {
    offset += index % axes[i].length * axes[i].stride;
    index /= axes[i].length;
  }
  return offset;
}

int64_t product(const std::vector<Axis>& axes) {
  int64_t n = 1;
  for (const Axis& a : axes) n *= a.length;
  return n;
}

/// Which axes of the input go; infer_shapes has checked them.
Result<std::vector<bool>> reduced_axes(const PrepareContext& context) {
  const int rank = context.inputs[0].shape.rank();
  std::vector<bool> reduced(static_cast<size_t>(rank), false);
  const auto mark = [&](int64_t axis) {
    reduced[static_cast<size_t>(normalize_axis(axis, rank))] = true;
  };
  bool any = false;
  if (context.inputs.size() > 1 && context.inputs[1].present()) {
    const Operand& axes = context.inputs[1];
    if (axes.data == nullptr && axes.shape.size() > 0)
      return unsupported("needs the value of input 1");
    for (int64_t i = 0; i < axes.shape.size(); ++i) {
      mark(axes.dtype == DType::kI32 ? axes.as<int32_t>()[i] : axes.as<int64_t>()[i]);
      any = true;
    }
  } else {
    for (int64_t axis : context.node.attributes.get_ints(Attr::axes)) {
      mark(axis);
      any = true;
    }
  }
  if (!any && context.node.attributes.get_int(Attr::noop_with_empty_axes, 0) == 0)
    reduced.assign(reduced.size(), true);
  return reduced;
}

class ReduceStep : public Step {
 public:
  ReduceStep(Op op, DType dtype)
      : fold_(fold_of(op)), mean_(op == Op::kReduceMean), dtype_(dtype) {}

  Status prepare(PrepareContext& context) override {
    const Shape& x = context.inputs[0].shape;
    const auto reduced = reduced_axes(context);
    if (!reduced.ok()) return reduced.status();
    kept_.clear();
    gone_.clear();
    // From the back: merge an axis with its right neighbour where both share the same fate.
    int64_t stride = 1;
    int previous = -1;
    for (int axis = x.rank() - 1; axis >= 0; --axis) {
      const bool goes = reduced.value()[static_cast<size_t>(axis)];
      auto& list = goes ? gone_ : kept_;
      if (previous == goes)
        list.front().length *= x[axis];
      else
        list.insert(list.begin(), {x[axis], stride});
      previous = goes;
      stride *= x[axis];
    }
    // The innermost kept axis makes rows where it is contiguous.
    width_ = 1;
    if (!kept_.empty() && kept_.back().stride == 1) {
      width_ = kept_.back().length;
      kept_.pop_back();
    }
    // The innermost reduced axis is the kernel's own.
    run_ = {1, 0};
    if (!gone_.empty()) {
      run_ = gone_.back();
      gone_.pop_back();
    }
    count_ = product(gone_) * run_.length;
    kernel_ = kernels::fold_kernel(fold_, dtype_);
    table_ = &kernels::float_kernels(context.isa);
    clip_ = dtype_ == DType::kF32 ? FusedClip(context.node.attributes, context.isa) : FusedClip();
    return {};
  }

  void run(const RunContext& context) override {
    if (width_ == 0) return;
    const auto size = static_cast<int64_t>(size_of(dtype_));
    const auto* x = context.inputs[0].as<std::byte>();
    auto* y = context.outputs[0].as<std::byte>();
    const int64_t rows = product(kept_);
    const int64_t grain = std::max<int64_t>(1, 16384 / std::max<int64_t>(1, width_ * count_));
    if (sums_rows()) {
      context.pool.parallel_for(rows, std::max<int64_t>(8, grain), [&](int64_t begin, int64_t end) {
        kernels::row_sums(context.inputs[0].as<float>() + begin * count_, end - begin, count_,
                          count_, context.outputs[0].as<float>() + begin);
        for (int64_t row = begin; row < end; ++row) finish(y + row * size);
      });
      return;
    }
    context.pool.parallel_for(rows, grain, [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row) {
        std::byte* out = y + row * width_ * size;
        const std::byte* from = x + offset_of(kept_, row) * size;
        kernels::fill_identity(fold_, dtype_, width_, out);
        if (count_ > 0)
          for (int64_t i = 0; i < product(gone_); ++i) fold(from + offset_of(gone_, i) * size, out);
        finish(out);
      }
    });
  }

  std::string_view kernel() const override {
    return dtype_ == DType::kF32 ? table_->name : "reference";
  }

 private:
  /// Sums of the rows of a matrix.
  bool sums_rows() const {
    return dtype_ == DType::kF32 && fold_ == Fold::kSum && width_ == 1 && gone_.empty() &&
           run_.stride == 1 && kept_.size() <= 1;
  }

  void fold(const std::byte* from, std::byte* out) const {
    if (dtype_ != DType::kF32 || width_ == 1) {
      kernel_(from, run_.length, run_.stride, width_, out);
      return;
    }
    using kernels::FloatBinary;
    const FloatBinary f = fold_ == Fold::kSum       ? FloatBinary::kAdd
                          : fold_ == Fold::kProduct ? FloatBinary::kMul
                          : fold_ == Fold::kMax     ? FloatBinary::kMax
                                                    : FloatBinary::kMin;
    for (int64_t k = 0; k < run_.length; ++k)
      (*table_)[f](out, 1, from + k * run_.stride * static_cast<int64_t>(sizeof(float)), 1, out,
                   width_);
  }

  void finish(std::byte* out) const {
    if (mean_)
      visit_dtype(dtype_, [&]<class T>(std::type_identity<T>) {
        T count = static_cast<T>(count_);
        kernels::typed_binary(kernels::TypedBinary::kDiv, dtype_)(out, 1, &count, 0, out, width_);
      });
    clip_.apply(reinterpret_cast<float*>(out), width_);
  }

  Fold fold_;
  bool mean_;
  DType dtype_;
  std::vector<Axis> kept_, gone_;  // all but the innermost ones
  Axis run_{1, 0};
  int64_t width_ = 1, count_ = 1;
  kernels::FoldKernel* kernel_ = nullptr;
  const kernels::FloatKernels* table_ = nullptr;
  FusedClip clip_;
};

class ArgExtremeStep : public Step {
 public:
  explicit ArgExtremeStep(kernels::ArgKernel* kernel) : kernel_(kernel) {}

  Status prepare(PrepareContext& context) override {
    const Shape& x = context.inputs[0].shape;
    const int axis = normalize_axis(context.node.attributes.get_int(Attr::axis, 0), x.rank());
    last_ = context.node.attributes.get_int(Attr::select_last_index, 0) != 0;
    outer_ = x.size(0, axis);
    length_ = x[axis];
    inner_ = x.size(axis + 1, x.rank());
    return {};
  }
  void run(const RunContext& context) override {
    const auto size = static_cast<int64_t>(size_of(context.inputs[0].dtype));
    const auto* x = context.inputs[0].as<std::byte>();
    auto* y = context.outputs[0].as<int64_t>();
    const int64_t grain = std::max<int64_t>(1, 16384 / std::max<int64_t>(1, length_ * inner_));
    context.pool.parallel_for(outer_, grain, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i)
        kernel_(x + i * length_ * inner_ * size, length_, inner_, inner_, last_, y + i * inner_);
    });
  }

 private:
  kernels::ArgKernel* kernel_;
  bool last_ = false;
  int64_t outer_ = 1, length_ = 1, inner_ = 1;
};

DType input_dtype(const model::Model& model, const model::NodeInfo& node) {
  return model.tensors[static_cast<size_t>(node.inputs[0])].dtype;
}

}  // namespace

std::unique_ptr<Step> reduce_step(const model::Model& model, const model::NodeInfo& node) {
  const DType dtype = input_dtype(model, node);
  if (kernels::fold_kernel(fold_of(node.op), dtype) == nullptr) return nullptr;
  return std::make_unique<ReduceStep>(node.op, dtype);
}

std::unique_ptr<Step> arg_extreme_step(const model::Model& model, const model::NodeInfo& node) {
  const DType dtype = input_dtype(model, node);
  auto* kernel =
      node.op == Op::kArgMax ? kernels::arg_max_kernel(dtype) : kernels::arg_min_kernel(dtype);
  return kernel == nullptr ? nullptr : std::make_unique<ArgExtremeStep>(kernel);
}

}  // namespace nibble::run
