#pragma once

#include <map>
#include <string>
#include <unordered_set>
#include <vector>

#include "deploy/numeric/requantise.h"
#include "quant/graph/graph.h"
#include "quant/lower/codes.h"

namespace nibble::lower {

/// The integer graph while it is made from a graph with explicit grids. Values are named by their
/// id in the source; each may exist as codes, as real numbers, or both.
class IntegerGraph {
 public:
  explicit IntegerGraph(const graph::Graph& source);

  const graph::Graph& source() const { return source_; }

  /// The codes of a quantised value with one scale; a constant is coded here.
  graph::ValueId codes(graph::ValueId id);
  /// The value as the source declares it: real numbers (behind a DequantizeLinear where only codes
  /// exist), integers or booleans. kNoValue stays kNoValue.
  graph::ValueId plain(graph::ValueId id);
  /// New values for a node's output: codes on the grid of `id`, or what the source declares.
  graph::ValueId make_codes(graph::ValueId id);
  graph::ValueId make_plain(graph::ValueId id);

  graph::ValueId constant(const std::string& name, Tensor tensor) {
    return out_.add_constant(name, std::move(tensor));
  }
  graph::Value& value(graph::ValueId made) { return out_.value(made); }
  void emit(graph::Node node) { out_.nodes.push_back(std::move(node)); }

  /// A QuantizeLinear of `x` (in this graph) that makes the codes of `id`.
  void quantize(const std::string& name, graph::ValueId x, graph::ValueId id);

  /// y_zero, y_min, y_max and `to` of a node that writes codes of `id`; removes clip_min, clip_max.
  void set_output(graph::Node& node, graph::ValueId id) const;
  /// x_zero of input 0 and b_zero of input 1, where they have grids.
  void set_zero_points(graph::Node& node, graph::ValueId x, graph::ValueId b) const;

  graph::Graph finish();

 private:
  graph::ValueId dequantized_constant(graph::ValueId id);
  std::pair<graph::ValueId, graph::ValueId> scale_and_zero(const std::string& name,
                                                           const Stored& grid, const Shape& shape);
  std::string free_node_name(const std::string& name);

  const graph::Graph& source_;
  graph::Graph out_;
  std::vector<graph::ValueId> codes_, plain_;  // by id in the source
  std::vector<char> is_output_;
  std::unordered_set<std::string> node_names_;
};

/// Stores a requantisation factor in the graph's variant as attributes. Throws Error(kModel) naming
/// the node when the factor is too large for it.
void set_multiplier(const graph::Graph& graph, graph::Node& node, double m);

/// Throws Error(kModel) unless 0 <= m < numeric::kMultiplierLimit.
void check_multiplier(const graph::Graph& graph, const graph::Node& node, double m);

// The nodes of each form (form.h); `node` belongs to the source.
void lower_weighted(IntegerGraph& out, const graph::Node& node);
void lower_real_product(IntegerGraph& out, const graph::Node& node);
void lower_elementwise(IntegerGraph& out, const graph::Node& node);
void lower_matmul(IntegerGraph& out, const graph::Node& node);
void lower_global_mean(IntegerGraph& out, const graph::Node& node);
void lower_requantize(IntegerGraph& out, const graph::Node& node);
void lower_move(IntegerGraph& out, const graph::Node& node);
void lower_concat(IntegerGraph& out, const graph::Node& node);

}  // namespace nibble::lower
