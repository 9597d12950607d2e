#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "deploy/base/cpu.h"
#include "deploy/base/status.h"
#include "deploy/base/tensor.h"
#include "deploy/base/thread_pool.h"
#include "deploy/kernels/choice/table.h"
#include "deploy/kernels/requantise/code_map.h"
#include "deploy/model/model.h"

namespace nibble::run {

/// One input or output of a step.
struct Operand {
  const model::TensorInfo* info = nullptr;  // null: absent optional input
  DType dtype = DType::kF32;
  Shape shape;  // concrete
  void* data =
      nullptr;  // while preparing: known values only (constants, evaluated shape arithmetic)

  bool present() const { return info != nullptr; }
  template <class T>
  T* as() const {
    return static_cast<T*>(data);
  }
  TensorView view() const { return {dtype, shape, data}; }
};

struct PrepareContext {
  const model::Model& model;
  const model::NodeInfo& node;
  std::span<const Operand> inputs;
  std::span<const Operand> outputs;   // dtype and shape filled by infer_shapes; data is null
  Isa isa;                            // ceiling; kernels pick the best at or below it
  const kernels::KernelTable& table;  // chooses where several kernels compute the same
  int threads;
  size_t scratch_bytes =
      0;  // set by prepare: scratch that run() will be given, 64-byte aligned, shared by all steps
};

struct RunContext {
  std::span<const Operand> inputs;
  std::span<const Operand> outputs;
  std::byte* scratch;
  ThreadPool& pool;
  /// Where a step reports what only values can show to be wrong (an index outside its axis): the
  /// session then stops with it. The step still writes every element of its outputs.
  Status* fault = nullptr;
  /// A second result, of a step that makes_copies().
  kernels::CodeCopy copy{};
};

/// One node, bound to shapes: prepare() checks what only the kernel can know, picks the kernel and
/// builds what it needs (heap allowed); run() computes and allocates nothing. A step may be
/// prepared again for other shapes.
class Step {
 public:
  virtual ~Step() = default;
  virtual Status prepare(PrepareContext& context) = 0;
  virtual void run(const RunContext& context) = 0;
  /// Whether run() makes RunContext::copy of its output 0.
  virtual bool makes_copies() const { return false; }
  /// After prepare, of a step that is nothing but a map of 8-bit codes: that map, for the step that
  /// writes them. Its `from` and `to` are not set.
  virtual kernels::CodeCopy copy() const { return {}; }
  /// The kernel chosen by prepare, "matmul_s8/avx512vnni".
  virtual std::string_view kernel() const { return "reference"; }
  /// Multiply-accumulates of one run, for GOP/s; 0 where the notion does not apply.
  virtual double macs() const { return 0; }
};

/// The step of a node. In a model of phase kAnnotated a node whose operands carry QuantParams gets
/// its simulated step (simulate/), otherwise the one of its op (steps/). Null with a Status when op
/// and dtypes have no kernel.
Result<std::unique_ptr<Step>> make_step(const model::Model& model, const model::NodeInfo& node);

}  // namespace nibble::run
