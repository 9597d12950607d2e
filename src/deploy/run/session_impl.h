#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "deploy/base/tensor.h"
#include "deploy/base/thread_pool.h"
#include "deploy/run/session.h"
#include "deploy/run/step.h"

namespace nibble::run {

/// Where the elements of a tensor lie.
enum class Home {
  kNone,      // nothing has made it yet
  kConstant,  // in the model
  kKnown,     // evaluated by prepare, held by `owner`
  kInput,     // in the caller's memory
  kArena,     // in the session's arena
  kOwned,     // made in dynamic mode, held by `owner`
};

/// One tensor of the model in the prepared session.
struct Value {
  Home home = Home::kNone;
  DType dtype = DType::kF32;
  Shape shape;
  void* data = nullptr;  // kArena: null until memory is planned; kInput: null until run
  int root =
      model::kNoTensor;  // the tensor whose memory this one shares (itself if it has its own)
  std::shared_ptr<Tensor> owner;

  bool known() const { return home == Home::kConstant || home == Home::kKnown; }
  TensorView view() const { return {dtype, shape, data}; }
};

/// A node of the static part, bound to memory. `step` is null where nothing is left to compute: the
/// node was evaluated by prepare, its output is its input in another shape, or another step makes
/// it as well (`copy` there).
struct Bound {
  size_t node = 0;
  Step* step = nullptr;
  ThreadPool* pool = nullptr;
  std::span<const Operand> inputs, outputs;
  kernels::CodeCopy copy{};
};

/// Nodes [0, first_dynamic) are prepared for fixed shapes and run as a flat loop over `bound`; from
/// the first node whose output shape depends on run-time values on, each run prepares and allocates
/// node by node (dynamic.cc).
struct Session::Impl {
  static constexpr size_t kNoNode = static_cast<size_t>(-1);

  Impl(std::shared_ptr<const model::Model> m, const SessionOptions& o)
      : model(std::move(m)), options(o), pool(o.threads) {}

  std::shared_ptr<const model::Model> model;
  SessionOptions options;
  ThreadPool pool;
  ThreadPool caller{1};  // of steps too short to share
  Observer observer;
  bool profiling = false;
  std::vector<std::unique_ptr<Step>> steps;  // by node
  std::vector<size_t> last_use;  // by tensor: the last node that reads it; nodes.size() for outputs
  std::vector<size_t> producer;  // by tensor: the node that makes it, or kNoNode

  // Set by prepare.
  bool prepared = false;
  bool shares = false;  // some step uses `pool`
  bool ran = false;
  std::vector<Shape> input_shapes;
  std::vector<Value> values;  // by tensor
  size_t first_dynamic = 0;
  std::vector<size_t> copies;  // by node: the one whose result its step makes as well, or kNoNode
  Buffer arena, scratch;
  std::vector<Operand> operands;
  std::vector<Bound> bound;
  std::vector<std::pair<Value*, size_t>> input_values;      // what follows input i's memory
  std::vector<std::pair<Operand*, size_t>> input_operands;  // likewise
  std::vector<Tensor> output_copies;  // by output: of outputs that lie in the caller's memory

  // Set by run.
  std::vector<double> seconds;  // by node
  std::vector<char> computed;   // by node: its step runs
  size_t owned_bytes = 0, peak_owned_bytes = 0;

  const model::NodeInfo& node(size_t n) const { return model->nodes[n]; }
  const model::TensorInfo& info(int tensor) const {
    return model->tensors[static_cast<size_t>(tensor)];
  }
  Value& value(int tensor) { return values[static_cast<size_t>(tensor)]; }
  /// `status` with file and node in front.
  Status at_node(size_t n, const Status& status) const;
  const kernels::KernelTable& table() const {
    return options.table ? *options.table : kernels::KernelTable::built_in();
  }

  // --- session.cc
  Status create();
  Status run(std::span<const TensorView> inputs);
  Status run_step(const Bound& bound);
  Status run_steps();
  /// Read and written by node n, constants as stored.
  double bytes_of(size_t n) const;
  /// Who runs node n, once it is prepared and its shapes are known.
  ThreadPool& pool_of(size_t n);
  void observe(size_t n);

  // --- prepare.cc
  Status prepare(std::span<const Shape> shapes);
  Status check_inputs(std::span<const Shape> shapes) const;
  /// The element of a value that prepare may read: known ones; in dynamic mode vectors as well,
  /// for they hold shapes, axes and the like.
  void* visible_data(const Value& value, bool dynamic) const;
  /// Sets dtype and shape of the outputs of node n. True if all are known now.
  Result<bool> infer(size_t n, bool dynamic);
  /// Whether output 0 is input 0 in another shape.
  bool is_alias(size_t n) const;
  void make_alias(size_t n);
  void allocate_outputs(size_t n, Home home);
  void append_operands(size_t n, bool dynamic, bool preparing, std::vector<Operand>& list) const;
  Status prepare_step(size_t n, bool dynamic);
  /// Hands node n, prepared, to the step that writes its input, if that makes_copies() and n is a
  /// copy(). A step takes one.
  bool join_copy(size_t n);
  Status evaluate(size_t n);
  Status place_and_bind();

  // --- dynamic.cc
  Status run_dynamic();
};

}  // namespace nibble::run
