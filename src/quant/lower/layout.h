#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "quant/graph/graph.h"

namespace nibble::lower {

/// Order of a tensor's axes in memory: entry j is the logical axis that stands at place j.
using Axes = std::vector<int>;

/// 0, 1, ..., rank-1: the order of the source graph, ONNX's.
Axes logical(int rank);
/// [N, C, spatial...] held as [N, spatial..., C]: 0, 2, ..., rank-1, 1. Requires rank >= 2.
Axes last(int rank);
/// Where logical axis `axis` stands.
int place_of(const Axes& axes, int axis);

/// The same elements with axis j of the result = axis `axes[j]` of the tensor.
Tensor permute(const Tensor& tensor, const Axes& axes);
Shape permute(const Shape& shape, const Axes& axes);
/// The grid of a permuted tensor: channel and block axes move along.
numeric::QuantParams permute(numeric::QuantParams params, const Axes& axes);

/// Builds a graph whose values stand in other orders than those of `source`. A value may exist in
/// several orders; the first keeps the name.
class Relayout {
 public:
  explicit Relayout(const graph::Graph& source);

  /// The value of `source` called `id` with its axes in the order `axes`; a Transpose (a Reshape
  /// where only axes of length 1 move) is inserted when no such version exists, constants are
  /// permuted.
  graph::ValueId get(graph::ValueId id, const Axes& axes);
  graph::ValueId get_logical(graph::ValueId id);
  /// True when some version of `id` has the order `axes`.
  bool has(graph::ValueId id, const Axes& axes) const;
  /// Makes a fresh activation that is `id` in the order `axes`.
  graph::ValueId make(graph::ValueId id, const Axes& axes);
  /// Axis j of `id` is axis perm[j] of `from`: every version of `from` is one of `id`.
  void alias(graph::ValueId id, graph::ValueId from, const Axes& perm);

  graph::ValueId constant(const std::string& name, Tensor tensor) {
    return out_.add_constant(name, std::move(tensor));
  }
  void emit(graph::Node node);
  graph::ValueId fresh(const std::string& name, DType dtype, const Shape& shape) {
    return out_.add_value(name, dtype, shape);
  }
  std::string free_node_name(const std::string& name);
  const graph::Graph& source() const { return source_; }
  int rank(graph::ValueId id) const { return source_.value(id).shape.rank(); }

  /// Graph inputs and outputs in logical order under their own names.
  graph::Graph finish();

 private:
  struct Version {
    graph::ValueId id;
    Axes axes;
  };
  graph::ValueId transpose(graph::ValueId from, const Axes& perm, const std::string& name);

  const graph::Graph& source_;
  graph::Graph out_;
  std::vector<std::vector<Version>> versions_;  // by value of source
  std::unordered_set<std::string> node_names_;
};

}  // namespace nibble::lower
