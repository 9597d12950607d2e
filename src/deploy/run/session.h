#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "deploy/base/cpu.h"
#include "deploy/base/status.h"
#include "deploy/base/tensor.h"
#include "deploy/kernels/choice/table.h"
#include "deploy/model/model.h"

namespace nibble::run {

struct SessionOptions {
  int threads = 1;
  Isa isa = Isa::kPortable;  // ceiling; see isa_from_environment()
  /// Null: the table that is compiled in. See KernelTable::from_environment().
  std::shared_ptr<const kernels::KernelTable> table{};
};

struct StepProfile {
  size_t index;  // in the model's nodes
  std::string_view node;
  model::Op op;
  std::string_view kernel;
  double seconds;  // of the last run
  double macs;
  double bytes;           // read and written by the step, constants as stored
  std::string_view copy;  // the node whose result the step makes as well; empty: none
};

/// Runs one model. The model is immutable and shared; a session owns one arena and is used by one
/// caller at a time.
class Session {
 public:
  static Result<std::unique_ptr<Session>> create(std::shared_ptr<const model::Model> model,
                                                 const SessionOptions& options);
  ~Session();

  /// Fixes the input shapes (in the order of the model's inputs): infers all shapes, evaluates
  /// shape arithmetic, picks kernels, plans memory. Nothing is allocated by run() afterwards,
  /// unless a shape depends on input values: then each run prepares as it goes. Errors name the
  /// node.
  Status prepare(std::span<const Shape> input_shapes);

  /// Runs on inputs in the model's order; dtypes and shapes as prepared (prepares by itself where
  /// they changed).
  Status run(std::span<const TensorView> inputs);

  /// Output i of the last run; valid until the next call. Without a run: no data.
  TensorView output(size_t i) const;

  /// Called after each step with every tensor it made (tensor index in the model, view). Views die
  /// after the call.
  using Observer = std::function<void(int tensor, const TensorView&)>;
  void set_observer(Observer observer);

  void set_profiling(bool on);
  /// One entry a step that computes, in order; nodes that prepare() evaluated or that share their
  /// input's memory have none. Seconds are of the last run with profiling on.
  std::vector<StepProfile> profile() const;
  /// Of the arena, and in dynamic mode the most that was live beside it; inputs, constants and
  /// scratch not counted.
  size_t peak_activation_bytes() const;
  const model::Model& model() const;

 private:
  Session();
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace nibble::run
