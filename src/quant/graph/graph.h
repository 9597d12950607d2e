#pragma once

#include <memory>
#include <optional>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "deploy/base/tensor.h"
#include "deploy/model/attributes.h"
#include "deploy/model/model.h"
#include "deploy/model/op.h"
#include "deploy/numeric/quant_params.h"
#include "deploy/numeric/requantise.h"

namespace nibble::graph {

using model::Attr;
using model::Attributes;
using model::Op;
using model::Phase;
using numeric::QuantParams;
using numeric::RequantiseVariant;

using ValueId = int;
inline constexpr ValueId kNoValue = -1;

/// The grid of one edge, and who chose it ("minmax", "mse", "imported QDQ", ...).
struct QuantInfo {
  QuantParams params;
  std::string chosen_by;
};

/// One tensor of the network: an edge from its producer to its readers. A reader that needs another
/// grid gets a Requantize node of its own, so a value has one grid. Phase kAnnotated: a quantised
/// constant keeps its real numbers; its codes are numeric's nearest codes of them. Phase kInteger:
/// `dtype` is the container of the codes and a quantised constant holds codes.
struct Value {
  std::string name;  // unique in the graph
  DType dtype = DType::kF32;
  Shape shape;                             // kUnknownDim for a symbolic batch
  std::shared_ptr<const Tensor> constant;  // null for activations
  std::optional<QuantInfo> quant;
};

struct Node {
  Op op;
  std::string name;  // unique; a nameless ONNX node is "<op>_<index>"
  Attributes attributes;
  std::vector<ValueId> inputs;  // kNoValue: absent optional input
  std::vector<ValueId> outputs;
};

/// A network as a list of nodes in topological order. Value ids are stable; node positions are not.
class Graph {
 public:
  std::string source;  // file it came from, for messages
  Phase phase = Phase::kFloat;
  RequantiseVariant requantise = RequantiseVariant::kFloat;
  std::vector<Value> values;
  std::vector<Node> nodes;
  std::vector<ValueId> inputs, outputs;
  std::vector<std::pair<std::string, std::string>> metadata;

  Value& value(ValueId id) { return values[static_cast<size_t>(id)]; }
  const Value& value(ValueId id) const { return values[static_cast<size_t>(id)]; }

  /// Adds a value; a name that is taken gets a suffix "_1", "_2", ...
  ValueId add_value(std::string name, DType dtype, const Shape& shape);
  ValueId add_constant(std::string name, Tensor tensor);
  /// Gives a value a name that nobody has (Error kInternal otherwise), or exchanges two names.
  void rename(ValueId id, const std::string& name);
  void swap_names(ValueId a, ValueId b);
  /// The value called `name`, or kNoValue.
  ValueId find(const std::string& name) const;
  bool is_constant(ValueId id) const { return id != kNoValue && value(id).constant != nullptr; }

  /// Every reader of `from` (nodes and graph outputs) reads `to` instead.
  void replace_uses(ValueId from, ValueId to);
  /// Drops nodes whose outputs nobody reads, to a fixed point; returns how many. Values stay (ids
  /// are stable).
  int remove_dead_nodes();
  /// Drops values that no node and no graph input or output mentions. Ids change.
  void drop_unused_values();
  /// Orders nodes by their data dependencies, keeping today's order where it is free. Throws on a
  /// cycle.
  void sort_nodes();
  /// Recomputes dtypes and shapes of all activations from the inputs and constants
  /// (model/infer_shapes.h), arithmetic on shapes included. Throws Error(kModel) naming file and
  /// node.
  void infer_shapes();
  Graph clone() const { return *this; }  // constants are shared; they are immutable

 private:
  std::unordered_set<std::string> names_;  // of all values
};

/// Who makes and who reads each value; a snapshot of the graph, stale after any change.
struct Uses {
  explicit Uses(const Graph& graph);
  std::vector<int> producer;              // node index by value, -1: none
  std::vector<std::vector<int>> readers;  // node indices by value (once per node)
  std::vector<char> is_output;            // value is a graph output
};

/// Throws Error(kInternal or kModel) naming the node when the graph breaks a rule of `phase`:
/// arity, topological order, unique names, attribute kinds, shapes and dtypes that agree with
/// infer_shapes; kAnnotated: every QuantParams fits its tensor; kInteger: no real tensor but in
/// islands between DequantizeLinear and QuantizeLinear.
void verify(const Graph& graph, Phase phase);

/// One line a node: "conv1: Conv 1x3x32x32 -> 1x16x32x32 (weights 16x3x3x3, W4 per channel)".
std::string to_text(const Graph& graph);

}  // namespace nibble::graph
