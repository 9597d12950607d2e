#pragma once

#include <optional>
#include <unordered_map>
#include <vector>

#include "quant/graph/graph.h"

namespace nibble::graph {

/// What is known about the elements of small integer tensors (shapes, axes, lengths) before the
/// network runs: exporters compute the target of a Reshape with Shape, Gather, Concat and the like,
/// and the dimensions that do not depend on a free one come out of it.
class ShapeValues {
 public:
  using Elements = std::vector<std::optional<int64_t>>;  // empty: depends on a free dimension

  explicit ShapeValues(const Graph& graph) : graph_(graph) {}

  /// The elements of a constant or evaluated value of rank 0 or 1; null when nothing is known.
  const Elements* find(ValueId id);
  /// Evaluates `node`, whose inputs have their final shapes, if it is arithmetic on shapes.
  void evaluate(const Node& node);
  /// All elements as int64, for shape inference. For the target of a Reshape at most one unknown
  /// element becomes -1, "whatever is left". Null unless every element has a number.
  const std::vector<int64_t>* numbers(ValueId id, bool reshape_target);
  /// Puts the elements of `id` that are known dimensions in the place of unknown ones of `shape`.
  void fill(ValueId id, Shape& shape);

 private:
  std::optional<Elements> result_of(const Node& node);
  std::optional<Elements> slice(const Node& node);

  const Graph& graph_;
  std::unordered_map<ValueId, Elements> known_;
  std::unordered_map<ValueId, std::vector<int64_t>> numbers_, targets_;
};

}  // namespace nibble::graph
